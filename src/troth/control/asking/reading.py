"""Asking, read for staff: what was confirmed and waits, and one of them with what is sealed in it; each reading of one
is an entry of the ledger.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404

from troth.control.abuse.filing import now
from troth.control.asking import agreement, words
from troth.control.audit.asking import row, rows
from troth.control.audit.refusals import Refused, refusals
from troth.control.people.actor import Actor
from troth.keys import places
from troth.keys.errors import Undecryptable

PAGE = 50
STATES = {"waiting": "Waiting", "done": "Done", "all": "All"}
UNREADABLE = "cannot be opened: what lies there is not what was kept"
_LIST = """
SELECT id, kind, reference, programme, confirmed_at, due_at, decided_at, outcome, shredded
FROM troth.asked_list_v1(%s, %s, %s, %s)
"""
_ONE = """
SELECT id, kind, reference, programme_id, programme, code, confirmed_at, due_at, decided_at, outcome, wants, agreement,
       pieces, until, shredded_at, address_ct, words_ct, answer_ct, mailed, published_at, withdrawn_at, taken
FROM troth.asked_read_v1(%s, %s)
"""
_PIECES = "SELECT piece, kind, title, filename, granted FROM troth.asked_pieces_v1(%s)"


@dataclass(frozen=True, slots=True)
class Line:
    """One of the list; nothing of what was typed."""

    id: UUID
    kind: str
    reference: str
    programme: str
    confirmed_at: datetime
    due_at: datetime
    decided_at: datetime | None
    outcome: str | None
    shredded: bool
    now: datetime

    @property
    def what(self) -> str:
        return words.KINDS[self.kind]

    @property
    def look(self) -> tuple[str, str]:
        return look(self.outcome, self.due_at, self.now)


@dataclass(frozen=True, slots=True)
class Asked:
    """One, opened. `mailed`: "", queued, mailed, or why its answer was not sent. `taken`: how often a document was."""

    id: UUID
    kind: str
    reference: str
    programme_id: UUID
    programme: str
    code: str
    confirmed_at: datetime
    due_at: datetime
    decided_at: datetime | None
    outcome: str | None
    wants: tuple[str, ...]
    agreement: int
    pieces: tuple[UUID, ...]
    until: datetime | None
    shredded_at: datetime | None
    mailed: str
    published_at: datetime | None
    withdrawn_at: datetime | None
    taken: int
    now: datetime
    address: str = field(repr=False)
    name: str = field(repr=False)
    firm: str = field(repr=False)
    words: str = field(repr=False)
    answer: str = field(repr=False)

    @property
    def what(self) -> str:
        return words.KINDS[self.kind]

    @property
    def look(self) -> tuple[str, str]:
        return look(self.outcome, self.due_at, self.now)

    @property
    def documents(self) -> list[tuple[str, str]]:
        return words.kinds(self.wants)

    @property
    def published(self) -> bool:
        return self.published_at is not None and self.withdrawn_at is None


def look(outcome: str | None, due_at: datetime, at: datetime) -> tuple[str, str]:
    if outcome is not None:
        return words.OUTCOMES[outcome]
    return words.LATE if due_at < at else words.WAITING


def listed(actor: Actor, state: str, before: UUID | None) -> list[Line]:
    """One more than a page, which says that there are more."""
    at = now()
    return [Line(*(*found, at)) for found in rows(_LIST, actor.secret, state, before, PAGE + 1)]


def access_asked(actor: Actor, asked: UUID) -> Asked:
    """Http404 for one that is not there, or not for this person; else it was read, and the ledger says so."""
    try:
        with refusals():
            found = row(_ONE, actor.secret, asked)
    except Refused:
        raise Http404 from None
    if found is None:
        raise Http404
    return _opened(found)


def pieces(asked: UUID) -> list[tuple[str, str]]:
    """The documents that may be granted, to choose from."""
    return [
        (str(piece), f"{title} ({words.kinds([kind])[0][1]}, {name})")
        for piece, kind, title, name, _ in rows(_PIECES, asked)
    ]


def _opened(found: tuple[Any, ...]) -> Asked:
    (id_, kind, reference, programme, name, code, confirmed, due, decided, outcome, wants, agreed, granted, until,
     shredded, address, typed, answer, mailed, published, withdrawn, taken) = found  # fmt: skip
    text = _text(typed, id_, "words")
    said = json.loads(text) if text and text != UNREADABLE else {"words": text}
    return Asked(
        id_, kind, reference, programme, name, code, confirmed, due, decided, outcome, tuple(wants),
        agreement.version_of(bytes(agreed or b"")), tuple(granted or ()), until, shredded, mailed or "", published,
        withdrawn, taken, now(), _text(address, id_, "address"), said.get("name", ""), said.get("firm", ""),
        said["words"], _text(answer, id_, "answer"),
    )  # fmt: skip


def _text(sealed: Any, asked: UUID, what: str) -> str:
    if sealed is None:
        return ""
    try:
        found: bytes = settings.TROTH_KEYS().operator.open(bytes(sealed), places.asked(asked, what))
    except Undecryptable:
        return UNREADABLE
    return found.decode()
