"""Webhooks, an endpoint's disabling: the client's administrators are told by mail, through the gate like all mail, from
the programme's system tenant. Where that cannot be, the log, the counter and `troth webhook list` say so and why.
"""

import hmac
import secrets
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from troth.flow.gate.accept import StoreAway
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Refused
from troth.flow.webhooks.counters import Counters
from troth.flow.webhooks.deps import Deps
from troth.keys import ids, places
from troth.keys.errors import KeyringError
from troth.keys.hook_ids import ENDPOINT
from troth.keys.installation import Purpose
from troth.mail.address import AddressError, parse_address
from troth.store import callers, gate, people
from troth.store import hooks as store
from troth.store.connection import Connection
from troth.store.hooks import NOTICE_SENT, NOTICE_UNSENT, Admin, Notice

log = structlog.get_logger("troth.webhooks")
CATEGORY, TEMPLATE = "security-notice", "webhook-disabled"
_REASONS = {
    "failing": "nothing that was sent to it succeeded for five days",
    "gone": "it answered 410 Gone, which asks for an end",
}


async def tell_all(connection: Connection, deps: Deps, counters: Counters, now: datetime) -> None:
    """Every endpoint whose administrators are still to be told; none that a person disabled."""
    for notice in await store.notices(connection, now):
        try:
            troubles, told = await _tell(connection, deps, notice, now)
        except (StoreAway, KeyringError):
            continue  # it stays due
        if told:
            await store.noticed(connection, notice.id, NOTICE_SENT, "; ".join(troubles) or None, now)
            counters.notices_sent += told
        else:
            why = "; ".join(troubles)[:500]
            await store.noticed(connection, notice.id, NOTICE_UNSENT, why, now)
            counters.notices_unsent += 1
            log.warning("webhook.notice-unsent", endpoint=str(notice.id), why=why)


async def _tell(connection: Connection, deps: Deps, notice: Notice, now: datetime) -> tuple[list[str], int]:
    """What kept it from whom, and how many were told."""
    admins = await store.admins(connection, notice.tenant_id)
    system = await callers.system_tenant(connection, notice.tenant_id)
    if not admins:
        return ["The client has no administrator."], 0
    if system is None:
        return ["The programme has no system tenant to write from."], 0
    troubles, told = [], 0
    for admin in admins:
        trouble = await _write(connection, deps, notice, admin, system, now)
        told += trouble is None
        troubles += [trouble] if trouble and trouble not in troubles else []
    return troubles, told


async def _write(
    connection: Connection, deps: Deps, notice: Notice, admin: Admin, system: UUID, now: datetime
) -> str | None:
    """One administrator's mail; why it could not be accepted, or None."""
    try:
        text = deps.operator.open(admin.address_ct, places.account(admin.account_id, "address")).decode()
        address = parse_address(text)
    except AddressError:
        return "An administrator's address cannot be written to."
    index = deps.secrets.blind_index().index(address.normal)
    await _ensure(connection, deps, system, address.addr_spec, index, now)
    email = EmailAsked(
        (address.addr_spec,), tags={"category": CATEGORY}, template=TEMPLATE, variables=_variables(deps, notice)
    )
    answer = await deps.gate.submit(
        Ask(Caller(system_tenant=system), (email,), "POST", "/webhooks", idempotency=_once(deps, notice, admin))
    )
    if isinstance(answer, Refused):
        return (
            f"The system tenant's category {CATEGORY!r} with the template {TEMPLATE!r} did not take it "
            f"({answer.refusal.code}): {answer.refusal.sentence}"
        )
    return None


def _variables(deps: Deps, notice: Notice) -> dict[str, str]:
    keys = deps.keyring.tenant(notice.tenant_id, notice.keyset)
    url = urlsplit(keys.open(notice.url_ct, places.webhook_url(notice.id)).decode())
    return {
        "client": notice.tenant_name[:120],
        "endpoint": ids.wire(ENDPOINT, deps.cell, notice.id),
        "host": (url.hostname or "")[:253],
        "reason": _REASONS[notice.disabled_why],
        "disabled": _told(notice.disabled_at, notice.timezone),
        "succeeded": _told(notice.last_success_at, notice.timezone) if notice.last_success_at else "never",
    }


async def _ensure(
    connection: Connection, deps: Deps, system: UUID, addr_spec: str, index: bytes, now: datetime
) -> None:
    """The administrator is a recipient of the system tenant, as everybody is to whom Troth itself writes."""
    if await people.find(connection, system, index) is not None:
        return
    row = (await gate.tenants(connection, [system]))[0]
    person = ids.uuid7(now)
    key, wrapped = deps.keyring.tenant(system, row.keyset).new_person_key(person)
    sealed = key.seal(addr_spec.encode(), places.address(person))
    await people.add(connection, people.NewPerson(person, system, index, sealed, wrapped, secrets.token_bytes(32), now))


def _once(deps: Deps, notice: Notice, admin: Admin) -> tuple[bytes, bytes]:
    """The gate's own idempotency keeps it to one mail a person and disabling."""
    secret = deps.secrets.token_keys(Purpose.FINGERPRINT)[0]
    what = b"webhook-disabled\0" + notice.id.bytes + notice.disabled_at.isoformat().encode() + admin.account_id.bytes
    return hmac.digest(secret, what, "sha256"), hmac.digest(secret, b"fingerprint\0" + what, "sha256")


def _told(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%d %B %Y, %H:%M} ({zone})".lstrip("0")
