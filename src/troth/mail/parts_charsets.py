"""Feedback: octets of a stranger's letter as text, by whatever name of a charset it gives, or by none.

Nothing raises: what cannot be decoded is replaced. Only codecs of text are ever looked up, by a closed list.
"""

import binascii
import encodings.aliases
import re
from collections.abc import Iterator

_NOT_TEXT = {"base64_codec", "bz2_codec", "hex_codec", "mbcs", "quopri_codec", "rot_13", "uu_codec", "zlib_codec"}
_UNLISTED = {"cp720", "cp737", "cp856", "cp874", "koi8_u", "koi8_t", "iso8859_1", "utf_8_sig", "mac_croatian"}
_CODECS = frozenset((set(encodings.aliases.aliases.values()) | _UNLISTED) - _NOT_TEXT)
# Names that are written in the wild, and wider codecs that read what is sent under a narrower name.
_MEANT = {
    "ascii": "utf_8", "us": "utf_8", "7bit": "utf_8", "8bit": "utf_8", "default": "utf_8", "utf8mb4": "utf_8",
    "unicode_1_1_utf_8": "utf_8", "unicode": "utf_8", "unicode_1_1_utf_7": "utf_7", "utf_8n": "utf_8",
    "latin_1": "cp1252", "iso8859_1": "cp1252", "iso8859_8_i": "iso8859_8", "iso_8859_8_i": "iso8859_8",
    "gb2312": "gb18030", "gbk": "gb18030", "x_gbk": "gb18030", "shift_jis": "cp932", "x_sjis": "cp932",
    "windows_31j": "cp932", "euc_kr": "cp949", "ks_c_5601": "cp949", "ks_c_5601_1987": "cp949", "big5": "cp950",
    "iso2022_jp": "iso2022_jp_ext", "cp50220": "iso2022_jp_ext", "cp50221": "iso2022_jp_ext",
    "iso_2022_jp_ms": "iso2022_jp_ext", "x_euc_jp": "euc_jp", "x_mac_roman": "mac_roman", "dos_874": "cp874",
    "windows_874": "cp874", "tis_620": "cp874", "iso8859_9": "cp1254", "utf": "utf_8", "ansi": "cp1252",
}  # fmt: skip
_UNKNOWN = frozenset({"", "unknown", "unknown_8bit", "x_unknown", "binary", "x_user_defined", "none"})

# RFC 2047 2, and what breaks it: a language (RFC 2231 5), blanks in the text. Ends at the first "?=".
_word_re = re.compile(r"=\?([^?*\s]{1,75})(?:\*[^?\s]{0,20})?\?([bq])\?([^?]*)\?=", re.IGNORECASE)
_not_name_re = re.compile(r"[^a-z0-9]+")
_not_base64_re = re.compile(rb"[^A-Za-z0-9+/=]+")
_padding_re = re.compile(rb"=+")
_line_end_re = re.compile(rb"\r{1,2}\n|\r")
_soft_break_re = re.compile(rb"=[ \t]{1,80}\n")


def codec_of(name: str) -> str:
    """A codec of Python's for a charset's name as written, without case; "" for none that is known."""
    plain = _not_name_re.sub("_", name.lower()).strip("_")
    if plain in _MEANT:
        return _MEANT[plain]
    codec = encodings.aliases.aliases.get(plain, plain)
    return _MEANT.get(codec, codec if codec in _CODECS else "")


def is_known(name: str) -> bool:
    """Whether a charset's name says what to do; none at all is known, too."""
    return _not_name_re.sub("_", name.lower()).strip("_") in _UNKNOWN or bool(codec_of(name))


def decode(octets: bytes, charset: str = "") -> str:
    """As the charset says; without a known one as UTF-8, ISO-2022-JP or Windows-1252, whichever it looks like."""
    codec = codec_of(charset)
    if codec and codec != "utf_8":
        return octets.decode(codec, "replace")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("utf-8" if codec and not _narrow(charset) else "cp1252", "replace")
    if not codec and "\x1b$" in text:
        return octets.decode("iso2022_jp_ext", "replace")
    return text


def _narrow(charset: str) -> bool:
    """A name that means seven bits, or nothing: eight in it are some other charset."""
    return not charset.lower().startswith(("utf", "unicode"))


def decode_words(octets: bytes) -> str:
    """A field's value (RFC 2047): encoded words decoded wherever they stand, neighbours of one kind as one."""
    text = decode(octets)
    return "".join(_pieces(text)) if "=?" in text else text


def _pieces(text: str) -> Iterator[str]:
    end, waiting, charset = 0, b"", ""
    for found in _word_re.finditer(text):
        between = text[end : found.start()]
        joined = bool(charset) and not between.strip()
        if waiting and not (joined and found[1].lower() == charset):
            yield decode(waiting, charset)
            waiting = b""
        if not joined:
            yield between
        charset = found[1].lower()
        waiting += _word(found[2], found[3])
        end = found.end()
    yield decode(waiting, charset) + text[end:]


def _word(encoding: str, text: str) -> bytes:
    octets = text.encode("utf-8", "replace")
    return from_base64(octets) if encoding in "bB" else binascii.a2b_qp(octets, header=True)


def from_base64(octets: bytes) -> bytes:
    """Whatever of it is base64 (RFC 2045 6.8), several pieces one after the other included."""
    plain = _not_base64_re.sub(b"", octets)
    return b"".join(_quads(piece) for piece in _padding_re.split(plain))


def _quads(piece: bytes) -> bytes:
    """Four characters make three octets; of a lone one at the end nothing is known."""
    if len(piece) % 4 == 1:
        piece = piece[:-1]
    return binascii.a2b_base64(piece + b"=" * (-len(piece) % 4))


def from_quoted_printable(octets: bytes) -> bytes:
    """RFC 2045 6.7 with any line end and with blanks that a gateway put behind a soft line break."""
    lines = _line_end_re.sub(b"\n", octets)
    return binascii.a2b_qp(_soft_break_re.sub(b"=\n", lines))
