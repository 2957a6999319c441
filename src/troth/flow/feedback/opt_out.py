"""Feedback: carrying out an opt-out. What it covers is policy; it is one transaction with its event and its row in the
consent ledger.

The link's token (mail.tokens, Purpose.UNSUBSCRIBE; made by flow/delivery/compose.py) holds the message's id alone.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.flow import events
from troth.flow.feedback.deps import Deps
from troth.flow.gate.recall import opener
from troth.flow.gate.world import Version, World, learn
from troth.keys import consents as words
from troth.keys import ids
from troth.keys.consents import Said
from troth.keys.installation import Purpose
from troth.mail.tokens import read_token
from troth.rules.consent import WITHDRAWN
from troth.rules.states import Kind
from troth.store import consents, gate
from troth.store import events as store
from troth.store.connection import Connection

OPTED_OUT = 3  # suppression.reason
SOURCE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Letter:
    """The message whose link was followed, and what an opt-out from it covers: 'category' or 'all'."""

    message: store.MessageRow
    client: str
    category: str
    scope: str


async def find(deps: Deps, connection: Connection, token: str) -> Letter | None:
    """The message of a token; TokenError for one that is not to be obeyed, None when the message is gone."""
    now = await gate.now(connection)
    payload = read_token(deps.secrets.token_keys(Purpose.UNSUBSCRIBE), Purpose.UNSUBSCRIBE, token, now)
    return await letter(deps, connection, UUID(bytes=payload), now)


async def letter(deps: Deps, connection: Connection, message: UUID, now: datetime) -> Letter | None:
    """A message as its link means it."""
    rows = await store.lock_messages(connection, [message])
    if not rows:
        return None
    tenant = rows[0].tenant_id
    world = await learn(connection, deps.memory, gate.Wanted(now, [], [tenant], [tenant], [], []))
    return _letter(world, rows[0])


def _letter(world: World, message: store.MessageRow) -> Letter:
    tenant = world.system[message.tenant_id]
    code = next((g.code for g in world.governed.values() if g.subject == message.category_id), None)
    category = world.version(tenant.tenant_id, "category", code) if code else None
    return Letter(message, tenant.tenant_name, _name(category), _scope(world, tenant, category))


def _name(category: Version | None) -> str:
    return str(category.artefact["name"]) if category else "this kind of email"


def _scope(world: World, tenant: gate.TenantRow, category: Version | None) -> str:
    """Without a policy that can be read, the wider one: a wish to be left alone is never read too narrowly."""
    resolved = world.policy(tenant, category, None)
    return resolved.policy.recipients.unsubscribe_scope if resolved else "all"


async def carry_out(deps: Deps, connection: Connection, letter_: Letter, basis: str, said: Said) -> None:
    """Opt out, and tell it as an event of the message. A second time changes nothing.

    basis: which way it came ('one-click', 'mailto', 'own-page'); said: what is kept of it, sealed.
    """
    message = letter_.message
    async with connection.transaction():
        await store.lock_messages(connection, [message.id])  # before the person's wishes, as the own page takes them
        now = await gate.now(connection)
        suppress, category, off = None, None, False
        if letter_.scope == "all":
            suppress = store.NewSuppression(message.blind_index, OPTED_OUT, SOURCE, message.tenant_id, None)
        else:
            category = message.category_id
            off = await store.opt_out(
                connection, tenant=message.tenant_id, index=message.blind_index, category=category, source=SOURCE
            )
        told = events.Report(message.id, Kind.UNSUBSCRIBED, SOURCE, {"scope": letter_.scope}, suppress)
        new = await events.report(connection, [told], now, opener(deps.keyring))
        if new or off:
            await record(deps, connection, message, Entry(category, WITHDRAWN, basis, said), now)


@dataclass(frozen=True, slots=True)
class Entry:
    """What goes into the consent ledger. category: None for all of the client's."""

    category: UUID | None
    kind: int
    basis: str
    said: Said


async def record(deps: Deps, connection: Connection, message: store.MessageRow, entry: Entry, now: datetime) -> None:
    """A row of the consent ledger about this message's recipient; of an erased one, without its detail."""
    key = opener(deps.keyring)(message.tenant_id, message.keyset, message.data_key, message.person_id)
    made = ids.uuid7(now)
    sealed = None if key is None else words.seal(key, made, entry.said)
    row = consents.NewConsent(made, message.person_id, entry.category, entry.kind, entry.basis, None, None, sealed)
    await consents.record(connection, message.tenant_id, [row])
