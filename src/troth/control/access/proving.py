"""People with access: where the ledger tells of something, with its proof. The ledger's room is above this one;
urls.py, where the rooms meet, hands its functions in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from troth.control.audit.asking import rows

_LEAVES = "SELECT index, leaf FROM troth.ledger_leaf WHERE log_id = 1 AND index = ANY(%s) ORDER BY index"


@dataclass(frozen=True, slots=True)
class Proofs:
    """The ledger's side: the newest checkpoint, and the way from a leaf to its root (RFC 9162 section 2.1.3)."""

    newest: Callable[[Any], Any]
    inclusion: Callable[[Any, int, int], tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What every proof of one export ends at."""

    size: int
    note: str
    vkey: str


def checkpoint(proofs: Proofs) -> Checkpoint | None:
    with connection.cursor() as cursor:
        found = proofs.newest(cursor)
    return Checkpoint(found.size, found.note, found.vkey) if found else None


def proved(proofs: Proofs, at: Checkpoint | None, indexes: list[int]) -> Iterator[dict[str, Any]]:
    """Each entry whole, with its proof in hex; one that the checkpoint does not cover yet has none."""
    for index, leaf in rows(_LEAVES, indexes) if indexes else []:
        told: dict[str, Any] = {"index": index, "leaf": leaf, "proof": None}
        if at is not None and index < at.size:
            with connection.cursor() as cursor:
                told["proof"] = [each.hex() for each in proofs.inclusion(cursor, index, at.size)]
        yield told
