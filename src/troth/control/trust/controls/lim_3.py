"""Control of LIM-3: a volume above its 7-day moving average stops or slows sending until a person has looked."""

from datetime import timedelta
from typing import LiteralString

import msgspec

from troth.control.trust import fences, rehearsal, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import weigh
from troth.rules.anomaly import WINDOWS, ceiling, judge
from troth.rules.chain import decide
from troth.rules.checks import volume_usual
from troth.rules.decision import Outcome
from troth.rules.facts import Facts, Volume
from troth.rules.mark import MARK_OUTCOME, MarkVerdict
from troth.rules.policy import Policy
from troth.rules.states import State

_FACT: LiteralString = "SELECT * FROM volume_fact_v1(%s, %s)"
_TABLES = ("volume_slot", "volume_gauge", "volume_doubt", "anomaly", "anomaly_look", "held_mail", "held_order", "pause",
           "release_order")  # fmt: skip
_FUNCTIONS = ("volume_recount_v1", "volume_windows", "anomaly_raise_v1", "anomaly_look_v1", "pause_v1", "pause_rank",
              "apply_release", "held_release_v1", "volume_fact_v1", "insert_only")  # fmt: skip
_WORDS = {
    "volumes": "hours' counts are not those of the events that were sealed",
    "anomalies": "anomalies have no pause of theirs, no entry of the ledger, or were released by no two people",
    "sent while stopped": "hours of a stopped delivery have sent mail",
    "held": "held messages are neither waiting nor at their end",
}
_PROMISED = {
    "property": (150, ("stop-new", "stop-delivery"), None),
    "construction": (200, ("stop-delivery",), 30),
    "retail": (200, ("slow", "stop-new", "stop-delivery"), None),
}
# what the sequencer counted, by whole hours: a floor of the last 24 hours and a roof of the week before
_TALLIED = """
SELECT coalesce(sum(CASE WHEN kind = 1 THEN n ELSE -n END) FILTER (WHERE hour > now - interval '24 hours'), 0)::bigint,
       coalesce(sum(n) FILTER (WHERE kind = 1 AND hour <= now - interval '23 hours'), 0)::bigint,
       EXISTS (SELECT FROM event_tally WHERE kind = 1 AND hour <= now - interval '193 hours'),
       EXISTS (SELECT FROM pause WHERE started_by = 'anomaly'
               AND (released_at IS NULL OR released_at > now - interval '25 hours'))
FROM (SELECT %s::timestamptz AS now) AS clock
LEFT JOIN event_tally ON kind IN (1, 6) AND hour > now - interval '193 hours' GROUP BY now
"""


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings, schema = Findings(), look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, *_TABLES))
    findings.take(fences.functions(schema, *_FUNCTIONS))
    findings.take(fences.keys(schema, "volume_gauge", "PRIMARY KEY (tenant_id)"))
    findings.take(fences.keys(schema, "volume_slot", "PRIMARY KEY (tenant_id, at)"))
    findings.need(
        rehearsal.position(volume_usual.check) >= 0, "the gate's chain does not look at the volume of 24 hours"
    )
    findings.need(MARK_OUTCOME[MarkVerdict.PAUSED].target is State.HELD, "the mark does not stop what is paused")
    for tenant in look.of_programme(programme):
        if not tenant.system:
            _client(findings, look, programme, tenant)
    for name, words in _WORDS.items():
        weigh(findings, look, look.counted(name, _FACT, programme), name, words)
    told_rows.as_told(findings, look, programme, "anomalies told", "releases", "pauses told")
    late = look.counted("reviews", _FACT, programme)
    promised = _PROMISED[programme.profile][2]
    weigh(findings, look, late if promised else (), "reviews", f"reviews were not done within {promised} minutes")
    return findings.done()


def _client(findings: Findings, look: Look, programme: Programme, tenant: Tenant) -> None:
    policy = look.policy(tenant)
    if policy is None:
        findings.wrong.append(f"no policy is in force for {tenant.id}")
        return
    percent, actions, minutes = _PROMISED[programme.profile]
    rules = policy.anomaly
    findings.need(rules.percent <= percent, f"the policy of {tenant.id} acts above {rules.percent} % only")
    findings.need(rules.action in actions, f"the policy of {tenant.id} does no more than {rules.action}")
    findings.need(
        minutes is None or rules.review_minutes <= minutes,
        f"the policy of {tenant.id} gives a review {rules.review_minutes} minutes",
    )
    findings.need(rules.action != "slow" or rules.slow_percent < 100, f"the policy of {tenant.id} slows nothing")
    findings.take(_rehearsed(look, policy))
    findings.need(not _missed(look, tenant, policy), f"the volume of {tenant.id} is an anomaly, and nothing stops it")


def _rehearsed(look: Look, policy: Policy) -> list[str]:
    """The gate's chain at the threshold, and one message past it."""
    week = (1_000,) * WINDOWS
    most, good = ceiling(week, policy), rehearsal.good(policy, look.now)
    said = []
    if _outcome(good, Volume(most - 1, week, asking=1)) is not Outcome.ACCEPT:
        said.append("the gate's chain does not take the last message that is usual")
    past = _outcome(good, Volume(most, week, asking=1))
    if past is Outcome.ACCEPT and policy.anomaly.action != "slow":
        said.append("the gate's chain takes a message past the threshold")
    if judge(most + 1, week, policy).action != policy.anomaly.action:
        said.append("a volume past the threshold is no anomaly to the watch")
    return said


def _outcome(good: Facts, volume: Volume) -> Outcome:
    return decide(msgspec.structs.replace(good, volume=volume)).outcome


def _missed(look: Look, tenant: Tenant, policy: Policy) -> bool:
    """Whether what the sequencer counted is an anomaly of the last hours that nobody was stopped or looked at for."""
    with look.of(tenant.id) as connection:
        row = connection.execute(_TALLIED, (look.now - timedelta(minutes=10),)).fetchone()
    recent, before, grown, paused = row or (0, 0, False, False)
    previous = [before, *[0] * (WINDOWS - 1)] if grown else [before]
    return not paused and judge(max(recent, 0), previous, policy).action is not None


CONTROL = Control(
    "LIM-3",
    "lim_3",
    HOUR,
    "The counts by which the gate judges are compared, hour by hour, with the events that the sequencer sealed; each "
    "client's last day is judged again from those; the policies in force are compared with the promise's numbers and "
    "the gate's chain is shown a volume at its threshold and one past it; each anomaly has its pause, its entry of the "
    "ledger and, once over, two people; nothing was sent while delivery was stopped; and held mail is all there.",
    check,
)
