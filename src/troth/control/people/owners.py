"""Before anything is governed: a person enrolled with credentials of their own, and the first two, who begin it all."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection
from troth.control.people.credentials import Credential, Factors, factors, new_credential
from troth.keys import places
from troth.keys.blind_index import BlindIndex
from troth.keys.keyring import TenantKeys
from troth.ledger.canonical import canonical_document
from troth.mail.mailbox import Mailbox


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A person as the database will keep them: name and address sealed under the operator's keyset."""

    credential: Credential
    factors: Factors
    name_ct: bytes
    address_ct: bytes
    address_index: bytes


def enrol(
    who: Mailbox, passphrase: str, account: UUID, human: UUID, *, operator: TenantKeys, index: BlindIndex
) -> Enrolment:
    """New credentials for a person; raise BadCredential for a weak passphrase."""
    credential = new_credential(account, human)
    return Enrolment(
        credential,
        factors(credential, passphrase),
        operator.seal(who.name.encode(), places.account(account, "name")),
        operator.seal(who.address.addr_spec.encode(), places.account(account, "address")),
        index.index(who.address.normal),
    )


def access_artefact(
    who: Mailbox, role: str, account: UUID, human: UUID, *, operator: TenantKeys, index: BlindIndex
) -> dict[str, Any]:
    """What a `grant` proposes for a person without credentials for the command line: an invitation lets them in."""
    return {
        "human": str(human),
        "role": role,
        "name_ct": base64.b64encode(operator.seal(who.name.encode(), places.account(account, "name"))).decode(),
        "address_ct": base64.b64encode(
            operator.seal(who.address.addr_spec.encode(), places.account(account, "address"))
        ).decode(),
        "address_index": index.index(who.address.normal).hex(),
    }


def grant_artefact(enrolment: Enrolment, role: str) -> dict[str, Any]:
    """What a `grant` change proposes for a person; its subject is the account's id."""
    return {
        "human": str(enrolment.credential.human),
        "role": role,
        "name_ct": base64.b64encode(enrolment.name_ct).decode(),
        "address_ct": base64.b64encode(enrolment.address_ct).decode(),
        "address_index": enrolment.address_index.hex(),
        "device_hash": enrolment.factors.device_hash.hex(),
        "passphrase_salt": enrolment.factors.salt.hex(),
        "passphrase_hash": enrolment.factors.passphrase_hash.hex(),
    }


def genesis(connection: Connection, change: UUID, owners: Sequence[Enrolment], artefact: dict[str, Any]) -> bytes:
    """Enrol the two owners and propose the genesis entry in the first one's name; gives its digest.

    The second owner approves it; until then nothing can be approved. Raise Refused when it has been done.
    """
    columns = [
        [o.credential.human for o in owners],
        [o.credential.account for o in owners],
        [o.name_ct for o in owners],
        [o.address_ct for o in owners],
        [o.address_index for o in owners],
        [o.factors.device_hash for o in owners],
        [o.factors.salt for o in owners],
        [o.factors.passphrase_hash for o in owners],
    ]
    text = canonical_document(artefact).decode()
    query = "SELECT genesis_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
    with refusals():
        made = connection.execute(query, (change, *columns, text)).fetchone()
    if made is None:
        raise Refused("The database made no genesis entry.")
    return bytes(made[0])
