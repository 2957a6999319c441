"""Claims: a message's header block as it was sent, and its DKIM signature verified once more (RFC 6376).

The signature covers the header alone (the body by its hash), so that the header and the public key are enough.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from troth.mail.dkim import relaxed_value

_MAYBE_CUT = 15_000  # octets: an event keeps whole lines up to 16 KiB
_EMPTIED = re.compile(rb"((?:^|;)\s*b\s*=)[^;]*")
_TAG = re.compile(rb"\s*([a-z]+)\s*=(.*)", re.DOTALL)
_BLANK = re.compile(rb"\s+")
_MAILBOX_DOMAIN = re.compile(rb"@([A-Za-z0-9.-]+)>?\s*\Z")


@dataclass(frozen=True, slots=True)
class Block:
    """Fields in order, names in lower case, values with their folding."""

    fields: tuple[tuple[bytes, bytes], ...]
    maybe_cut: bool

    def all(self, name: bytes) -> list[bytes]:
        return [value for field, value in self.fields if field == name]

    def text(self, name: bytes) -> str:
        """The only value of a field, unfolded; "" when it is not there once."""
        values = self.all(name)
        return relaxed_value(values[0]).decode("ascii", "replace") if len(values) == 1 else ""

    @property
    def from_domain(self) -> str:
        found = _MAILBOX_DOMAIN.search(relaxed_value(b"".join(self.all(b"from"))))
        return found[1].decode().lower() if found else ""


@dataclass(frozen=True, slots=True)
class Signature:
    """The tags of a DKIM-Signature that matter here."""

    domain: str
    selector: str
    algorithm: str
    names: tuple[bytes, ...]
    value: bytes
    field: bytes


def block(lines: object) -> Block | None:
    """The header lines of an event; None where it has none."""
    if not isinstance(lines, list) or not lines or not all(isinstance(line, str) for line in lines):
        return None
    octets = "\r\n".join(lines).encode("utf-8", "replace")
    unfolded = re.split(rb"\r\n(?![ \t])", octets)
    fields = tuple((name.lower(), value) for name, _, value in (line.partition(b":") for line in unfolded))
    return Block(fields, len(octets) > _MAYBE_CUT)


def signature(header: Block) -> Signature | None:
    """The one DKIM signature of a block; None when there is not exactly one that can be read."""
    fields = header.all(b"dkim-signature")
    if len(fields) != 1:
        return None
    read = (_TAG.fullmatch(tag.rstrip()) for tag in fields[0].split(b";"))
    tags: dict[bytes, bytes] = {found[1]: found[2] for found in read if found}
    try:
        value = base64.b64decode(_BLANK.sub(b"", tags[b"b"]), validate=True)
        names = tuple(name.strip().lower() for name in tags[b"h"].split(b":"))
        said = [_BLANK.sub(b"", tags[tag]).decode("ascii") for tag in (b"d", b"s", b"a")]
    except (KeyError, UnicodeDecodeError, binascii.Error):
        return None
    return Signature(said[0].lower(), said[1].lower(), said[2], names, value, fields[0])


def bits(public_der: bytes) -> int:
    """The size of an RSA public key; 0 for what is none."""
    key = _key(public_der)
    return key.key_size if key else 0


def verifies(header: Block, signed: Signature, public_der: bytes) -> bool:
    """Whether the signature is of these headers (relaxed) by this key."""
    key = _key(public_der)
    if key is None or signed.algorithm != "rsa-sha256":
        return False
    digest = sha256(_hashed(header, signed.names, signed.field)).digest()
    try:
        key.verify(signed.value, digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _hashed(header: Block, names: Sequence[bytes], field: bytes) -> bytes:
    """RFC 6376 3.7: the named fields, the last of a name first, then the signature's own without its value."""
    left = {name: header.all(name) for name in names}
    chosen = [b"%s:%s\r\n" % (name, relaxed_value(left[name].pop())) for name in names if left[name]]
    return b"".join([*chosen, b"dkim-signature:" + relaxed_value(_EMPTIED.sub(rb"\1", field, count=1))])


def _key(public_der: bytes) -> rsa.RSAPublicKey | None:
    try:
        key = serialization.load_der_public_key(bytes(public_der))
    except (ValueError, TypeError):
        return None
    return key if isinstance(key, rsa.RSAPublicKey) else None
