"""Feedback: everything that is held about a recipient, as a document for that recipient (GDPR Articles 15 and 20).

What this client firm's mail left here, opened with the recipient's own key. Of a suppression that somebody else's mail
brought, its reason and time; whose mail it was is theirs.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from troth.flow.feedback.own_view import View
from troth.keys import consents as words
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.keyring import PersonKey
from troth.mail.letter import decode
from troth.rules.states import Kind, State
from troth.store import own
from troth.store.connection import Connection

STATUS = {1: "pending", 2: "verified", 4: "erased"}
REASONS = {1: "hard bounce", 2: "complaint", 3: "opt-out", 4: "complaint", 5: "administrative", 6: "soft bounces"}
KINDS = {1: "express", 2: "implied", 3: "withdrawn"}
_PAGE, _MOST = 500, 20_000
_LAST = UUID(int=2**128 - 1)


async def of_one(connection: Connection, view: View) -> dict[str, Any]:
    """What concerns the message whose link was followed, which is all that its holder is shown without a code."""
    row = view.row
    names = {each.id: each.name for each in view.categories}
    page = await own.messages(connection, row.tenant_id, row.blind_index, row.person_id, UUID(int=row.id.int + 1), 1)
    happened = await own.events(connection, [row.id])
    return {
        **_head(view),
        "messages": [_message(each, happened, view.key, names) for each in page if each.id == row.id],
        "messages_complete": False,
        "rest": "All that is held is given for a code, which is mailed to the address: see the page of this message.",
    }


def _head(view: View) -> dict[str, Any]:
    return {
        "taken_at": _time(view.now),
        "held_for": {"name": view.row.client, "postal_address": view.row.postal_address},
        "address": view.address,
        "status": STATUS[view.row.status],
    }


async def document(connection: Connection, view: View) -> dict[str, Any]:
    """All of it, JSON-able; times in ISO 8601, UTC."""
    row = view.row
    names = {each.id: each.name for each in view.categories}
    lists = await own.suppressions(connection, row.tenant_id, row.blind_index)
    switches = await own.opt_outs(connection, row.tenant_id, row.blind_index)
    messages, whole = await _messages(connection, view, names)
    return {
        **_head(view),
        "registered_at": _time(row.registered_at),
        "verified": {"pathway": row.pathway, "at": _time(row.verified_at), "until": _time(row.expires_at)},
        "consents": [_consent(each, view.key, names) for each in view.consents],
        "switches": [
            {"category": names.get(each.category_id, "a retired category"), "at": _time(each.created_at),
             "to": "on" if each.back else "off", "by": each.source} for each in switches
        ],
        "suppressions": [
            {"reason": REASONS[each.reason], "at": _time(each.created_at), "by": each.source or None} for each in lists
        ],
        "messages": messages,
        "messages_complete": whole,
    }  # fmt: skip


async def _messages(connection: Connection, view: View, names: dict[UUID, str]) -> tuple[list[dict[str, Any]], bool]:
    """The newest first, all that are kept; whether there is not one more."""
    found: list[dict[str, Any]] = []
    before, row = _LAST, view.row
    while len(found) < _MOST:
        page = await own.messages(connection, row.tenant_id, row.blind_index, row.person_id, before, _PAGE)
        happened = await own.events(connection, [each.id for each in page])
        found += [_message(each, happened, view.key, names) for each in page]
        if len(page) < _PAGE:
            return found, True
        before = page[-1].id
    return found, False


def _message(
    row: own.MessageRow, events: list[own.EventRow], key: PersonKey | None, names: dict[UUID, str]
) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "accepted_at": _time(row.created_at),
        "state": State(row.state).name.lower(),
        "category": names.get(row.category_id, "a retired category"),
        "events": [
            {"kind": Kind(e.kind).name.lower(), "at": _time(e.at)} for e in events if e.message_id == row.id
        ],
        "content": _content(row, key),
    }  # fmt: skip


def _content(row: own.MessageRow, key: PersonKey | None) -> dict[str, Any] | None:
    """What filled it; None once it is kept no more, or was erased."""
    if key is None or row.body_ct is None:
        return None
    try:
        letter = decode(key.open(row.body_ct, places.body(row.id)))
    except (Undecryptable, msgspec.DecodeError):
        return None
    given = {
        "from": letter.sender, "to": letter.forward_path, "subject": letter.subject, "html": letter.html,
        "text": letter.text, "variables": letter.variables, "tags": letter.tags,
        "attachments": [
            {"filename": f.filename, "type": f.content_type, "bytes": len(f.content)} for f in letter.attachments
        ],
    }  # fmt: skip
    return {name: value for name, value in given.items() if value}


def _consent(row: own.ConsentRow, key: PersonKey | None, names: dict[UUID, str]) -> dict[str, Any]:
    told = {
        "kind": KINDS[row.kind],
        "category": "all" if row.category_id is None else names.get(row.category_id, "a retired category"),
        "basis": row.basis,
        "at": _time(row.at),
        "until": _time(row.expires_at),
    }
    if key is None or row.detail_ct is None:
        return told
    try:
        return {**told, "detail": words.opened(key, row.id, row.detail_ct)}
    except (Undecryptable, msgspec.DecodeError):
        return told


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
