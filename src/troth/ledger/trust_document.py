"""Evidence in one file: what a programme promises, whether each promise holds, and what in the ledger says so.

    {"trust": {"type": "troth.trust.v1", ...}, "signature": signed note}

Its form and its signature: signed_file.py. Hashes are lower-case hex, times microseconds since 1970. A promise that
fails may be withdrawn: it is named, and its sentence is not told. How it is judged: trust_check.py; in words:
docs/trust-document.md.
"""

import msgspec

from troth.ledger.receipt import Entry
from troth.ledger.signed_file import opened, sealed, shaped, signed_text

TYPE = "troth.trust.v1"
MOST = 2**23  # bytes of a file: some hundred promises with their proofs are a tenth of it
HOLDS, FAILS, STALE, NO_DATA, NO_CONTROL = "holds", "fails", "stale", "no data yet", "no control yet"
STATES = (HOLDS, FAILS, STALE, NO_DATA, NO_CONTROL)
MOVED = "moved"
CLAIMED, SAID, WITHDRAWN = "claimed", "said", "withdrawn"


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Programme(_Part, frozen=True):
    """`host`: the name under which its page is served, "" where it has none of its own."""

    id: str
    code: str
    title: str
    profile: str
    host: str = ""


class Ledger(_Part, frozen=True):
    """The log that the proofs lead to: `checkpoint` is its signed note, which says the rest, too."""

    name: str
    checkpoint: str
    size: int
    root: str
    vkey: str


class Policy(_Part, frozen=True):
    """A level of the policy in force. `entry`: the ledger's of its approval."""

    level: str
    version: int
    digest: str
    approved_at: int
    entry: Entry


class Claim(_Part, frozen=True):
    """`shown`: claimed; said, with the state that it has; or withdrawn, without its sentence. `checked_at` is of the
    newest look, `told` the ledger's entry of when its state was last told; `evidence` the SHA-256 of what was seen
    then.
    """

    id: str
    chapter: str
    kind: str
    scope: str
    shown: str
    state: str
    owner: str
    frameworks: list[str]
    sentence: str | None = None
    how: str | None = None
    checked_at: int | None = None
    since: int | None = None
    evidence: str | None = None
    told: Entry | None = None


class File(_Part, frozen=True):
    """A public document: its SHA-256 and how many bytes it has."""

    name: str
    sha256: str
    bytes: int


class Manifest(_Part, frozen=True):
    """`sentences`: claim -> SHA-256 of the sentence that the page shows."""

    files: list[File]
    sentences: dict[str, str]


class Trust(_Part, frozen=True):
    """Everything but the signature. `clock`: "moved" of a demo or a test, whose clock may be ahead of everybody's."""

    type: str
    programme: Programme
    issued_at: int
    valid_until: int
    ledger: Ledger
    policy: list[Policy]
    claims: list[Claim]
    manifest: Manifest
    clock: str = ""


def encode(trust: Trust, seed: bytes) -> bytes:
    """Sign it with the ledger's seed (32 bytes) and write the file; raise WrongKey."""
    return sealed("trust", TYPE, msgspec.to_builtins(trust), trust.ledger.vkey, seed)


def decode(data: bytes) -> tuple[Trust, str, str]:
    """Read a file: the document, the text that must be signed, the note; raise Found if it is not as it was issued."""
    body, note = opened(data, "trust", TYPE, MOST)
    return shaped(body, Trust), signed_text(TYPE, body), note
