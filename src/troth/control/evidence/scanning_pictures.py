"""Evidence, looked at before it is kept: a PNG or JPEG walked from its first octet to its last; nothing may follow."""

import zlib

from troth.control.evidence.unfit import Unfit

_SIGNATURE = 8
_CHUNK = 12  # octets of length, type and CRC
# PNG, third edition: every registered chunk; another one could hold anything
_CHUNKS = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI tEXt zTXt iTXt bKGD hIST pHYs sPLT eXIf tIME "
    b"acTL fcTL fdAT".split()
)
# ISO/IEC 10918-1, table B.1: markers that stand alone
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def png(content: bytes) -> None:
    """Raise Unfit."""
    at, seen = _SIGNATURE, []
    while at < len(content):
        length, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        end = at + _CHUNK + length
        body = content[at + 4 : end - 4]
        if end > len(content) or kind not in _CHUNKS or zlib.crc32(body) != int.from_bytes(content[end - 4 : end]):
            raise _broken("PNG")
        seen.append(kind)
        at = end
        if kind == b"IEND":
            break
    if at != len(content):
        raise _more("PNG")
    if seen[:1] != [b"IHDR"] or seen[-1:] != [b"IEND"] or b"IDAT" not in seen or seen.count(b"IHDR") != 1:
        raise _broken("PNG")


def jpeg(content: bytes) -> None:
    """Raise Unfit."""
    at, seen = 2, set[int]()
    while True:
        marker, at = _marker(content, at)
        if marker == _EOI:
            break
        if marker in _ALONE:
            continue
        length = int.from_bytes(content[at : at + 2])
        if marker == _SOI or length < 2 or at + length > len(content):
            raise _broken("JPEG")
        seen.add(marker)
        at += length
        if marker == _SOS:
            at = _scan(content, at)
    if at != len(content):
        raise _more("JPEG")
    if _SOS not in seen or not seen & _FRAMES:
        raise _broken("JPEG")


def _marker(content: bytes, at: int) -> tuple[int, int]:
    """The marker that stands here, after its fill octets, and where it ends."""
    if content[at : at + 1] != b"\xff":
        raise _broken("JPEG")
    while content[at : at + 1] == b"\xff":
        at += 1
    if at >= len(content) or content[at] == 0:
        raise _broken("JPEG")
    return content[at], at + 1


def _scan(content: bytes, at: int) -> int:
    """Where the picture's own octets end: at an 0xFF that is neither stuffed nor a restart."""
    while (at := content.find(b"\xff", at)) >= 0 and at + 1 < len(content):
        if content[at + 1] and content[at + 1] not in _ALONE:
            return at
        at += 2
    raise _broken("JPEG")


def _broken(kind: str) -> Unfit:
    return Unfit(f"The {kind} is damaged, or not only a picture. Save it again.")


def _more(kind: str) -> Unfit:
    return Unfit(f"Something stands behind the end of the {kind}. Save it again.")
