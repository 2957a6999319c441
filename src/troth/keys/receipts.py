"""The keyring's part in receipts: what a message's rows hold sealed under its recipient's own key, opened.

An erased person's key is gone, and with it all of that. A ciphertext that does not open in its place raises
`Undecryptable`, as anywhere: somebody put it there.
"""

from collections.abc import Sequence
from uuid import UUID

from troth.keys import places
from troth.keys.keyring import TenantKeys
from troth.mail.address import parse_address
from troth.rules.receipts import EventRow, MessageRow, Opened


def open_messages(keys: TenantKeys, messages: Sequence[MessageRow], events: Sequence[EventRow]) -> dict[UUID, Opened]:
    """Each message with what opens of it; nothing of an erased person's."""
    return {row.message_id: _open(keys, row, events) for row in messages}


def _open(keys: TenantKeys, row: MessageRow, events: Sequence[EventRow]) -> Opened:
    if row.erased or row.data_key is None:
        return Opened(None, None, {})
    key = keys.person(bytes(row.data_key), row.person_id)
    address = key.open(bytes(row.address_ct or b""), places.address(row.person_id)).decode()
    details = {
        (event.kind, event.source_key): key.open(
            bytes(event.detail_ct), places.event(event.message_id, event.source_key)
        )
        for event in events
        if event.message_id == row.message_id and event.detail_ct is not None
    }
    decision = key.open(bytes(row.decision_ct), places.decision(row.message_id))
    # as the blind index reads it: a message may be addressed in other letters than the recipient was registered in
    return Opened(parse_address(address).normal, decision, details)
