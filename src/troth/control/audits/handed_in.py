"""Audits: what people handed in as evidence, as documents that leave the house name it."""

from typing import Any
from uuid import UUID

from troth.control.audit.refusals import Refused
from troth.control.audit.scope import Connection
from troth.control.audits.period import CannotBundle
from troth.control.evidence.reading import Damaged, Piece, piece_file, public_pieces
from troth.keys.keyring import TenantKeys
from troth.ledger.bundle import ENCLOSED
from troth.ledger.trust_document import File

_ROOM = 2**26  # bytes of files in one bundle


def public(connection: Connection, programme: UUID) -> list[File]:
    """The public files, each under the name at which its page has it."""
    found = [File(f"evidence/{each.id}", each.sha256, each.bytes) for each in public_pieces(connection, programme)]
    return sorted(found, key=lambda file: file.name)


type Fact = dict[str, Any]


def enclosed(connection: Connection, keys: TenantKeys, programme: UUID) -> tuple[list[Fact], dict[str, bytes]]:
    """What can be said of each public piece; and the files, as many as there is room for."""
    facts: list[Fact] = []
    files: dict[str, bytes] = {}
    room = _ROOM
    for each in public_pieces(connection, programme):
        room -= each.bytes
        facts.append(_fact(each) | {"enclosed": room >= 0})
        if room >= 0:
            files[f"{ENCLOSED}{each.id}"] = _file(connection, keys, each)
    return facts, files


def _file(connection: Connection, keys: TenantKeys, each: Piece) -> bytes:
    try:
        return piece_file(connection, keys, each.id)[1]
    except (Damaged, Refused) as wrong:
        raise CannotBundle(f"The evidence “{each.title}” cannot be enclosed: {wrong}") from None


def _fact(each: Piece) -> Fact:
    return {"id": str(each.id), "claim": each.claim, "kind": each.kind, "title": each.title, "filename": each.filename,
            "sha256": each.sha256, "bytes": each.bytes, "performed_on": each.performed_on.isoformat(),
            "valid_until": each.valid_until.isoformat()}  # fmt: skip
