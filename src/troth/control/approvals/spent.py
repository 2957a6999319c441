"""Four eyes, before anybody is asked: no proposed limit lies below what is spent of it already in the window that runs.

Such a limit would have been exceeded on the day that it was approved, and would stop all mail until the window's end:
whoever wants that stops it in so many words (a pause). What is not lowered is not looked at. Limits are also counted
when mail is accepted, so one that is approved later, when more is spent, stops what is new and breaks nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from troth.control.approvals.standing import Standing, resolved
from troth.control.audit.refusals import Problem
from troth.control.audit.scope import Connection, within
from troth.rules.policy import Limits

# as the gate numbers them (flow/gate/limits.py)
_SCOPES = {"tenant_hour": 1, "tenant_day": 2, "key_hour": 3, "template_hour": 4, "recipient_template_day": 5}
_WHAT = {
    "tenant_hour": "{who} has sent {used} messages in this hour",
    "tenant_day": "{who} has sent {used} messages today",
    "key_hour": "an API key of {who} has sent {used} messages in this hour",
    "template_hour": "{who} has sent {used} messages of one template in this hour",
    "recipient_template_day": "{who} has sent {used} messages of one template to one recipient today",
}
# An hour is UTC's, a day the client's own (a midnight that its zone has twice, or never, is taken either way); of a
# client's windows its own alone, since a test key counts apart.
_SPENT = """
SELECT c.scope, max(c.used) FROM troth.rate_counter c JOIN troth.tenant t ON t.id = c.tenant_id
WHERE c.tenant_id = %(tenant)s AND c.scope = ANY (%(scopes)s::smallint[]) AND (c.scope > 2 OR c.subject = c.tenant_id)
  AND (%(key)s::uuid IS NULL OR c.scope <> 3 OR c.subject = %(key)s)
  AND abs(extract(epoch FROM c.window_start - CASE WHEN c.scope IN (2, 5)
      THEN date_trunc('day', troth.now_v1() AT TIME ZONE t.timezone) AT TIME ZONE t.timezone
      ELSE date_trunc('hour', troth.now_v1(), 'UTC') END)) < 3601 * (c.scope IN (2, 5))::int + 1
GROUP BY c.scope
"""
_TEMPLATES = """
AND (c.scope <> 4 OR c.subject = ANY (ARRAY(
    SELECT g.subject FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
    WHERE g.tenant_id = %(tenant)s AND (g.code = %(category)s AND g.kind = 'category'
          OR g.kind = 'template' AND s.artefact::jsonb ->> 'category' = %(category)s))))
"""


@dataclass(frozen=True, slots=True)
class Within:
    """What of a client's counters the level governs: all, one category's, or one key's."""

    category: str = ""
    key: UUID | None = None


ALL = Within()


def below_spent(connection: Connection, changed: Iterable[tuple[Standing, Standing]]) -> list[Problem]:
    """Of each client as it stands and as it is to stand, the limits that would lie below what it has spent."""
    return [problem for before, after in changed for problem in _of_client(connection, before, after)]


def stated_below_spent(
    connection: Connection, here: Standing, old: Mapping[str, int], new: Mapping[str, int], what: Within = ALL
) -> list[Problem]:
    """The same for the limits that a category or a key states itself; `old` are those that it states now."""
    policy = resolved(here)
    if policy is None:
        return []
    lowered = {name: value for name, value in new.items()
               if name in _SCOPES and value < old.get(name, getattr(policy.limits, name))}  # fmt: skip
    return list(_problems(connection, here, lowered, what))


def _of_client(connection: Connection, before: Standing, after: Standing) -> Iterator[Problem]:
    old, new = resolved(before), resolved(after)
    if old is None or new is None:
        return
    yield from _problems(connection, before, _lowered(old.limits, new.limits), ALL)


def _lowered(old: Limits, new: Limits) -> dict[str, int]:
    return {name: getattr(new, name) for name in _SCOPES if getattr(new, name) < getattr(old, name)}


def _problems(connection: Connection, here: Standing, lowered: Mapping[str, int], what: Within) -> Iterator[Problem]:
    if (tenant := here.tenant) is None or not lowered:
        return
    scopes = [_SCOPES[name] for name in lowered]
    asked = {"tenant": tenant, "scopes": scopes, "key": what.key, "category": what.category}
    query = _SPENT.replace("GROUP BY", f"{_TEMPLATES}GROUP BY") if what.category else _SPENT
    with within(connection, tenant):
        spent = dict(connection.execute(query, asked).fetchall())
    for name, limit in lowered.items():
        used = spent.get(_SCOPES[name], 0)
        if used > limit:
            who = str(here.tenants.get(tenant, {}).get("name", "the client"))
            yield Problem(f"policy.limits.{name}", "spent", _hint(name, limit, used, who))


def _hint(name: str, limit: int, used: int, who: str) -> str:
    until = "tomorrow" if name.endswith("day") else "in the next hour"
    said = _WHAT[name].format(used=f"{used:,}", who=who)
    return (
        f"A limit of {limit:,} lies below what is spent already: {said}. Give {used:,} or more, propose it {until}, or "
        "stop the sending (a pause)."
    )
