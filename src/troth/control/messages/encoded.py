"""Messages: encoded words (RFC 2047) of a header that was sent, decoded for a page; what cannot be decoded stays."""

import binascii
import re
import unicodedata

# the text has neither blank nor question mark (RFC 2047 2); a language may follow the charset (RFC 2231 5)
_word_re = re.compile(
    r"=\?(utf-8|iso-8859-1|us-ascii)(?:\*[a-z0-9-]*)?\?([qb])\?([!->@-~]*)\?=", re.ASCII | re.IGNORECASE
)
_escape_re = re.compile(rb"=([0-9A-Fa-f]{2})")
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # would turn the rest of the line round


def readable(body: str) -> str:
    """The body as its reader saw it: no encoded words, no blank between two of them, no control characters."""
    parts, end, joins = [], 0, False
    for found in _word_re.finditer(body):
        between, text = body[end : found.start()], _decoded(*found.groups())
        parts.append("" if joins and text is not None and not between.strip(" \t") else between)
        parts.append(found[0] if text is None else text)
        end, joins = found.end(), text is not None
    return "".join(char for char in "".join(parts) + body[end:] if not _dropped(char))


def _decoded(charset: str, encoding: str, text: str) -> str | None:
    """None where the octets are no such encoding, or no such charset's."""
    try:
        octets = binascii.a2b_base64(text, strict_mode=True) if encoding in "bB" else _unquoted(text.encode())
        return octets.decode(charset)
    except ValueError:  # binascii.Error and UnicodeDecodeError are such
        return None


def _unquoted(text: bytes) -> bytes:
    if b"=" in _escape_re.sub(b"", text):
        raise ValueError(text)
    return _escape_re.sub(lambda found: bytes.fromhex(found[1].decode()), text.replace(b"_", b" "))


def _dropped(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Zl", "Zp") or char in _TURNS
