"""Around the river: what is left of each window, for the pages; the gate counts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from troth.control.approvals.standing import Standing, resolved
from troth.control.audit.asking import row
from troth.rules.policy import Policy

MOST = 25  # keys, and templates, of a page, those first that were used most
_KEY, _TEMPLATE = 3, 4
# The client's own day: midnight of its wall clock, as the gate counts it.
_CLIENT = """
WITH clock AS MATERIALIZED (SELECT now_v1() AS now),
here AS (SELECT t.id, t.timezone, date_trunc('day', clock.now AT TIME ZONE t.timezone) AS day, clock.now
         FROM troth.tenant t, clock WHERE t.id = %s),
at AS (SELECT id, timezone, now, date_trunc('hour', now, 'UTC') AS hour, day AT TIME ZONE timezone AS day,
              (day + interval '1 day') AT TIME ZONE timezone AS tomorrow FROM here)
SELECT at.now, at.timezone, at.hour, at.hour + interval '1 hour', at.day, at.tomorrow, h.used, h.cap, d.used, d.cap
FROM at
LEFT JOIN troth.rate_counter h ON h.tenant_id = at.id AND h.scope = 1 AND h.subject = at.id AND h.window_start = at.hour
LEFT JOIN troth.rate_counter d ON d.tenant_id = at.id AND d.scope = 2 AND d.subject = at.id AND d.window_start = at.day
"""
_SUBJECTS = """
SELECT g.subject, g.kind, g.code, s.artefact::jsonb ->> 'name', s.artefact::jsonb ->> 'category', r.used, r.cap
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
LEFT JOIN troth.rate_counter r ON r.tenant_id = g.tenant_id AND r.scope = %(scope)s AND r.subject = g.subject
    AND r.window_start = date_trunc('hour', now_v1(), 'UTC')
WHERE g.tenant_id = %(tenant)s AND g.kind = ANY(%(kinds)s) AND NOT g.retired AND (g.kind <> 'category' OR r.used > 0)
  AND position(%(part)s IN lower(concat_ws(' ', g.code, s.artefact::jsonb ->> 'name'))) > 0
  AND (-coalesce(r.used, 0), g.kind, g.code) > (%(used)s, %(kind)s, %(code)s)
ORDER BY -coalesce(r.used, 0), g.kind, g.code LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Window:
    """One number that is counted against. `ends`: when it is full again."""

    name: str
    limit: int
    used: int
    ends: datetime
    href: str = ""
    detail: str = ""

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def share(self) -> float:
        return self.used / self.limit if self.limit else 1.0


@dataclass(frozen=True, slots=True)
class Page:
    """Keys, or templates; `older`: where the next page begins, "" where this is the last."""

    windows: tuple[Window, ...]
    older: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A page that is wanted: `part` of a code or name; `keys`, `templates`: as `Page.older` gave them."""

    part: str = ""
    keys: str = ""
    templates: str = ""


@dataclass(frozen=True, slots=True)
class Now:
    """A client's windows at a moment; `zone`: whose day it is."""

    at: datetime
    zone: str
    own: tuple[Window, ...]
    keys: Page
    templates: Page


def windows(here: Standing, asked: Asked) -> Now | None:
    """What is left of a client's hour and day, each key's and template's hour; None where no policy is in force."""
    policy = resolved(here)
    found = row(_CLIENT, here.tenant) if policy is not None else None
    if policy is None or found is None:
        return None
    now, zone, _, hour_ends, _, day_ends, hour, hour_cap, day, day_cap = found
    own = (
        Window("this hour", _least(policy.limits.tenant_hour, hour_cap), hour or 0, hour_ends),
        Window("today", _least(policy.limits.tenant_day, day_cap), day or 0, day_ends),
    )
    keys, more = _subjects(here, _KEY, ["api-key"], asked.part, asked.keys)
    templates, others = _subjects(here, _TEMPLATE, ["template", "category"], asked.part, asked.templates)
    return Now(
        now,
        zone,
        own,
        Page(tuple(_key(each, here, policy, hour_ends) for each in keys), more),
        Page(tuple(_template(each, here, policy, hour_ends) for each in templates), others),
    )


def _subjects(here: Standing, scope: int, kinds: list[str], part: str, after: str) -> tuple[list[tuple[Any, ...]], str]:
    """A page of what is counted, and where the next begins."""
    used, kind, code = _after(after)
    given: dict[str, Any] = {"scope": scope, "tenant": here.tenant, "kinds": kinds, "most": MOST + 1,
                             "part": part.lower(), "used": used, "kind": kind, "code": code}  # fmt: skip
    found = rows_named(_SUBJECTS, given)
    if len(found) <= MOST:
        return found, ""
    _, kind, code, *_, used, _ = found[MOST - 1]
    return found[:MOST], f"{used or 0}~{kind}~{code}"


def _after(text: str) -> tuple[int, str, str]:
    """What a page begins after: messages (below zero, as it is sorted), kind, code; before everything otherwise."""
    used, _, rest = text.partition("~")
    kind, _, code = rest.partition("~")
    if not (used.isascii() and used.isdigit() and len(used) < 10 and code):
        return -(2**31) + 1, "", ""
    return -int(used), kind[:40], code[:200]


def rows_named(query: str, given: dict[str, Any]) -> list[tuple[Any, ...]]:
    """As audit.asking.rows, by name."""
    with connection.cursor() as cursor:
        cursor.execute(query, given)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _least(limit: int, cap: int | None) -> int:
    """The counter's own cap while it is the stricter: an anomaly slows, a category or a key asks for less."""
    return limit if cap is None else min(limit, cap)


def _stricter(limit: int, name: str, *levels: Any) -> int:
    given = [(level or {}).get("policy", {}).get("limits", {}).get(name) for level in levels]
    return min(limit, *(int(each) for each in given if each is not None), limit)


def _key(found: tuple[Any, ...], here: Standing, policy: Policy, ends: datetime) -> Window:
    subject, _, code, name, _, used, cap = found
    limit = _stricter(policy.limits.key_hour, "key_hour", here.keys.get(code))
    return Window(name or code, _least(limit, cap), used or 0, ends, f"/keys/{subject}")


def _template(found: tuple[Any, ...], here: Standing, policy: Policy, ends: datetime) -> Window:
    subject, kind, code, _, category, used, cap = found
    named = code if kind == "category" else category
    limit = _stricter(policy.limits.template_hour, "template_hour", here.categories.get(named or ""))
    if kind == "category":
        return Window(code, _least(limit, cap), used or 0, ends, f"/categories/{subject}", "mail without a template")
    return Window(code, _least(limit, cap), used or 0, ends, f"/templates/{subject}")
