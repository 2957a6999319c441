"""Submission, registering: the mail that asks the recipient, through the gate like all mail, from the programme's
system tenant.

The link's secret and the code are in that one mail only: the store keeps their SHA-256. Each counts against the limits
of the client that asks, and an address gets few of them, whoever asks.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from troth.flow.gate.asks import Ask, Behalf, Caller, EmailAsked
from troth.flow.submission import people
from troth.flow.submission.pathways import PURPOSES, Pathway
from troth.keys import ids, places
from troth.keys.errors import Undecryptable
from troth.keys.installation import InstallationSecrets, Purpose
from troth.keys.keyring import Keyring
from troth.mail.address import Address, AddressError, parse_address
from troth.rules.policy import Policy
from troth.store import gate
from troth.store import people as store
from troth.store.connection import Connection

log = structlog.get_logger("troth.recipients")
TEMPLATE, CATEGORY = "confirm-address", "confirmation"
LINK_LIVES = timedelta(hours=72)
ONE_MAIL = timedelta(minutes=10)  # asked again within it, no second mail goes out
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Means:
    """What confirming needs of its process. public_url: begins the link, without a slash at its end."""

    keyring: Keyring
    secrets: InstallationSecrets
    public_url: str


@dataclass(frozen=True, slots=True)
class Firm:
    """Whose recipient it is, and by whose limits the mail is counted. `keyset` is wrapped; asker: its key, or itself;
    slow: an anomaly slows it.
    """

    id: UUID
    name: str
    keyset: bytes
    timezone: str
    asker: UUID
    policy: Policy
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends the mail: the system tenant of the client's programme; house: as in Behalf."""

    tenant: gate.TenantRow
    house: UUID


@dataclass(frozen=True, slots=True)
class Letter:
    """Whom to ask, and for what."""

    person: store.Person
    address: Address
    index: bytes
    pathway: Pathway
    asked_by: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Prepared:
    """The mail that holds the secret and the code, for the gate; and the hashes, to be kept when it is taken."""

    ask: Ask
    row: store.NewConfirmation


async def sender(connection: Connection, client: UUID, known: dict[UUID, Sender]) -> Sender:
    """Looked up once for all of a client's letters; `known` keeps them for a request, or a round."""
    if client not in known:
        tenants = await store.system_tenants(connection, client)
        if tenants is None:
            raise RuntimeError("the programme has no system tenant")
        known[client] = Sender((await gate.tenants(connection, [tenants[0]]))[0], tenants[1])
    return known[client]


def address_of(means: Means, one: store.ToAsk | store.ToRenew) -> Address | None:
    """Whom to write to; None, and told in the log, for what does not open or is no address."""
    try:
        key = means.keyring.tenant(one.tenant_id, one.keyset).person(one.data_key or b"", one.id)
        return parse_address(key.open(one.address_ct or b"", places.address(one.id)).decode())
    except (Undecryptable, AddressError):
        log.warning("recipient.unreadable", recipient=str(one.id))
        return None


async def prepare(connection: Connection, means: Means, firm: Firm, letter: Letter, by: Sender) -> Prepared:
    """Nothing is kept yet but the recipient, as the system tenant knows them."""
    system, keyset = by.tenant.tenant_id, by.tenant.keyset
    copy = await people.ensure(connection, means.keyring, system, keyset, letter.address, letter.index, letter.now)
    secret, code = secrets.token_bytes(32), f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    ends = letter.now + LINK_LIVES
    variables = _variables(means, firm, letter.pathway, secret, code, ends)
    mail = ids.uuid7(letter.now)
    email = EmailAsked(
        (letter.address.addr_spec,), tags={"category": CATEGORY}, template=TEMPLATE, variables=variables, id=mail
    )
    ask = Ask(
        Caller(system_tenant=system), (email,), "POST", "/recipients",
        idempotency=_once(means, firm, letter, copy.person.id), kept=ONE_MAIL,
        behalf=Behalf(firm.id, firm.timezone, firm.asker, firm.policy, firm.slow, by.house),
    )  # fmt: skip
    return Prepared(ask, _row(means, firm, letter, secret, code, mail))


def _row(means: Means, firm: Firm, letter: Letter, secret: bytes, code: str, mail: UUID) -> store.NewConfirmation:
    pathway, person = letter.pathway, letter.person
    basis = None
    if pathway.basis is not None and person.data_key is not None:
        key = means.keyring.tenant(firm.id, firm.keyset).person(person.data_key, person.id)
        basis = key.seal(pathway.basis, places.basis(person.id))
    return store.NewConfirmation(
        hash=sha256(secret).digest(), tenant=firm.id, person=person.id, pathway=pathway.name,
        code_hash=sha256(secret + code.encode()).digest(), valid_days=pathway.valid_days, agreement=pathway.agreement,
        basis_ct=basis, asked_by=letter.asked_by, email=mail, now=letter.now,
        ends=letter.now + LINK_LIVES,
    )  # fmt: skip


def _variables(means: Means, firm: Firm, pathway: Pathway, secret: bytes, code: str, ends: datetime) -> dict[str, str]:
    return {
        "link": f"{means.public_url}/confirm/{base64.urlsafe_b64encode(secret).rstrip(b'=').decode()}",
        "code": code,
        "client": firm.name[:120],
        "purpose": pathway.purpose or PURPOSES[pathway.name],
        "expires": f"{ends.astimezone(ZoneInfo(firm.timezone)):%d %B %Y, %H:%M} ({firm.timezone})".lstrip("0"),
    }


def _once(means: Means, firm: Firm, letter: Letter, copy: UUID) -> tuple[bytes, bytes]:
    """The gate's own idempotency keeps a client to one mail for one address at a time, whatever else the request says:
    the key of a request is no way around it. Where Troth's own copy of the person was erased since, it is another.
    """
    secret = means.secrets.token_keys(Purpose.FINGERPRINT)[0]
    what = b"confirmation\0" + firm.id.bytes + letter.index + copy.bytes
    return hmac.digest(secret, what, "sha256"), hmac.digest(secret, b"confirmation", "sha256")
