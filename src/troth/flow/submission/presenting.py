"""Submission, reading back: an email's rows opened and laid out in the shape of Resend's API, with our own part beside.

What an erased person's key sealed is null: it cannot be opened by anybody. A template is rendered again only after a
worker has rendered it and lived; until then the email shows which version it is, and its variables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from troth.flow.submission.shelf import Shelved
from troth.keys import ids, places
from troth.keys.keyring import Keyring, PersonKey
from troth.mail.letter import HeaderMailbox, Letter, decode
from troth.mail.mailbox import parse_mailbox
from troth.mail.render import Rendered, RenderError, RenderLimits
from troth.rules.states import Kind, State, resend_event, worst
from troth.store.reading import EmailRow, EventOf

EMAIL, MESSAGE = "em", "msg"
TO, CC, BCC = 1, 2, 3
_RENDERED = frozenset({State.SENT, State.DELIVERED, State.DEFERRED, State.BOUNCED})


@dataclass(frozen=True, slots=True)
class Opened:
    """One email of one tenant with what could be opened of it. `letters` by message; `keys` by person."""

    rows: Sequence[EmailRow]
    events: Mapping[UUID, Sequence[EventOf]]
    keys: Mapping[UUID, PersonKey]
    letters: Mapping[UUID, Letter]
    template: Shelved | None
    cell: str
    now: datetime

    @property
    def letter(self) -> Letter | None:
        """Any letter of the email: they differ only in their recipient."""
        return next(iter(self.letters.values()), None)

    @property
    def content(self) -> Rendered | Letter | None:
        """Subject and bodies, None where they are not to be had."""
        letter = self.letter
        if letter is None or self.template is None:
            return letter
        if not any(row.state in _RENDERED for row in self.rows):
            return None
        try:
            return self.template.compiled.render(dict(letter.variables or {}), RenderLimits())
        except RenderError:
            return None


def open_email(
    keyring: Keyring,
    tenant: UUID,
    rows: Sequence[EmailRow],
    events: Sequence[EventOf],
    template: Shelved | None,
    *,
    cell: str,
    now: datetime,
) -> Opened:
    """Open all that can be opened; `events` may be those of other emails, too."""
    keys = {row.person_id: key for row in rows if (key := _key(keyring, tenant, row)) is not None}
    letters = {r.message_id: found for r in rows if (found := _letter(r, keys.get(r.person_id))) is not None}
    told = {row.message_id: [e for e in events if e.message_id == row.message_id] for row in rows}
    return Opened(rows, told, keys, letters, template, cell, now)


def _key(keyring: Keyring, tenant: UUID, row: EmailRow) -> PersonKey | None:
    if row.data_key is None:
        return None
    return keyring.tenant(tenant, row.keyset).person(row.data_key, row.person_id)


def _letter(row: EmailRow, key: PersonKey | None) -> Letter | None:
    if key is None:
        return None
    return decode(key.open(row.body_ct, places.body(row.message_id)))


def listed(email: Opened) -> dict[str, Any]:
    """An email as lists show it."""
    letter, first, content = email.letter, email.rows[0], email.content
    return {
        "id": ids.wire(EMAIL, email.cell, first.id),
        "to": _mailboxes(email, letter.to if letter else None, TO),
        "from": letter.sender if letter else None,
        "created_at": moment(first.created_at),
        "subject": content.subject if content else None,
        "bcc": _blind(email),
        "cc": _mailboxes(email, letter.cc if letter else None, CC),
        "reply_to": list(letter.reply_to) if letter else None,
        "last_event": _last_event(email),
        "scheduled_at": moment(first.scheduled_at),
    }


def whole(email: Opened) -> dict[str, Any]:
    """An email with its content, and each message with its own story."""
    letter, content = email.letter, email.content
    return {
        "object": "email",
        **listed(email),
        "html": content.html if content else None,
        "text": content.text if content else None,
        "template": _template(email),
        "tags": [{"name": name, "value": value} for name, value in letter.tags.items()] if letter else [],
        "troth": {"messages": [_message(email, row) for row in email.rows]},
    }


def _template(email: Opened) -> dict[str, Any] | None:
    if email.template is None:
        return None
    variables = email.letter.variables if email.letter else None
    return {"id": email.template.code, "version": email.template.version, "variables": variables}


def _mailboxes(email: Opened, sealed: Sequence[HeaderMailbox] | None, field: int) -> list[str | None]:
    if sealed is None:  # everybody was erased: how many they were is all that is left
        return [None for row in email.rows if row.field == field]
    return [_mailbox(email, one) for one in sealed]


def _mailbox(email: Opened, one: HeaderMailbox) -> str | None:
    key = email.keys.get(one.person)
    return key.open(one.sealed, places.mailbox(email.rows[0].id)).decode() if key else None


def _blind(email: Opened) -> list[str | None]:
    blind = [row for row in email.rows if row.field == BCC]
    return [found.forward_path if (found := email.letters.get(row.message_id)) else None for row in blind]


def _last_event(email: Opened) -> str:
    first = email.rows[0]
    scheduled = first.scheduled_at is not None and first.scheduled_at > email.now
    complained = any(e.kind == Kind.COMPLAINED for events in email.events.values() for e in events)
    return resend_event(worst(State(r.state) for r in email.rows), scheduled=scheduled, complained=complained)


def _message(email: Opened, row: EmailRow) -> dict[str, Any]:
    letter = email.letters.get(row.message_id)
    return {
        "id": ids.wire(MESSAGE, email.cell, row.message_id),
        "message_id": _message_id(row, letter) if letter else None,
        "recipient": letter.forward_path if letter else None,
        "state": State(row.state).name.lower(),
        "events": [_event(email, row, event) for event in email.events[row.message_id]],
    }


def _message_id(row: EmailRow, letter: Letter) -> str:
    """As flow/delivery/compose.py makes it."""
    return f"<{row.message_id.hex}@{parse_mailbox(letter.sender).address.domain}>"


def _event(email: Opened, row: EmailRow, event: EventOf) -> dict[str, Any]:
    told: dict[str, Any] = {"type": Kind(event.kind).name.lower(), "at": moment(event.at)}
    key = email.keys.get(row.person_id)
    if key is None or event.detail_ct is None:
        return told
    sealed = key.open(event.detail_ct, places.event(event.message_id, event.source_key))
    detail = msgspec.json.decode(sealed)["detail"]
    return {**told, "detail": detail} if detail else told


def moment(at: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
