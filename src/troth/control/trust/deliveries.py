"""Claims: what became of a programme's mail, counted by the hour and the kind of event: its shares, and how much a day.

The counts are the sequencer's, made as it sealed the events (event_tally); that they are no more than the events is
looked at with them, and what was told of a message again, by another source or after it was sent again, is taken off.
Every message that a next hop took, or refused, counts once; what nobody told of is not delivered.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from uuid import UUID

from troth.control.trust import fences
from troth.control.trust.found import Findings
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import count
from troth.control.trust.promised import in_force
from troth.rules.policy import Targets, looser_fields
from troth.rules.policy_said import share as share_of
from troth.rules.profile import load_profile
from troth.rules.states import Kind

WINDOW = timedelta(days=30)
SAMPLE = 1_000  # messages before a share says anything
DAYS = 28  # counted days before a day's mean does
ABOUT = Fraction(1, 4)  # how far off "about" may be
_TALLY = """
SELECT kind, coalesce(sum(n), 0)::bigint FROM event_tally
WHERE tenant_id = %s AND kind = ANY(%s) AND hour >= date_trunc('hour', %s::timestamptz - %s, 'UTC') GROUP BY 1
"""
_DAYS = """
SELECT (hour AT TIME ZONE 'UTC')::date, sum(n)::bigint FROM event_tally
WHERE tenant_id = %(tenant)s AND kind = %(kind)s
  AND hour >= date_trunc('day', %(now)s::timestamptz - %(window)s, 'UTC')
  AND hour < date_trunc('day', %(now)s::timestamptz, 'UTC')
GROUP BY 1
"""
# Messages of the window by kind of event; and events that tell again what an earlier one of the same message told.
_AGAIN = """
SELECT kind, (sum(n) - count(*))::bigint, count(*)::bigint FROM (
    SELECT kind, count(*) AS n FROM event
    WHERE tenant_id = %(tenant)s AND kind = ANY(%(kinds)s) AND at >= %(first)s AND at < %(last)s
      AND message_id >= uuid7_floor(%(first)s - %(window)s)
    GROUP BY message_id, kind) AS m
GROUP BY 1
"""
# Refused by the next hop at once: never taken.
_REFUSED = """
SELECT count(*) FROM (
    SELECT FROM event
    WHERE tenant_id = %(tenant)s AND kind = ANY(%(kinds)s) AND at >= %(first)s AND at < %(last)s
      AND message_id >= uuid7_floor(%(first)s - %(window)s)
    GROUP BY message_id HAVING bool_or(kind = %(bounced)s) AND NOT bool_or(kind = %(sent)s)) AS m
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """Messages of the window, each once; those that went out or were refused (`refused`: at once) are the shares'
    denominator.
    """

    sent: int
    delivered: int
    bounced: int
    refused: int = 0

    @property
    def tried(self) -> int:
        return max(self.sent + self.refused, self.delivered + self.bounced)


@dataclass(frozen=True, slots=True)
class Bound:
    """`less`: the share is under the number, else over it. `text`: as it is promised."""

    less: bool
    share: Fraction
    text: str

    def holds(self, share: Fraction) -> bool:
        return share < self.share if self.less else share > self.share


def stands(findings: Findings, look: Look, programme: Programme) -> None:
    """What counts and what is counted is as shipped, and nothing is counted that did not happen."""
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "event", "event_pending", "event_tally"))
    findings.take(fences.functions(schema, "event_to_line"))
    count(findings, look, "event-tally", programme, "hours have more events counted than there are")


def counted(look: Look, programme: Programme) -> Counted:
    """By the tally and by the events themselves: where they differ, what is the less flattering."""
    sent, delivered, bounced = kinds = [int(Kind.SENT), int(Kind.DELIVERED), int(Kind.BOUNCED)]
    totals, refused = dict.fromkeys(kinds, 0), 0
    begins = (look.now - WINDOW).replace(minute=0, second=0, microsecond=0)
    for tenant in look.of_programme(programme):
        with look.of(tenant.id) as connection:
            tally = dict(connection.execute(_TALLY, (tenant.id, kinds, look.now, WINDOW)).fetchall())
        told = _again(look, tenant.id, kinds, begins, look.now + WINDOW)
        for kind in kinds:
            again, rows = told.get(kind, (0, 0))
            both = max(0, tally.get(kind, 0) - again), rows
            totals[kind] += min(both) if kind == delivered else max(both)
        refused += _refused(look, tenant.id, sent, bounced, begins)
    return Counted(totals[sent], totals[delivered], totals[bounced], refused)


def _refused(look: Look, tenant: UUID, sent: int, bounced: int, first: datetime) -> int:
    params = {"tenant": tenant, "kinds": [sent, bounced], "sent": sent, "bounced": bounced, "first": first,
              "last": look.now + WINDOW, "window": WINDOW}  # fmt: skip

    def asked() -> int:
        with look.of(tenant) as connection:
            row = connection.execute(_REFUSED, params).fetchone()
        return int(row[0]) if row else 0

    return look.once(("refused", tenant, first), asked)


def _again(look: Look, tenant: UUID, kinds: list[int], first: datetime, last: datetime) -> dict[int, tuple[int, int]]:
    """How many events there are beyond one of each message and kind, and how many messages of that kind."""
    params = {"tenant": tenant, "kinds": kinds, "first": first, "last": last, "window": WINDOW}

    def asked() -> dict[int, tuple[int, int]]:
        with look.of(tenant) as connection:
            return {kind: (again, n) for kind, again, n in connection.execute(_AGAIN, params).fetchall()}

    return look.once(("told again", tenant, tuple(kinds), first), asked)


def days(look: Look, programme: Programme) -> tuple[int, int]:
    """How many whole days (UTC) since the first one with mail, at most the window's, and what was sent in them."""
    found, again, kind = dict[date, int](), 0, int(Kind.SENT)
    today = look.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for tenant in look.of_programme(programme):
        params = {"tenant": tenant.id, "kind": kind, "now": look.now, "window": WINDOW}
        with look.of(tenant.id) as connection:
            for day, n in connection.execute(_DAYS, params).fetchall():
                found[day] = found.get(day, 0) + n
        again += _again(look, tenant.id, [kind], today - WINDOW, today).get(kind, (0, 0))[0]
    if not found:
        return 0, 0
    return (today.date() - min(found)).days, max(0, sum(found.values()) - again)


def targets(findings: Findings, look: Look, programme: Programme) -> Targets:
    """What the policy in force says of this programme's mail; looser than its profile, it is a fault."""
    shipped = load_profile(programme.profile).policy
    policy = look.once(("promised", programme.id), lambda: in_force(look.connection, programme))
    if policy is None:
        findings.wrong.append("no policy is in force")
        return shipped.targets
    loose = (path for path in looser_fields(shipped, policy) if path.startswith("targets."))
    findings.take(f"the policy in force says less than is promised: {path}" for path in loose)
    return policy.targets


def below(ppm: int) -> Bound:
    return Bound(less=True, share=Fraction(ppm, 1_000_000), text=_plain(f"< {share_of(ppm)}"))


def above(ppm: int) -> Bound:
    return Bound(less=False, share=Fraction(ppm, 1_000_000), text=_plain(f"> {share_of(ppm)}"))


def _plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def weigh(
    findings: Findings, share: Fraction, claimed: Bound, target: Bound | None, what: str, *, digits: int = 2
) -> None:
    """Compare a share with what is claimed, and with what is aimed at."""
    told = percent(share, digits)
    if target is not None and not target.holds(share):
        findings.wrong.append(f"{told} of mail {what}, which misses even the target of {target.text}")
    elif not claimed.holds(share):
        within = f"; the target of {target.text} is kept" if target else ""
        findings.wrong.append(f"{told} of mail {what}, and {claimed.text} is claimed{within}")


def percent(share: Fraction, digits: int = 2) -> str:
    return f"{float(share * 100):.{digits}f} %"
