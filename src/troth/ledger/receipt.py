"""Evidence in one file: what was decided of an email, by which versions, who approved them, and what became of it.

    {"receipt": {"type": "troth.receipt.v1", ...}, "signature": signed note}

Its form and its signature: signed_file.py. Hashes and digests are lower-case hex, times microseconds since 1970. What a
taker may not see, or an erasure removed, is absent: its commitment stands in the leaf, or in the leaf's hash. How it is
judged: receipt_check.py; in words: docs/receipts.md.
"""

from typing import Any

import msgspec

from troth.ledger.canonical import CanonicalError, canonical_document, parse_canonical
from troth.ledger.signed_file import opened, sealed, shaped, signed_text
from troth.ledger.verify import CannotVerify, Found

TYPE = "troth.receipt.v1"
MOST = 2**26  # bytes of a file: fifty recipients with long conversations are far below

type Words = dict[str, Any] | str  # a document; as text where its octets are not the canonical ones


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Entry(_Part, frozen=True):
    """A leaf of the ledger, with its way to the checkpoint. `leaf` is absent where it is not for the taker."""

    index: int
    leaf_hash: str
    proof: list[str]
    leaf: str | None = None


class Approval(_Part, frozen=True):
    """One person's yes, by the person's id: `digest` is of the words that they saw."""

    human: str
    at: int
    digest: str


class Version(_Part, frozen=True):
    """An approved version that governed the email. `role`: category, template, promise, operator, client or key.
    `entry`: the ledger's entry of its approval.
    """

    role: str
    kind: str
    code: str
    version: int
    snapshot: str
    subject: str
    change: str
    digest: str
    proposer: str
    approved_at: int
    approvals: list[Approval]
    entry: Entry


class Batch(_Part, frozen=True):
    """Events that were sealed together: the sealing entry's place, canonical text, and way to the checkpoint."""

    index: int
    leaf: str
    proof: list[str]


class Event(_Part, frozen=True):
    """`proof` leads from the leaf's hash, at `position` in the batch of the entry `batch`, to the batch's root.
    `leaf` is what the hash is of; `salt` and `detail` open the leaf's commitment.
    """

    kind: str
    at: int
    leaf_hash: str
    batch: int
    position: int
    proof: list[str]
    leaf: dict[str, str | int] | None = None
    salt: str | None = None
    detail: Words | None = None


class Message(_Part, frozen=True):
    """`shown`: all; withheld, what is said to whom being not for the taker; or erased, with the recipient's key."""

    id: str
    field: str
    state: str
    shown: str
    events: list[Event]
    recipient: str | None = None
    decision: Words | None = None


class Email(_Part, frozen=True):
    """What all its messages share. `recipients`: how many messages it had, whether or not they are in this file."""

    id: str
    tenant: str
    created_at: int
    recipients: int
    category: str
    policy: str
    template: str | None = None
    key: str | None = None


class Receipt(_Part, frozen=True):
    """Everything but the signature."""

    type: str
    made_at: int
    checkpoint: str
    vkey: str
    email: Email
    versions: list[Version]
    batches: list[Batch]
    messages: list[Message]


def encode(receipt: Receipt, seed: bytes) -> bytes:
    """Sign it with the ledger's seed (32 bytes) and write the file; raise WrongKey."""
    return sealed("receipt", TYPE, msgspec.to_builtins(receipt), receipt.vkey, seed)


def decode(data: bytes) -> tuple[Receipt, str, str]:
    """Read a file: the receipt, the text that must be signed, the note; raise CannotVerify if it is none of these."""
    try:
        body, note = opened(data, "receipt", TYPE, MOST)
        return shaped(body, Receipt), signed_text(TYPE, body), note
    except Found as wrong:
        raise CannotVerify(f"This is not a receipt: {wrong}.") from None


def words(octets: bytes) -> Words:
    """A document as a receipt shows it: opened where that gives the same octets back, else as its text."""
    try:
        value = parse_canonical(octets)
    except CanonicalError:
        value = None
    return value if type(value) is dict else octets.decode()


def octets(shown: Words) -> bytes:
    """The octets that `words` was given."""
    return shown.encode() if isinstance(shown, str) else canonical_document(shown)
