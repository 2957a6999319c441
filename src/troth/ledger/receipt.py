"""Evidence in one file: what was decided of an email, by which versions, who approved them, and what became of it.

    {"receipt": {"type": "troth.receipt.v1", ...}, "signature": signed note}

The file is canonical JSON (RFC 8785) to its last byte, so that there is one file for one receipt: no white space, no
other order, nothing after it. The signature is a C2SP signed note by the ledger's own key, whose text is the type and
the SHA-256 of `receipt`; a checkpoint's text begins with the log's name, so that neither passes for the other. Hashes
and digests are lower-case hex, times microseconds since 1970. What a taker may not see, or an erasure removed, is
absent: its commitment stands in the leaf, or in the leaf's hash. How it is judged: receipt_check.py; in words:
docs/receipts.md.
"""

import hashlib
from typing import Any

import msgspec

from troth.ledger.canonical import CanonicalError, canonical_document, parse_canonical
from troth.ledger.note import parse_vkey, sign_note, vkey
from troth.ledger.verify import CannotVerify

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


class WrongKey(Exception):  # noqa: N818 - the name says what is wrong, as a sentence would
    """The seed at hand is not the ledger's: permanent, until the right secrets are put in their place."""

    temporary = False


def encode(receipt: Receipt, seed: bytes) -> bytes:
    """Sign it with the ledger's seed (32 bytes) and write the file."""
    name = parse_vkey(receipt.vkey).name
    if vkey(name, seed) != receipt.vkey:
        raise WrongKey(f"The key at hand is not the one of the ledger {name}: no receipt can be signed with it.")
    body = msgspec.to_builtins(receipt)
    return canonical_document({"receipt": body, "signature": sign_note(seed, name, signed_text(body))})


def decode(data: bytes) -> tuple[Receipt, str, str]:
    """Read a file: the receipt, the text that must be signed, the note; raise CannotVerify if it is none of these."""
    if len(data) > MOST:
        raise CannotVerify(f"This is not a receipt: it is larger than {MOST // 2**20} MB.")
    try:
        file = parse_canonical(data)
    except CanonicalError as wrong:
        raise CannotVerify(f"This is not a receipt as it was issued: {wrong}.") from None
    body, note = (file.get("receipt"), file.get("signature")) if type(file) is dict else (None, None)
    if type(body) is not dict or type(note) is not str or len(file) != len(("receipt", "signature")):
        raise CannotVerify("This is not a receipt: that is an object of `receipt` and `signature` alone.")
    if body.get("type") != TYPE:
        raise CannotVerify(f"This is a {str(body.get('type'))[:40]!r}; {TYPE} is what can be verified here.")
    try:
        return msgspec.convert(body, Receipt), signed_text(body), note
    except msgspec.ValidationError as wrong:
        raise CannotVerify(f"This is not a receipt: {wrong}.") from None


def signed_text(body: dict[str, Any]) -> str:
    """What the signature is of."""
    return f"{TYPE}\n{hashlib.sha256(canonical_document(body)).hexdigest()}\n"


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
