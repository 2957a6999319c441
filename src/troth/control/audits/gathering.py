"""Audits: a bundle, gathered and signed: everything of a programme and a period that an auditor takes away in one file.

Each part is read in few statements. What is too much for one file is refused with the reason, and nothing is left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from troth.control.audit.scope import Connection
from troth.control.audits import handed_in, papers, populations, promises, readme
from troth.control.audits.ledgers import clock
from troth.control.audits.period import CannotBundle
from troth.control.audits.populations import Member
from troth.control.audits.seeing import seeing
from troth.control.audits.survey import MOST_SAMPLE, SAMPLE, Survey, Wanted, survey
from troth.control.ledger.receipts import Means
from troth.ledger import bundle as form
from troth.ledger.bundle import Bundle, Counts, encode, listed
from troth.ledger.canonical import canonical_document
from troth.ledger.leaf import microseconds
from troth.ledger.trust_document import encode as encode_trust

__all__ = ["MOST_SAMPLE", "SAMPLE", "Made", "Wanted", "bundle"]


@dataclass(frozen=True, slots=True)
class Made:
    """The file, and what its manifest says."""

    data: bytes
    bundle: Bundle


def bundle(connection: Connection, keys: Any, wanted: Wanted) -> Made:
    """Raise CannotBundle, NoLedger (temporary), WrongKey. `keys`: as settings.TROTH_KEYS gives them."""
    with seeing(connection, None):
        found = survey(connection, wanted)
        files = _ledger_files(found) | _samples(connection, found, keys) | _papers(connection, found, keys)
        told = _told(connection, found)
    return _signed(told, files, keys.secrets.ledger_seed)


def _signed(told: Mapping[str, Any], files: dict[str, bytes], seed: bytes) -> Made:
    files[form.README] = readme.text(Bundle(files=[], **told)).encode()
    made = Bundle(files=listed(files), **told)
    try:
        return Made(encode(made, files, seed), made)
    except ValueError as wrong:
        raise CannotBundle(f"The bundle cannot be packed: {wrong}. Ask for a shorter period.") from None


def _told(connection: Connection, found: Survey) -> dict[str, Any]:
    begins, ends = found.wanted.period.numbers
    return {
        "type": form.TYPE, "made_at": microseconds(clock(connection)), "begins": begins, "ends": ends,
        "programme": promises.programme(connection, found.wanted.programme.id),
        "clients": [str(each) for each in found.clients], "vkey": found.head.vkey, "checkpoint": found.head.note,
        "range": found.part.told, "entries": _counts(found), "populations": found.populations,
    }  # fmt: skip


def _counts(found: Survey) -> Counts:
    size = found.part.told.end - found.part.told.start
    shown, outside = len(found.found.shown), len(found.found.outside)
    return Counts(size, shown, outside, size - shown - outside, len(found.history))


def _ledger_files(found: Survey) -> dict[str, bytes]:
    every = sorted(found.found.shown + found.found.outside)
    return {
        form.HASHES: found.part.hashes,
        form.ENTRIES: _lines({"index": index, "leaf": leaf} for index, leaf in every),
        form.HISTORY: _lines(found.history),
        form.PROMISES: canonical_document(found.promises),
        **{f"populations/{name}.jsonl": _members(members) for name, members in found.members.items()},
    }


def _samples(connection: Connection, found: Survey, keys: Any) -> dict[str, bytes]:
    """Receipts of the messages drawn."""
    means = Means(keys.keyring, keys.secrets.ledger_seed)
    known = {each.id: each for each in found.members[form.MESSAGES]}
    drawn = next(each.drawn for each in found.populations if each.name == form.MESSAGES)
    return {f"samples/messages/{each}.json": populations.receipt(connection, known[each], means) for each in drawn}


def _papers(connection: Connection, found: Survey, keys: Any) -> dict[str, bytes]:
    programme = found.wanted.programme
    trust = encode_trust(papers.trust(connection, programme, found.head), keys.secrets.ledger_seed)
    facts, files = handed_in.enclosed(connection, keys.operator, programme.id)
    return {form.TRUST: trust, form.FACTS: canonical_document(facts), **files}


def _members(found: Iterable[Member]) -> bytes:
    return _lines({"id": each.id, "at": each.at} for each in found)


def _lines(found: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(canonical_document(each) + b"\n" for each in found)
