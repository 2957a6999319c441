"""Delivery, composing: the DKIM signature of an assembled message (RFC 6376, RFC 8301): RSA, SHA-256, relaxed/relaxed.

From, To, Subject, Reply-To and Content-Type are named once more than they occur, so that none can be added later.

    DkimError(ValueError)   a key, domain or selector that may not sign
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from troth.mail.mime import Assembled

MIN_BITS = 2048

_OVERSIGNED = (b"from", b"to", b"subject", b"reply-to", b"content-type")
# Signed once for each time that they occur; Cc, when it occurs, once more.
_SIGNED = (
    b"cc", b"date", b"message-id", b"mime-version", b"content-transfer-encoding", b"list-unsubscribe",
    b"list-unsubscribe-post", b"feedback-id", b"in-reply-to", b"references", b"auto-submitted",
)  # fmt: skip
_blanks_re = re.compile(rb"[ \t]+")
_fold_re = re.compile(rb"\r\n(?=[ \t])")
_trailing_re = re.compile(rb" +\r\n")
_domain_re = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\Z")
_PADDING, _HASH = padding.PKCS1v15(), utils.Prehashed(hashes.SHA256())


class DkimError(ValueError):
    """The message says what is wrong and holds no key material."""


class Signer:
    """One domain's key, loaded once; may be shared between threads (the signature itself is made without the GIL)."""

    def __init__(self, domain: str, selector: str, key: bytes | str | rsa.RSAPrivateKey) -> None:
        """key: PEM without a password, or a loaded key; 2048 bits or more (RFC 8301 3.2)."""
        for what, name in (("domain", domain), ("selector", selector)):
            if len(name) > 253 or not _domain_re.match(name):
                raise DkimError(f"The DKIM {what} must be a lower-case DNS name.")
        self._key = _load(key)
        self.domain, self.selector = domain, selector
        self._start = f"v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n d={domain};\r\n s={selector};\r\n h=".encode()

    def sign(self, assembled: Assembled) -> bytes:
        """The whole DKIM-Signature line, folded, with its CRLF; it stands before all other headers."""
        order = _order(tuple([name.lower() for name, _ in assembled.headers]))
        values = [value for _, value in assembled.headers]
        canonical = b"".join([b"%s:%s\r\n" % (name, relaxed_value(values[at])) for name, at in order.signed])
        body_hash = b64encode(sha256(relaxed_body(assembled.body)).digest())
        value = b"%s%s;\r\n bh=%s;\r\n b=" % (self._start, order.names, body_hash)
        digest = sha256(b"%sdkim-signature:%s" % (canonical, relaxed_value(value))).digest()
        signature = b64encode(self._key.sign(digest, _PADDING, _HASH))
        lines = b"\r\n ".join(signature[at : at + 72] for at in range(0, len(signature), 72))
        return b"DKIM-Signature: %s\r\n %s\r\n" % (value, lines)


def _load(key: bytes | str | rsa.RSAPrivateKey) -> rsa.RSAPrivateKey:
    if isinstance(key, bytes | str):
        pem = key.encode() if isinstance(key, str) else key
        try:
            loaded = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise DkimError("The DKIM key is no unencrypted PEM private key.") from None
    else:
        loaded = key
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise DkimError("The DKIM key is not an RSA key.")
    if loaded.key_size < MIN_BITS:
        raise DkimError(f"The DKIM key has {loaded.key_size} bits; make one of at least {MIN_BITS}.")
    return loaded


@dataclass(frozen=True, slots=True)
class _Order:
    """names: h='s value, folded; signed: each header that counts, by its place in the message."""

    names: bytes
    signed: tuple[tuple[bytes, int], ...]


@lru_cache(maxsize=1_024)
def _order(present: tuple[bytes, ...]) -> _Order:
    """What is signed of a message with these header fields (lower case), in which order (RFC 6376 5.4.2): the last of
    a name comes first. The same for every message of a kind.
    """
    found: dict[bytes, list[int]] = {}
    for at, name in enumerate(present):
        found.setdefault(name, []).append(at)
    names: list[bytes] = []
    signed: list[tuple[bytes, int]] = []
    for name in (*_OVERSIGNED, *_SIGNED):
        places = found.get(name, [])
        names += [name] * len(places)
        signed += [(name, at) for at in reversed(places)]
        if name in _OVERSIGNED or (name == b"cc" and places):
            names.append(name)
    return _Order(_folded_names(names), tuple(signed))


def _folded_names(names: list[bytes]) -> bytes:
    """At most 7 names a line keep it under 78 octets wherever it matters, and far under 998 always."""
    return b":\r\n  ".join(b":".join(names[at : at + 7]) for at in range(0, len(names), 7))


def relaxed_value(value: bytes) -> bytes:
    """RFC 6376 3.4.2, steps 2 to 5, of what stands after the colon."""
    if b"\r\n" in value:
        value = _fold_re.sub(b"", value)
    if b"\t" in value or b"  " in value:
        value = _blanks_re.sub(b" ", value)
    return value.strip(b" \t")


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 3.4.4; body has CRLF line ends only, as `assemble` makes it."""
    if b"\t" in body or body.rfind(b"  ") >= 0 or body.rfind(b" \r\n") >= 0:  # from the end it is found much faster
        body = _trailing_re.sub(b"\r\n", _blanks_re.sub(b" ", body))
    if body.endswith(b"\r\n\r\n"):
        body = body.rstrip(b"\r\n") + b"\r\n"
    return b"" if body == b"\r\n" else body
