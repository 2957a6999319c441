"""Records, the log of changes: every step of whatever is governed, as the ledger has it: who, when, before, after."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.people.actor import Actor
from troth.control.records import names
from troth.control.records.asked import Asked
from troth.control.records.logs import Log, Query

# exactly as the index ledger_leaf_changes says it
_IS_CHANGE = "kind ~ '^(governance|sending:pause|people:(account|leaver|review|key|factor|sign-on-domain|arrival)):'"
_WINDOW = """
SELECT index, kind, at, leaf FROM troth.ledger_leaf WHERE log_id = 1 AND {whose} AND {is_change}{bounds}
ORDER BY {first}at DESC, index DESC LIMIT %(window)s
"""
# Rows are compared whole, so that the index is read in its order: by tenant_id alone the planner, whom row-level
# security lets know little of `kind`, expects a handful of rows, and sorts all of them.
_OURS = "(tenant_id, at, index) >= (%(tenant)s, {low}, 0) AND (tenant_id, at, index) < (%(tenant)s, {high}, {below})"
_HOUSE = "tenant_id IS NULL AND (at, index) >= ({low}, 0) AND (at, index) < ({high}, {below})"
_BEHIND = "(SELECT b.at FROM troth.ledger_leaf b WHERE b.log_id = 1 AND b.index = %(before)s)"
_PERSON = """(leaf::jsonb ->> 'by' = ANY(%(who)s) OR leaf::jsonb ->> 'proposer' = ANY(%(who)s)
    OR leaf::jsonb ->> 'account' = ANY(%(who)s) OR leaf::jsonb ->> 'item' = ANY(%(who)s)
    OR leaf::jsonb ->> 'subject' = ANY(%(who)s))"""
_WORDS = (
    "strpos(lower(concat_ws(' ', leaf::jsonb ->> 'code', leaf::jsonb ->> 'reason', leaf::jsonb ->> 'note')), %(q)s) > 0"
)
_HUMAN = "SELECT human_id FROM troth.account WHERE id = %s"
_ONE = "SELECT index, kind, at, leaf FROM troth.ledger_leaf WHERE log_id = 1 AND index = %s AND {whose} AND {is_change}"
# the words of a change, and of the version that it replaced, which the entry's two digests bind
_VERSIONS = """
SELECT u.n, c.artefact, b.artefact FROM unnest(%s::bigint[], %s::uuid[], %s::text[]) AS u(n, change, before)
JOIN troth.change c ON c.id = u.change
LEFT JOIN troth.snapshot b ON b.kind = c.kind AND b.subject = c.subject AND b.digest = decode(u.before, 'hex')
"""
_FIELDS = """
SELECT v.n, ARRAY(SELECT key FROM jsonb_each(v.after::jsonb) AS a(key, value)
                  FULL JOIN jsonb_each(v.before::jsonb) AS b(key, was) USING (key)
                  WHERE value IS DISTINCT FROM was ORDER BY key)
FROM ({versions}) AS v(n, after, before) WHERE v.before IS NOT NULL
"""
KINDS = {
    "template": "Templates", "category": "Categories", "policy": "Policies", "api-key": "API keys", "grant": "Access",
    "domain": "Domains", "override": "Suppression overrides", "release": "Releases", "sign-on": "Sign-on",
    "designation": "Named individuals", "tenant": "Clients", "programme": "Programmes", "import": "Imports",
    "route": "Warm-ups of routes", "trust-page": "Clients’ own trust pages",
    "access": "Access that ended, reviews", "stop": "Stops and pauses",
}  # fmt: skip
STEPS = {
    "propose": "Proposed", "approve": "Approved", "endorse": "Approved, one of several", "reject": "Rejected",
    "withdraw": "Withdrawn", "expire": "Expired", "comment": "Commented", "revoke": "Revoked", "start": "Stopped",
    "close": "Ended", "mark": "Marked", "confirm": "Confirmed", "lapse": "Lapsed", "keep": "Kept", "open": "Begun",
    "add": "Added", "remove": "Removed", "prove": "Proved", "forget": "Forgotten", "note": "Noted",
}  # fmt: skip
_LOOKS = {"propose": "proposed", "approve": "holds", "endorse": "proposed", "confirm": "holds", "reject": "rejected",
          "withdraw": "withdrawn", "expire": "expired", "revoke": "stopped", "start": "paused", "close": "retired",
          "lapse": "expired", "keep": "fails", "mark": "deferred"}  # fmt: skip
_THINGS = {"api-key": "API key", "grant": "access", "designation": "named individuals", "tenant": "client",
           "trust-page": "own trust page"}  # fmt: skip
HEADER = ("entry", "at", "kind", "step", "of", "code", "by", "proposed_by", "reason", "change", "before_digest",
          "digest", "before", "after")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One entry. `fields`: which of the artefact's top-level fields differ; None where nothing was there before."""

    index: int
    kind: str
    at: datetime
    told: dict[str, str]
    by: str
    proposer: str
    about: str
    fields: list[str] | None

    @property
    def step(self) -> str:
        return self.kind.rpartition(":")[2]

    @property
    def words(self) -> str:
        return STEPS.get(self.step, self.step.capitalize())

    @property
    def look(self) -> str:
        return _LOOKS.get(self.step, "none")

    @property
    def what(self) -> str:
        """In a word or two: what it is of."""
        if self.kind.startswith("governance:"):
            return _THINGS.get(self.told.get("of", ""), self.told.get("of", "version"))
        return " ".join(self.kind.split(":")[:2]).replace("people ", "").replace("sending ", "").replace("-", " ")


def query(actor: Actor, asked: Asked, before: str) -> Query:
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise Http404
    values: dict[str, Any] = {"tenant": actor.scope, "before": int(before or 0), "since": asked.since,
                              "until": asked.until, "kind": asked.kind, "status": asked.status, "q": asked.q,
                              "who": _who(asked)}  # fmt: skip
    where = [words for wanted, words in (
        (asked.person, _PERSON),
        (asked.q, _WORDS),
        (asked.kind == "access", "kind LIKE 'people:%%'"),
        (asked.kind == "stop", "(kind LIKE 'sending:%%' OR kind = 'governance:version:revoke')"),
        (asked.kind and asked.kind not in ("access", "stop"), "leaf::jsonb ->> 'of' = %(kind)s"),
        (asked.status, "split_part(kind, ':', 3) = %(status)s"),
    ) if wanted]  # fmt: skip
    window = _window(actor, before, asked).replace("{is_change}", _IS_CHANGE)
    return Query(window, f"WHERE {' AND '.join(where)}" if where else "", values)


def _window(actor: Actor, before: str, asked: Asked) -> str:
    low = "%(since)s" if asked.since else "'-infinity'"
    high, below = ("%(until)s", "0") if asked.until else ("'infinity'", "0")
    if before:  # a page goes on behind an entry, which lies within the time that is asked for
        high, below = _BEHIND, "%(before)s"
    whose = (_HOUSE if actor.scope is None else _OURS).format(low=low, high=high, below=below)
    return _WINDOW.format(whose=whose, first="" if actor.scope is None else "tenant_id DESC, ",
                          is_change="{is_change}", bounds=" AND at < %(until)s" if asked.until else "")  # fmt: skip


def _who(asked: Asked) -> list[str]:
    """Entries name the human; some name the account."""
    found = row(_HUMAN, asked.person) if asked.person else None
    return [str(asked.person), *(str(each) for each in found or ())]


def entries(actor: Actor, got: list[tuple[Any, ...]]) -> list[Step]:
    del actor
    told = [(index, kind, at, json.loads(leaf)) for index, kind, at, leaf in got]
    known = names.named(value for *_, each in told for value in _people(each))
    asked = [
        (index, each) for index, kind, _, each in told if kind.startswith("governance:change:") and each.get("before")
    ]
    fields = _fields(asked)
    return [
        Step(
            index,
            kind,
            at,
            each,
            _by(kind, each, known),
            known.get(each.get("proposer", ""), ""),
            _about(each, known),
            fields.get(index),
        )
        for index, kind, at, each in told
    ]


def _people(told: dict[str, str]) -> list[str | None]:
    return [told.get(name) for name in ("by", "proposer", "account", "item", "subject")]


def _by(kind: str, told: dict[str, str], known: dict[str, str]) -> str:
    """A date acts by itself; a factor is its own person's; whom the reader may not see has no name."""
    who = told.get("account", "") if kind.startswith("people:factor:") else told.get("by", "")
    return known.get(who, "somebody else" if who else "by itself")


def _about(told: dict[str, str], known: dict[str, str]) -> str:
    for name in ("account", "item", "subject"):
        if (found := known.get(told.get(name, ""))) is not None:
            return found
    name = told.get("code") or told.get("domain") or told.get("type") or ""
    return "" if name == told.get("of") else str(name)


def _fields(asked: list[tuple[int, dict[str, str]]]) -> dict[int, list[str]]:
    if not asked:
        return {}
    return dict(rows(_FIELDS.replace("{versions}", _VERSIONS), *_columns(asked)))


def _columns(asked: Sequence[tuple[int, dict[str, str]]]) -> tuple[list[int], list[UUID], list[str]]:
    return (
        [index for index, _ in asked],
        [UUID(each["change"]) for _, each in asked],
        [each["before"] for _, each in asked],
    )


def versions(found: Sequence[Step]) -> dict[int, tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    """(before, after) by entry, as they are told."""
    asked = [(each.index, each.told) for each in found if "change" in each.told and "before" in each.told]
    got = rows(_VERSIONS, *_columns(asked)) if asked else []
    return {index: (names.shown(before), names.shown(after)) for index, after, before in got}


def lines(artefact: dict[str, Any] | None) -> str:
    """A version line by line, for comparing: long texts keep their own lines."""
    if artefact is None:
        return ""
    return "\n".join(f"{name}: {_told(value)}" for name, value in sorted(artefact.items()))


def _told(value: Any) -> str:
    if isinstance(value, str):
        return value if "\n" not in value else f"\n{value}"
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def access_step(actor: Actor, index: int) -> Step:
    """Raise Http404 for what is no entry of this log, or another client's."""
    whose = "tenant_id IS NULL" if actor.scope is None else "tenant_id = %s"
    text = _ONE.replace("{whose}", whose).replace("{is_change}", _IS_CHANGE)
    found = row(text, index, *(() if actor.scope is None else (actor.scope,)))
    if found is None:
        raise Http404
    return entries(actor, [found])[0]


def exported(actor: Actor, found: Sequence[Step]) -> list[dict[str, Any]]:
    del actor
    both = versions(found)
    return [_row(each, *both.get(each.index, (None, None))) for each in found]


def _row(step: Step, before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    told = step.told
    return {
        "entry": step.index,
        "at": step.at.isoformat(),
        "kind": step.kind,
        "step": step.step,
        "of": told.get("of", ""),
        "code": told.get("code") or step.about,
        "by": step.by,
        "proposed_by": step.proposer,
        "reason": told.get("reason") or told.get("note") or told.get("why", ""),
        "change": told.get("change", ""),
        "before_digest": told.get("before", ""),
        "digest": told.get("digest", ""),
        "before": before,
        "after": after,
    }


LOG: Log[Step] = Log("changes", "change-log:read", query, entries, exported, HEADER, batch=200, window=5_000)
