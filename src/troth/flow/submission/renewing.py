"""Submission, beside the doors: whose verification ends soon is asked again, once, before mail to them is refused.

On the pathway on which they came, as far as the client's policy still accepts it; through the gate like all mail.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog

from troth.flow.gate.asks import Answer, Ask, Refused
from troth.flow.gate.world import Memory, World, learn
from troth.flow.submission import confirming
from troth.flow.submission.pathways import PURPOSES, Pathway
from troth.rules.rates import slowed
from troth.store import gate
from troth.store import people as store
from troth.store.connection import Connection
from troth.store.people import ToRenew

log = structlog.get_logger("troth.recipients")
AHEAD = timedelta(days=14)  # before the end; within it nobody is asked twice
_MOST = 50  # in one round
_PURPOSE = "and you confirmed it; that confirmation ends soon, so we ask again"


async def renew(
    connection: Connection, means: confirming.Means, submit: Callable[[Ask], Awaitable[Answer]], memory: Memory
) -> int:
    """Ask whoever is due; how many were."""
    now = await gate.now(connection)
    due = await store.to_renew(connection, now, now + AHEAD, now - AHEAD, _MOST)
    if not due:
        return 0
    tenants = {row.tenant_id: row for row in await gate.tenants(connection, sorted({one.tenant_id for one in due}))}
    world = await learn(connection, memory, gate.Wanted(now, [], [], list(tenants), [], []))
    asked, senders = 0, dict[UUID, confirming.Sender]()
    for one in due:
        found = _letter(means, world, tenants[one.tenant_id], one)
        if found is not None:
            by = await confirming.sender(connection, one.tenant_id, senders)
            asked += await _ask(connection, means, submit, *found, by, one)
    return asked


async def _ask(
    connection: Connection,
    means: confirming.Means,
    submit: Callable[[Ask], Awaitable[Answer]],
    firm: confirming.Firm,
    letter: confirming.Letter,
    by: confirming.Sender,
    one: ToRenew,
) -> bool:
    """What is refused is not asked again at once: the duty would come to nobody else."""
    prepared = await confirming.prepare(connection, means, firm, letter, by)
    await store.add_confirmation(connection, prepared.row)
    answer = await submit(prepared.ask)
    if isinstance(answer, Refused):
        log.warning("recipient.renewal-unsent", recipient=str(one.id), why=answer.refusal.code)
        return False
    return True


def _letter(
    means: confirming.Means, world: World, tenant: gate.TenantRow, one: ToRenew
) -> tuple[confirming.Firm, confirming.Letter] | None:
    """Who asks, and what. None: the client is stopped, its policy does not take the pathway any more, or the address
    does not open.
    """
    resolved, paused = world.policy(tenant, None, None), world.paused(one.tenant_id, None)
    if resolved is None or paused == "operator" or one.pathway not in PURPOSES:
        return None
    recipients = resolved.policy.recipients
    address = confirming.address_of(means, one)
    if one.pathway not in recipients.pathways or address is None:
        return None
    agreement = one.agreement if one.pathway == "vendor-agreement" else None
    pathway = Pathway(one.pathway, recipients.verified_days, agreement, purpose=_PURPOSE)
    person = store.Person(one.id, one.data_key, 2)
    slow = slowed(paused, resolved.policy)
    firm = confirming.Firm(
        one.tenant_id, one.tenant_name, one.keyset, one.timezone, one.tenant_id, resolved.policy, slow
    )
    return firm, confirming.Letter(person, address, one.blind_index, pathway, "troth", world.now)
