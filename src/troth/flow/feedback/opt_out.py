"""Feedback: carrying out an opt-out. What it covers is policy; it is one transaction with its event.

The link's token (mail.tokens, Purpose.UNSUBSCRIBE; made by flow/delivery/compose.py) holds the message's id alone.
"""

from dataclasses import dataclass
from uuid import UUID

from troth.flow import events
from troth.flow.feedback.deps import Deps
from troth.flow.gate.recall import opener
from troth.flow.gate.world import Version, World, learn
from troth.keys.installation import Purpose
from troth.mail.tokens import read_token
from troth.rules.states import Kind
from troth.store import events as store
from troth.store import gate
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
    rows = await store.lock_messages(connection, [UUID(bytes=payload)])
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


async def carry_out(deps: Deps, connection: Connection, letter: Letter) -> None:
    """Opt out, and tell it as an event of the message. A second time changes nothing."""
    message = letter.message
    async with connection.transaction():
        now = await gate.now(connection)
        suppress = None
        if letter.scope == "all":
            suppress = store.NewSuppression(message.blind_index, OPTED_OUT, SOURCE, message.tenant_id, None)
        else:
            await store.opt_out(
                connection, tenant=message.tenant_id, index=message.blind_index, category=message.category_id,
                source=SOURCE,
            )  # fmt: skip
        detail = {"scope": letter.scope}
        told = events.Report(message.id, Kind.UNSUBSCRIBED, SOURCE, detail, suppress)
        await events.report(connection, [told], now, opener(deps.keyring))
