"""Evidence of a period in one file: what an auditor takes away, to be judged without a database or trust.

    manifest.json   {"bundle": {"type": "troth.bundle.v1", ...}, "signature": signed note}: the SHA-256 of every file
    README.txt      what this is, in words
    trust.json      the programme's trust document of the day on which the bundle was made
    ledger/         the hash of every entry of a contiguous range; the programme's entries, and the house's
    claims/         the promises, and each telling of their states, with what was seen
    populations/    those that the database listed, member by member
    samples/        receipts of the messages drawn
    evidence/       facts of what people handed in, and the files that may be public

A ZIP archive of one form (archive.py), signed by the ledger's own key. The range begins where a checkpoint was signed
before the period, and ends where one was signed after it: no entry of between can be left out. How it is judged:
bundle_check.py; in words: docs/audit-bundle.md.
"""

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from troth.ledger.archive import pack
from troth.ledger.draw import draw, seed
from troth.ledger.signed_file import sealed
from troth.ledger.trust_document import Programme
from troth.ledger.verify import SEAL

TYPE = "troth.bundle.v1"
MANIFEST, README, TRUST = "manifest.json", "README.txt", "trust.json"
HASHES, ENTRIES = "ledger/hashes.bin", "ledger/entries.jsonl"
PROMISES, HISTORY = "claims/promises.json", "claims/history.jsonl"
FACTS, ENCLOSED = "evidence/facts.json", "evidence/files/"
FIXED = (README, TRUST, HASHES, ENTRIES, PROMISES, HISTORY, FACTS)
MESSAGES, SUPPRESSIONS = "messages", "suppressions"
LISTED = (MESSAGES, SUPPRESSIONS)
APPROVED = "governance:change:approve"

type Fields = Mapping[str, str | int]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Range(_Part, frozen=True):
    """Entries [start, end). `begins`: the checkpoint of `start` entries, absent where it is 0; `before`: the nodes that
    its tree is folded from; `ends`: the checkpoint of `end` entries; `growth`: from there to the bundle's own one.
    """

    start: int
    end: int
    ends: str
    before: list[str]
    growth: list[str]
    begins: str | None = None


class Counts(_Part, frozen=True):
    """Entries: in the range, those of the period that are shown, those of just before or after it, shown too, and those
    of others, of which there is the hash alone; and how many tellings of a promise there are.
    """

    range: int
    shown: int
    outside: int
    others: int
    tellings: int


class Population(_Part, frozen=True):
    """`listed`: by the database, in populations/; else counted from the entries shown. `drawn`: members, in the order
    of the draw: a message's id, a suppression's, an entry's index.
    """

    name: str
    listed: bool
    size: int
    wanted: int
    seed: str
    drawn: list[str]


class File(_Part, frozen=True):
    name: str
    sha256: str
    bytes: int


class Bundle(_Part, frozen=True):
    """Everything but the signature. `clients`: whose entries are shown beside the house's own."""

    type: str
    made_at: int
    begins: int
    ends: int
    programme: Programme
    clients: list[str]
    vkey: str
    checkpoint: str
    range: Range
    entries: Counts
    populations: list[Population]
    files: list[File]


def counted(fields: Fields) -> tuple[str, ...]:
    """The populations that an entry of the ledger is a member of."""
    kind = str(fields["kind"])
    approved = kind == APPROVED
    found = {
        "changes": approved,
        "grants": approved and fields.get("of") == "grant",
        "cases": kind.startswith("cases:"),
        "evidence": kind.startswith(("evidence:", "trust:evidence:")) and kind != SEAL,
        "looks": kind.startswith("access:"),
    }
    return tuple(name for name, member in found.items() if member)


COUNTED = ("changes", "grants", "cases", "evidence", "looks")


def population(name: str, members: list[str], root: bytes, period: tuple[int, int], wanted: int) -> Population:
    """Of its members in their order, with those drawn. `root`: of the checkpoint that ends the range."""
    sown = seed(root, *period, name, len(members))
    drawn = [members[place] for place in draw(sown, len(members), wanted)]
    return Population(name, name in LISTED, len(members), wanted, sown.hex(), drawn)


def listed(files: Mapping[str, bytes]) -> list[File]:
    """For the manifest: every other file."""
    return [File(name, sha256(files[name]).hexdigest(), len(files[name])) for name in sorted(files)]


def encode(bundle: Bundle, files: Mapping[str, bytes], seed: bytes) -> bytes:
    """Sign the manifest with the ledger's seed and pack it with the files; raise WrongKey."""
    manifest = sealed("bundle", TYPE, msgspec.to_builtins(bundle), bundle.vkey, seed)
    return pack({**files, MANIFEST: manifest})
