"""Delivery, composing: text and bytes as MIME part bodies: 7bit, quoted-printable or base64 (RFC 2045 6).

Every body ends with CRLF, has no other CR or LF, is ASCII without NUL, and no line is over 998 octets.
"""

import binascii
import re

HARD = 998  # octets a line without CRLF, RFC 5322 2.1.1

_newline_re = re.compile("\r\n|\r")
_odd_re = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")  # controls but tab and LF
_high_re = re.compile(rb"[\x80-\xff]+")


class BodyError(ValueError):
    """A text that no body can carry; the message is the hint."""


def text_body(text: str) -> tuple[bytes, bytes]:
    """(Content-Transfer-Encoding, body) of a text in UTF-8; raises BodyError on NUL and lone surrogates."""
    if "\r" in text:
        text = _newline_re.sub("\n", text)
    if not text.endswith("\n"):
        text += "\n"
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise BodyError("The text holds half a character (a lone surrogate); remove it.") from None
    if b"\0" in data:
        raise BodyError("The text holds a NUL character; remove it.")
    lines = data.split(b"\n")
    if data.isascii() and max(map(len, lines)) <= HARD and not _odd_re.search(data):
        return b"7bit", b"\r\n".join(lines)
    high = sum(map(len, _high_re.findall(data)))
    # One octet in six is where base64 (4/3 of everything) becomes shorter than quoted-printable (3 for each).
    if high * 6 > len(data):
        return b"base64", base64_body(b"\r\n".join(lines))
    # With CRLF as the first line end, binascii writes CRLF everywhere; the text always has one.
    return b"quoted-printable", binascii.b2a_qp(b"\r\n".join(lines), istext=True)


def base64_body(data: bytes) -> bytes:
    """Lines of 76 (RFC 2045 6.8)."""
    whole = binascii.b2a_base64(data, newline=False)
    lines = [whole[at : at + 76] for at in range(0, len(whole), 76)]
    return b"\r\n".join((*lines, b"")) or b"\r\n"
