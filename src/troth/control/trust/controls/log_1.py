"""Control of LOG-1: the delivery log: each message's states, times, bounce codes and complaints, kept 90 days."""

import re
from collections.abc import Iterator
from datetime import timedelta

from troth.control.trust import fences, promised, sample, sealed
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import LOG, Look, Programme
from troth.control.trust.measures import DENIED, count, refused
from troth.control.trust.sample import Message
from troth.control.trust.schema import Schema
from troth.rules.states import TRANSITIONS, Kind, State, sql_kind_check

_TABLES = ("email", "message", "event", "api_request")
_WEEK = re.compile(r".*_(\d{4})w(\d{2})$")
_TARGETS = {kind: {step.target for step in TRANSITIONS if step.kind is kind} for kind in Kind}
_CODED = (Kind.SENT, Kind.BOUNCED)


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    _stands(findings, look)
    findings.take(_weeks(look))
    findings.need(_days(look, programme) <= LOG, "the log is promised for longer than it is looked at")
    total = count(findings, look, "message-events", programme, "messages lack events that their state says they had")
    count(findings, look, "orphans", programme, "events are of no message")
    count(findings, look, "event-tally", programme, "counts of events that were sealed are higher than what is there")
    sealed.rows(findings, look, "LOG-1")
    looked = 0
    for tenant in look.of_programme(programme):
        for message in sample.messages(look, tenant):
            looked += 1
            findings.take(f"message {message.id}: {why}" for why in _message(message))
    findings.seen["messages_looked_at"] = looked
    if not total:
        findings.missing.append("no message was accepted in the last 90 days")
    return findings.done()


def _days(look: Look, programme: Programme) -> timedelta:
    policy = promised.in_force(look.connection, programme)
    return timedelta(days=policy.records.delivery_days) if policy else timedelta.max


def _stands(findings: Findings, look: Look) -> None:
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, *_TABLES))
    findings.take(fences.functions(schema, "insert_only", "refuse_step", "make_partitions_v1", "event_to_line"))
    findings.take(fences.checks(schema, "message", "octet_length(blind_index) = 32"))
    findings.take(fences.checks(schema, "event", sql_kind_check(), "octet_length(leaf_hash) = 32"))
    findings.take(fences.not_null(schema, "message", "blind_index", "state", "created_at", "person_id"))
    findings.take(fences.not_null(schema, "event", "message_id", "kind", "at", "leaf_hash"))
    findings.take(fences.keys(schema, "event", "PRIMARY KEY (message_id, kind, source_key)"))
    refused(findings, look, {"event-delete": DENIED, "event-update": DENIED, "email-update": DENIED})


def _weeks(look: Look) -> Iterator[str]:
    """Each week that has messages has their events, and there is room for what comes."""
    weeks = {table: _partitions(look.schema, table) for table in ("email", "message", "event")}
    for table in ("message", "event"):
        for gone in sorted(weeks["email"] - weeks[table]):
            yield f"{table} has no partition of week {gone}"
    for gone in sorted((weeks["message"] | weeks["event"]) - weeks["email"]):
        yield f"email has no partition of week {gone}"
    ahead = look.now + timedelta(days=7)
    if f"{ahead.isocalendar().year}w{ahead.isocalendar().week:02}" not in weeks["event"]:
        yield "there is no partition for the events of next week"


def _partitions(schema: Schema, table: str) -> set[str]:
    names = (_WEEK.match(part.name) for part in schema.partitions(table))
    return {f"{name[1]}w{name[2]}" for name in names if name}


def _message(message: Message) -> Iterator[str]:
    if not message.told(Kind.ACCEPTED):
        yield "nothing tells that it was accepted"
    for event in message.events:
        if event.why:
            yield f"its {event.kind.name.lower()} event: {event.why}"
        elif event.kind in _CODED and event.detail is not None and not _coded(event):
            yield f"its {event.kind.name.lower()} event has no reply code"
    if not _state_told(message):
        yield f"its state {message.state.name.lower()} is not what its events tell"


def _coded(event: sample.Event) -> bool:
    """A bounce that a report told has its own shape; what the next hop answered has its code."""
    return not event.source_key.startswith("attempt:") or isinstance((event.detail or {}).get("code"), int)


def _state_told(message: Message) -> bool:
    """The newest events lead to the state that is kept; opt-outs and complaints lead nowhere new."""
    moving = [event for event in message.events if event.kind not in (Kind.COMPLAINED, Kind.UNSUBSCRIBED)]
    if not moving:
        return False
    newest = max(event.at for event in moving)
    reached = {state for event in moving if event.at == newest for state in _TARGETS[event.kind]}
    # accepted and queued are one step to the gate
    return message.state in reached | ({State.QUEUED} if State.ACCEPTED in reached else set())


CONTROL = Control(
    "LOG-1",
    "log_1",
    HOUR,
    "Each message of the last 90 days has the events that its state says it had, none fewer than the ledger "
    "counted when it sealed them; sampled ones are opened and compared; deleting and changing an event are tried "
    "as the tables' owner.",
    check,
)
