"""Feedback: a complaint about a message of ours, carried out at once, whoever told it: a feedback loop's report or a
relay's webhook, of which our own token was verified already. One transaction:

    event COMPLAINED, suppression for good    by events.py; a source that tells it again changes nothing
    an incident, with the profile's clocks    one a message, whoever else tells of it; how its recipient came to be one
    the version marked for review             by the record of the complaint itself (control/complaints/sql)
    a pattern of the client's                 nothing more of it is sent until it was looked into and two people agree
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from troth.flow import events
from troth.flow.feedback.complaining_words import Reported, kind_of, told_again, words
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.knowing import address_of, key_of, policy_of
from troth.flow.gate.recall import opener
from troth.keys import ids, places
from troth.rules import cases as rules
from troth.rules.policy import Policy
from troth.rules.states import Kind
from troth.store import cases, gate
from troth.store import complaints as store
from troth.store import events as rows
from troth.store.connection import Connection

COMPLAINT, FEEDBACK_LOOP = 2, 4  # suppression.reason
PAPER = 1_048_576  # octets of a report that are kept
_CLIENT = 1  # tenant.kind: a programme's own mail is stopped by people alone


@dataclass(frozen=True, slots=True)
class Report:
    """What a desk knows beyond the fact: the loop that is believed, when its letter came, and the letter."""

    loop: store.Loop | None = None
    came_at: datetime | None = None
    paper: bytes | None = None


async def complain(
    deps: Deps, connection: Connection, message_id: UUID, source_key: str, detail: Mapping[str, Any],
    report: Report | None = None,
) -> bool:  # fmt: skip
    """Whether this source's word is new. detail: small, sealed under the person's key; `via` and `feedback_type` of it
    are recorded openly. What the store raises is temporary.
    """
    report = report or Report()
    async with connection.transaction():
        found = await rows.lock_messages(connection, [message_id])
        if not found:
            return False
        now = await gate.now(connection)
        about = await store.about(connection, message_id)
        told = _told(deps, found[0], about, source_key, detail, report)
        if not await events.report(connection, [told], now, opener(deps.keyring)):
            return False
        at = _At(deps, connection, found[0], about, report, now)
        await _record(at, source_key, detail)
    return True


@dataclass(frozen=True, slots=True)
class _At:
    """A complaint being carried out: its message locked, its event told."""

    deps: Deps
    connection: Connection
    message: rows.MessageRow
    about: store.About
    report: Report
    now: datetime


def _told(
    deps: Deps, message: rows.MessageRow, about: store.About, source_key: str, detail: Mapping[str, Any], report: Report
) -> events.Report:
    suppress = rows.NewSuppression(
        message.blind_index, FEEDBACK_LOOP if report.loop else COMPLAINT, f"complaint:{message.id}", message.tenant_id,
        _address(deps, message, about),
    )  # fmt: skip
    return events.Report(message.id, Kind.COMPLAINED, source_key, detail, suppress)


def _address(deps: Deps, message: rows.MessageRow, about: store.About) -> bytes | None:
    """Under the operator's keyset; None of an erased person, of whom the index stands on the list."""
    address = address_of(key_of(deps, message), message.person_id, about.address_ct)
    if address is None or deps.operator is None:
        return None
    return deps.operator.seal(address, places.suppression(message.blind_index))


async def _record(at: _At, source_key: str, detail: Mapping[str, Any]) -> None:
    """The case first: its lock makes complaints follow one another, so that each counts those before it."""
    policy = await policy_of(at.deps, at.connection, at.message.tenant_id, at.message.category_id, at.now)
    via, kind = str(detail.get("via", "feedback"))[:40], kind_of(detail)
    case = await _case(at, policy, Reported(at.report.loop, via, kind, at.report.came_at or at.now))
    made = store.NewComplaint(
        ids.uuid7(at.now), at.message.id, source_key, case, at.report.loop.id if at.report.loop else None, via, kind,
        at.report.came_at or at.now,
    )  # fmt: skip
    await store.keep(at.connection, made)
    await _pattern(at, policy)


async def _case(at: _At, policy: Policy, told: Reported) -> UUID:
    """The message's incident, opened now or before."""
    message, about = at.message, at.about
    id_ = ids.uuid7(at.now)
    given = await store.consents(at.connection, message.tenant_id, message.person_id, message.category_id)
    named = (
        f"template “{about.template}”, version {about.version}" if about.template else f"category “{about.category}”"
    )
    new = cases.NewCase(
        id_, rules.INCIDENT, "complaint", f"complaint:{message.id}", f"A recipient complained: {named}"[:200],
        tenant=message.tenant_id, message=message.id, category=message.category_id, template=about.template_subject,
        clocks=rules.clocks(rules.INCIDENT, "complaint", policy, at.now),
        words=_sealed(at, words(told, message.id, about, given), id_),
    )  # fmt: skip
    case = await cases.open_case(at.connection, new)
    await _attach(at, case, told, again=case != id_)
    return case


async def _attach(at: _At, case: UUID, told: Reported, *, again: bool) -> None:
    """The report as it came; and that another source tells of the same."""
    if at.report.paper is None and not again:
        return
    entry = ids.uuid7(at.now)
    paper = None
    if at.report.paper is not None and at.deps.operator is not None:
        paper = at.deps.operator.seal(at.report.paper[:PAPER], places.case_paper(entry))
    said = _sealed(at, told_again(told), entry) if again else None  # the first entry says the first one's words
    await cases.note(at.connection, case, entry, "report", said, paper)


def _sealed(at: _At, text: str, entry: UUID) -> bytes | None:
    operator = at.deps.operator
    return operator.seal(text.encode(), places.case_words(entry)) if operator else None


async def _pattern(at: _At, policy: Policy) -> None:
    """Two people let the client go again, and not before its incident is resolved (control/complaints/sql)."""
    rule, tenant = policy.cases, at.message.tenant_id
    number, stopped = await store.pattern(at.connection, tenant, rule.complaint_pattern_hours)
    if number < rule.complaint_pattern or stopped:
        return
    said = f"{number} messages were complained about within {rule.complaint_pattern_hours} hours"
    key = f"complaints:{tenant}:{at.now:%Y-%m-%d}"
    if rule.complaint_suspends and at.about.tenant_kind == _CLIENT:
        key = f"complaints:{await store.stop(at.connection, tenant, f'{said}: the policy stops the client.')}"
    id_ = ids.uuid7(at.now)
    new = cases.NewCase(
        id_, rules.INCIDENT, "complaint-pattern", key, said, "high", tenant,
        clocks=rules.clocks(rules.INCIDENT, "complaint-pattern", policy, at.now), words=_sealed(at, f"{said}.", id_),
    )  # fmt: skip
    await cases.open_case(at.connection, new)
