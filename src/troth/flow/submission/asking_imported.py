"""Submission, beside the doors: whom an approved import registered, and nobody asked yet, is asked to confirm.

A few of each client at a time, counted on the client's own limits: where these end, the rest waits. Taking one out of
the queue and the mail that asks are one transaction, so nobody is asked twice, and nobody is lost.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

import structlog

from troth.flow.gate.asks import Answer, Ask, Refusal, Refused
from troth.flow.gate.world import Memory, World, learn
from troth.flow.submission import confirming
from troth.flow.submission.pathways import CONFIRMED, Pathway
from troth.store import gate
from troth.store import people as store
from troth.store.connection import Connection
from troth.store.people import ToAsk

log = structlog.get_logger("troth.recipients")
Within = Callable[[Connection, Sequence[Ask]], Awaitable[list[Answer]]]
EACH = 50  # of a client in one round
_PENDING = 1
_ADDRESS = ("address-invalid", "smtputf8-unsupported", "recipient-erased")  # asking again would change nothing
_TODAY = "recipient-limit-reached"  # this one address had enough today, from whomever
_DAY, _LATER = timedelta(days=1), timedelta(minutes=10)


class _No(Exception):  # noqa: N818 - it undoes a transaction, and is no error
    """The gate refused: nothing of this one is kept."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class _Round:
    connection: Connection
    means: confirming.Means
    within: Within
    world: World


async def ask(connection: Connection, means: confirming.Means, within: Within, memory: Memory) -> int:
    """One round, on a connection of its own; how many were asked."""
    now = await gate.now(connection)
    due = await store.to_ask(connection, now, EACH)
    if not due:
        return 0
    tenants = {row.tenant_id: row for row in await gate.tenants(connection, sorted({one.tenant_id for one in due}))}
    world = await learn(connection, memory, gate.Wanted(now, [], [], list(tenants), [], []))
    this, asked = _Round(connection, means, within, world), 0
    for tenant, theirs in groupby(due, lambda one: one.tenant_id):
        people = list(theirs)
        if (found := _firm(world, tenants[tenant], people[0])) is not None:
            asked += await _ask_some(this, *found, people)
    return asked


def _firm(world: World, tenant: gate.TenantRow, one: ToAsk) -> tuple[confirming.Firm, Pathway] | None:
    """None: the client is paused, or its policy accepts no pathway on which they could confirm; they wait."""
    resolved = world.policy(tenant, None, None)
    if resolved is None or world.paused(one.tenant_id, None) is not None:
        return None
    recipients = resolved.policy.recipients
    name = next((each for each in CONFIRMED if each in recipients.pathways), None)
    if name is None:
        return None
    firm = confirming.Firm(one.tenant_id, one.tenant_name, one.keyset, one.timezone, one.tenant_id, resolved.policy)
    return firm, Pathway(name, recipients.verified_days)


async def _ask_some(this: _Round, firm: confirming.Firm, pathway: Pathway, people: Sequence[ToAsk]) -> int:
    """Until the gate refuses what is not about one address alone: then the others would be refused, too."""
    asked, by = 0, await confirming.sender(this.connection, firm.id, {})
    for one in people:
        try:
            async with this.connection.transaction():
                asked += await _ask_one(this, firm, by, pathway, one)
        except _No as no:
            code, now = no.refusal.code, this.world.now
            later = None if code in _ADDRESS else now + (_DAY if code == _TODAY else _LATER)
            await store.ask_leave(this.connection, one.id, later)
            log.info("recipient.unasked", recipient=str(one.id), why=code)
            if code != _TODAY and code not in _ADDRESS:
                break
    return asked


async def _ask_one(this: _Round, firm: confirming.Firm, by: confirming.Sender, pathway: Pathway, one: ToAsk) -> bool:
    if not await store.ask_take(this.connection, one.id):
        return False
    address = confirming.address_of(this.means, one)
    if address is None:
        raise _No(Refusal("address-invalid", "The address does not open."))
    person = store.Person(one.id, one.data_key, _PENDING)
    letter = confirming.Letter(person, address, one.blind_index, pathway, "troth", this.world.now)
    prepared = await confirming.prepare(this.connection, this.means, firm, letter, by)
    (answer,) = await this.within(this.connection, [prepared.ask])
    if isinstance(answer, Refused):
        raise _No(answer.refusal)
    if not answer.replayed:
        await store.add_confirmation(this.connection, prepared.row)
    return True
