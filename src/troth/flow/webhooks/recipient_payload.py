"""Webhooks, composing: an event about a recipient. The address is opened at send time, with that person's key; of
somebody erased meanwhile only the id and the times are told.
"""

from typing import Any

import msgspec

from troth.flow.webhooks.payload import moment
from troth.keys import ids, places
from troth.keys.keyring import Keyring
from troth.rules.hook_events import type_of
from troth.store.hooks import Claimed, EndpointDue, LoadedPerson

RECIPIENT = "rcp"


def address(keyring: Keyring, endpoint: EndpointDue, loaded: LoadedPerson | None) -> str | None:
    """Raise KmsUnavailable, or Undecryptable for changed bytes."""
    if loaded is None or loaded.data_key is None or loaded.address_ct is None:
        return None
    key = keyring.tenant(endpoint.tenant_id, endpoint.keyset).person(loaded.data_key, loaded.person_id)
    return key.open(loaded.address_ct, places.address(loaded.person_id)).decode()


def body(claim: Claimed, loaded: LoadedPerson | None, email: str | None, cell: str) -> bytes:
    """The payload; `loaded` None: the person is not there any more."""
    word = type_of(claim.kind) or ""
    data: dict[str, Any] = {
        "recipient_id": ids.wire(RECIPIENT, cell, claim.message_id),
        "status": word.rpartition(".")[2],
    }
    if email is not None:
        data["email"] = email
    if loaded is not None and loaded.pathway is not None:
        data["pathway"] = loaded.pathway
    if loaded is not None and loaded.expires_at is not None and word == "recipient.verified":
        data["expires_at"] = moment(loaded.expires_at)
    return msgspec.json.encode({"type": word, "created_at": moment(claim.at), "data": data})
