"""Around the river: what is left of each window, for the pages; the gate counts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from troth.control.approvals.standing import Standing, resolved
from troth.control.audit.asking import row
from troth.rules.policy import Policy

MOST = 25  # keys, and templates, of a page: those that were used most
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
ORDER BY r.used DESC NULLS LAST, g.code LIMIT %(most)s
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
class Now:
    """A client's windows at a moment; `zone`: whose day it is."""

    at: datetime
    zone: str
    own: tuple[Window, ...]
    keys: tuple[Window, ...]
    templates: tuple[Window, ...]


def windows(here: Standing) -> Now | None:
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
    keys = tuple(_key(each, here, policy, hour_ends) for each in _subjects(here, _KEY, ["api-key"]))
    templates = tuple(
        _template(each, here, policy, hour_ends) for each in _subjects(here, _TEMPLATE, ["template", "category"])
    )
    return Now(now, zone, own, keys, templates)


def _subjects(here: Standing, scope: int, kinds: list[str]) -> list[tuple[Any, ...]]:
    given: dict[str, Any] = {"scope": scope, "tenant": here.tenant, "kinds": kinds, "most": MOST}
    return rows_named(_SUBJECTS, given)


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
