"""Delivery, composing: text and bytes as MIME part bodies: 7bit, quoted-printable or base64 (RFC 2045 6).

Every body ends with CRLF, has no other CR or LF, is ASCII without NUL, and no line is over 998 octets.
"""

import binascii
import re

HARD = 998  # octets a line without CRLF, RFC 5322 2.1.1

_newline_re = re.compile("\r\n|\r")
_PLAIN = bytes(octet for octet in range(256) if octet in b"\t\n" or 0x20 <= octet != 0x7F)  # no controls but these
_HIGH = bytes(range(128, 256))


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
    wired = data.replace(b"\n", b"\r\n")
    if data.isascii() and not data.translate(None, _PLAIN) and short_lines(data, HARD):
        return b"7bit", wired
    high = len(data) - len(data.translate(None, _HIGH))
    # One octet in six is where base64 (4/3 of everything) becomes shorter than quoted-printable (3 for each).
    if high * 6 > len(data):
        return b"base64", base64_body(wired)
    # With CRLF as the first line end, binascii writes CRLF everywhere; the text always has one.
    return b"quoted-printable", binascii.b2a_qp(wired, istext=True)


def base64_body(data: bytes) -> bytes:
    """Lines of 76 (RFC 2045 6.8)."""
    whole = binascii.b2a_base64(data, newline=False)
    lines = [whole[at : at + 76] for at in range(0, len(whole), 76)]
    return b"\r\n".join((*lines, b"")) or b"\r\n"


# Every octet of every message passes the questions below, more than once on its way. They are asked of the C library's
# fastest searches: for one octet, or from the end.


def paired(data: bytes) -> bool:
    """Whether each CR stands before an LF and each LF behind a CR: what is left without CRs makes the same again."""
    return data.replace(b"\r", b"").replace(b"\n", b"\r\n") == data


def short_lines(data: bytes, most: int) -> bool:
    """Whether each line, the last one too, ends with LF after at most `most` octets.

    From a line's start to the last LF that is near enough, all lines are short; the next look is from there.
    """
    at, end = 0, len(data)
    while at < end:
        found = data.rfind(b"\n", at, at + most + 1)
        if found < 0:
            return False
        at = found + 1
    return True


def dotted(data: bytes) -> bool:
    """Whether some line but the first starts with a dot; lines end with CRLF."""
    return data.rfind(b"\r\n.") >= 0
