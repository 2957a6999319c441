"""Evidence in one file: the form of each kind of it, signed by the ledger's own key.

    {"receipt" or "trust" or ...: {"type": "troth.receipt.v1" or ..., ...}, "signature": signed note}

Canonical JSON (RFC 8785) to its last byte, so that there is one file for one document: no white space, no other order,
nothing after it. The signature is a C2SP signed note whose text is the type and the SHA-256 of the document; a
checkpoint's text begins with the log's name, so that none passes for another.
"""

import hashlib
from typing import Any

import msgspec

from troth.ledger.canonical import CanonicalError, canonical_document, parse_canonical
from troth.ledger.note import parse_vkey, sign_note, vkey
from troth.ledger.verify import Found


class WrongKey(Exception):  # noqa: N818 - the name says what is wrong, as a sentence would
    """The seed at hand is not the ledger's: permanent, until the right secrets are put in their place."""

    temporary = False


def sealed(name: str, kind: str, body: dict[str, Any], key: str, seed: bytes) -> bytes:
    """A signed document of one type, in its one form."""
    signer = parse_vkey(key).name
    if vkey(signer, seed) != key:
        raise WrongKey(f"The key at hand is not the one of the ledger {signer}: nothing can be signed with it.")
    return canonical_document({name: body, "signature": sign_note(seed, signer, signed_text(kind, body))})


def opened(data: bytes, name: str, kind: str, most: int) -> tuple[dict[str, Any], str]:
    """The body and the note of such a document; raise Found."""
    if len(data) > most:
        raise Found(f"it is larger than the {most // 2**20} MB that such a file can have")
    try:
        file = parse_canonical(data)
    except CanonicalError as wrong:
        raise Found(f"it is not as it was issued: {wrong}") from None
    body, note = (file.get(name), file.get("signature")) if type(file) is dict else (None, None)
    if type(body) is not dict or type(note) is not str or len(file) != len((name, "signature")):
        raise Found(f"it is not an object of `{name}` and `signature` alone")
    if body.get("type") != kind:
        raise Found(f"it calls itself {str(body.get('type'))[:40]!r}; {kind} is what can be verified here")
    return body, note


def shaped[Shape](body: dict[str, Any], shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as wrong:
        raise Found(f"it has not the form of its type: {wrong}") from None


def signed_text(kind: str, body: dict[str, Any]) -> str:
    """What the signature is of."""
    return f"{kind}\n{hashlib.sha256(canonical_document(body)).hexdigest()}\n"
