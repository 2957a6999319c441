"""Feedback: what a stranger packed, unpacked within limits: gzip (RFC 1952) and ZIP, in bounded steps.

Unpacked: octets as they are. All raise Unpackable, whose word is one of a closed list, for whatever is no whole archive
or too much of one; an archive in an archive is refused, since nobody reports so and bombs are made so.
"""

import zlib
from collections.abc import Iterator

from troth.mail.unpacking_zip import Member, members

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
_ZIP_EMPTY = b"PK\x05\x06"
PACKED = 10 * 1024 * 1024  # octets of an archive
UNPACKED = 20 * 1024 * 1024  # octets of all that is in it
RATIO = 250  # octets out of one: reports come to 10 to 80, deflate can do 1,032
_SMALL = 1024 * 1024  # octets under which the ratio says nothing
_STEP = 65_536  # octets of one step


class Unpackable(Exception):  # noqa: N818  # a finding about somebody's archive, no error of ours
    """`word`: large, ratio, nested, many, doubled, locked, method or broken. `str()`: a sentence for a person.

    An archive's fault is its sender's and permanent.
    """

    def __init__(self, word: str, sentence: str) -> None:
        super().__init__(sentence)
        self.word = word


def unpack(octets: bytes) -> tuple[bytes, ...]:
    """The files of an archive, or what was given if it is none."""
    if octets.startswith(GZIP):
        return (_plain(_gzip(octets)),)
    if octets.startswith((ZIP, _ZIP_EMPTY)):
        return tuple(_plain(each) for each in _zip(octets))
    if len(octets) > UNPACKED:
        raise _large(UNPACKED)
    return (octets,)


def packed(octets: bytes) -> bool:
    """Whether it begins as an archive does."""
    return octets.startswith((GZIP, ZIP, _ZIP_EMPTY))


def _plain(octets: bytes) -> bytes:
    if packed(octets):
        raise Unpackable("nested", "There is an archive in the archive: send the report in one.")
    return octets


def _large(most: int) -> Unpackable:
    return Unpackable("large", f"It is larger than {most // 1024 // 1024} MB: send the report in parts.")


def _gzip(octets: bytes) -> bytes:
    """All members of a gzip file, one after the other (RFC 1952 section 2.2)."""
    _small_enough(octets)
    found, rest = bytearray(), octets
    while rest.startswith(GZIP):
        inflating = zlib.decompressobj(zlib.MAX_WBITS | 16)
        _inflate(inflating, rest, found, len(octets))
        rest = inflating.unused_data
    return bytes(found)


def _zip(octets: bytes) -> Iterator[bytes]:
    _small_enough(octets)
    faults, found = members(octets)
    if faults:
        raise Unpackable(*faults)
    total = 0
    for member in found:
        content = _member(octets, member)
        total += len(content)
        if total > UNPACKED:
            raise _large(UNPACKED)
        yield content


def _small_enough(octets: bytes) -> None:
    if len(octets) > PACKED:
        raise _large(PACKED)


def _member(octets: bytes, member: Member) -> bytes:
    raw = octets[member.begin : member.begin + member.packed]
    if member.stored:
        content = raw
    else:
        found = bytearray()
        _inflate(zlib.decompressobj(-zlib.MAX_WBITS), raw, found, len(raw))
        content = bytes(found)
    if zlib.crc32(content) != member.crc:
        raise Unpackable("broken", "The archive is damaged: its checksum does not fit.")
    return content


def _inflate(inflating: "zlib._Decompress", octets: bytes, found: bytearray, packed_size: int) -> None:
    """Add what comes out to `found`, looking at each step whether it is still in proportion."""
    waiting = octets
    try:
        while not inflating.eof:
            out = inflating.decompress(waiting, _STEP)
            waiting = inflating.unconsumed_tail
            found += out
            if len(found) > UNPACKED:
                raise _large(UNPACKED)
            if len(found) > _SMALL and len(found) > RATIO * packed_size:
                raise Unpackable("ratio", f"It unpacks to over {RATIO} times its size, as bombs do and reports do not.")
            if not out and not waiting and not inflating.eof:
                raise Unpackable("broken", "The archive ends before its end: send it again.")
    except zlib.error:
        raise Unpackable("broken", "The archive is damaged: send it again.") from None
