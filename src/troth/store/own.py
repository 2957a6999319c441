"""What a recipient's own page reads and does, typed: all by the one message whose link was followed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.store.connection import Connection, rows, tuples
from troth.store.queries import load

_SQL = load("own")


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A message with its recipient and its category as approved then. `status`: 1 pending, 2 verified, 4 erased;
    `listed`: reasons for which the address is suppressed everywhere. `system`: it is Troth's own mail, and
    `withdrawn_at` when its recipient took the request in it back.
    """

    id: UUID
    tenant_id: UUID
    person_id: UUID
    blind_index: bytes
    category_id: UUID
    created_at: datetime
    state: int
    client: str
    postal_address: str
    keyset: bytes
    system: bool
    code: str
    artefact: str
    status: int
    pathway: str | None
    verified_at: datetime | None
    expires_at: datetime | None
    erased_at: datetime | None
    registered_at: datetime
    data_key: bytes | None
    address_ct: bytes | None
    listed: list[int]
    reported_at: datetime | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class CategoryRow:
    id: UUID
    code: str
    artefact: str
    out: bool


@dataclass(frozen=True, slots=True)
class StoppedRow:
    created_at: datetime
    imported: bool


@dataclass(frozen=True, slots=True)
class ConsentRow:
    id: UUID
    category_id: UUID | None
    kind: int
    basis: str
    at: datetime
    expires_at: datetime | None
    detail_ct: bytes | None


@dataclass(frozen=True, slots=True)
class OptOutRow:
    """`back`: the recipient switched it on again."""

    category_id: UUID
    source: str
    created_at: datetime
    back: bool


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    reason: int
    source: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MessageRow:
    id: UUID
    created_at: datetime
    state: int
    category_id: UUID
    body_ct: bytes | None


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A code that waits to be typed. act: 1 a copy of everything, 2 erasure; left: tries."""

    act: int
    left: int


@dataclass(frozen=True, slots=True)
class EventRow:
    message_id: UUID
    kind: int
    at: datetime


async def letter(connection: Connection, message: UUID) -> LetterRow | None:
    found = await rows(connection, _SQL["own_letter"], {"message": message}, LetterRow)
    return found[0] if found else None


async def categories(connection: Connection, tenant: UUID, index: bytes) -> list[CategoryRow]:
    return await rows(connection, _SQL["own_categories"], {"tenant": tenant, "index": index}, CategoryRow)


async def stopped(connection: Connection, tenant: UUID, index: bytes, category: UUID | None) -> StoppedRow | None:
    """The opt-out that holds; of a category, one of everything counts, too."""
    params = {"tenant": tenant, "index": index, "category": category}
    found = await rows(connection, _SQL["own_stopped"], params, StoppedRow)
    return found[0] if found else None


async def consents(connection: Connection, tenant: UUID, person: UUID) -> list[ConsentRow]:
    return await rows(connection, _SQL["own_consents"], {"tenant": tenant, "person": person}, ConsentRow)


async def opt_outs(connection: Connection, tenant: UUID, index: bytes) -> list[OptOutRow]:
    return await rows(connection, _SQL["own_opt_outs"], {"tenant": tenant, "index": index}, OptOutRow)


async def suppressions(connection: Connection, tenant: UUID, index: bytes) -> list[SuppressionRow]:
    return await rows(connection, _SQL["own_suppressions"], {"tenant": tenant, "index": index}, SuppressionRow)


async def messages(
    connection: Connection, tenant: UUID, index: bytes, person: UUID, before: UUID, most: int
) -> list[MessageRow]:
    params = {"tenant": tenant, "index": index, "person": person, "before": before, "most": most}
    return await rows(connection, _SQL["own_messages"], params, MessageRow)


async def events(connection: Connection, messages_: Sequence[UUID]) -> list[EventRow]:
    return await rows(connection, _SQL["own_events"], {"ids": list(messages_)}, EventRow)


async def opt_in(connection: Connection, *, tenant: UUID, index: bytes, category: UUID, source: str) -> bool:
    """False when nothing was switched off."""
    params = {"tenant": tenant, "index": index, "category": category, "source": source}
    return bool((await tuples(connection, _SQL["opt_in"], params))[0][0])


async def ask_code(connection: Connection, code: UUID, message: UUID, act: int, hash_: bytes) -> str:
    """'made'; 'often': the address was mailed too many of late; 'gone': nobody is there to be mailed."""
    params = {"id": code, "message": message, "act": act, "hash": hash_}
    return str((await tuples(connection, _SQL["own_code_ask"], params))[0][0])


async def code(connection: Connection, code_: UUID, message: UUID) -> CodeRow | None:
    """None for one that serves no more."""
    found = await rows(connection, _SQL["own_code"], {"id": code_, "message": message}, CodeRow)
    return found[0] if found else None


async def erase(connection: Connection, message: UUID, code_: UUID, hash_: bytes) -> int:
    """1: it is done; 0: the code is wrong; -1: it serves no more."""
    params = {"message": message, "code": code_, "hash": hash_}
    return int((await tuples(connection, _SQL["erase_own"], params))[0][0])


async def export(connection: Connection, message: UUID, code_: UUID, hash_: bytes) -> int:
    """Tells the ledger; as `erase` answers."""
    params = {"message": message, "code": code_, "hash": hash_}
    return int((await tuples(connection, _SQL["export_own"], params))[0][0])


async def mail_state(connection: Connection, email: UUID) -> int | None:
    found = await tuples(connection, _SQL["own_mail_state"], {"email": email})
    return int(found[0][0]) if found else None


async def ask_firm(connection: Connection, request: UUID, message: UUID, act: int) -> datetime:
    """A task for the client; until when."""
    due: datetime = (await tuples(connection, _SQL["own_request"], {"id": request, "message": message, "act": act}))[0][
        0
    ]
    return due


async def report_abuse(connection: Connection, report: UUID, message: UUID, words: bytes | None) -> bool:
    """False when this message was reported before."""
    params = {"id": report, "message": message, "words": words}
    return bool((await tuples(connection, _SQL["report_abuse"], params))[0][0])
