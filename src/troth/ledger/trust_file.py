"""Evidence in one file, of several programmes: each one's trust document as it is, in a JSON array (RFC 8785).

Each is signed by itself. That none was left out is not in the file: the answer names those that are.
"""

from collections.abc import Sequence
from dataclasses import replace

from troth.ledger import trust_check, trust_document
from troth.ledger.canonical import CanonicalError, canonical_document, parse_canonical
from troth.ledger.trust_check import Asked, Verified
from troth.ledger.verify import Found

MOST = 8 * trust_document.MOST  # bytes


def together(documents: Sequence[bytes]) -> bytes:
    """One file; of one document itself."""
    return documents[0] if len(documents) == 1 else b"[" + b",".join(documents) + b"]"


def verify(data: bytes, asked: Asked) -> list[Verified]:
    """Every document in it, or of several those of whom `asked` names; raise Found, CannotVerify."""
    documents = _apart(data)
    if len(documents) == 1:
        return [trust_check.verify(documents[0], asked)]
    each = replace(asked, programme=None, host=None)
    found = [_named(n, document, each) for n, document in enumerate(documents, 1)]
    codes = [one.trust.programme.code for one in found]
    if twice := next((code for code in codes if codes.count(code) > 1), None):
        raise Found(f"it has two documents of the programme {twice}")
    return _wanted(found, asked)


def _apart(data: bytes) -> list[bytes]:
    if not data.startswith(b"["):
        return [data]
    try:
        found = parse_canonical(data)
    except CanonicalError as wrong:
        raise Found(f"it is not as it was issued: {wrong}") from None
    if len(found) < 2:  # one stands by itself, so that there is one file for it
        raise Found("it is a list without documents, or of one, which is never issued")
    return [canonical_document(each) for each in found]


def _named(n: int, document: bytes, asked: Asked) -> Verified:
    try:
        return trust_check.verify(document, asked)
    except Found as wrong:
        raise Found(f"document {n}: {wrong.what}", wrong.index) from None


def _wanted(found: list[Verified], asked: Asked) -> list[Verified]:
    code, host = asked.programme, asked.host.lower().rstrip(".") if asked.host is not None else None
    told = [
        one for one in found if code in (None, one.trust.programme.code) and host in (None, one.trust.programme.host)
    ]
    if not told:
        raise Found(f"none of its documents is of {' and '.join(filter(None, (code, host)))}")
    return told
