"""Feedback: a ZIP archive's directory, read by ourselves: a few entries, each once, none locked, no promises believed.

APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16. Sizes are octets. Nothing raises: a fault is (word, sentence).
"""

import struct
from dataclasses import dataclass

MOST = 20  # entries of an archive
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_COMMENT = 65_535
_STORED, _DEFLATED = 0, 8
_BROKEN = ("broken", "The archive is damaged: send it again.")
Fault = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Member:
    """begin: where its octets begin; packed: how many they are."""

    name: bytes
    stored: bool
    crc: int
    begin: int
    packed: int


def members(octets: bytes) -> tuple[Fault | None, tuple[Member, ...]]:
    """Its files in their order; folders and a Mac's own notes are left out."""
    at = octets.rfind(b"PK\x05\x06", max(0, len(octets) - _END.size - _COMMENT))
    if at < 0 or len(octets) < at + _END.size:
        return _BROKEN, ()
    _, _, _, _, count, size, offset, _ = _END.unpack_from(octets, at)
    if count > MOST:
        return ("many", f"The archive holds over {MOST} files: send one report in each."), ()
    if offset + size > at:
        return _BROKEN, ()
    return _entries(octets, offset, offset + size, count)


def _entries(octets: bytes, at: int, end: int, count: int) -> tuple[Fault | None, tuple[Member, ...]]:
    found: dict[bytes, Member] = {}
    for _ in range(count):
        if end < at + _ENTRY.size or octets[at : at + 4] != b"PK\x01\x02":
            return _BROKEN, ()
        fields = _ENTRY.unpack_from(octets, at)
        name_size, extra, comment = fields[10:13]
        name = octets[at + _ENTRY.size : at + _ENTRY.size + name_size]
        at += _ENTRY.size + name_size + extra + comment
        if name.endswith(b"/") or name.startswith(b"__MACOSX/"):
            continue
        fault = _fault(name, found, flags=fields[3], method=fields[4])
        member = None if fault else _member(octets, name, fields)
        if member is None:
            return fault or _BROKEN, ()
        found[name] = member
    return (None, tuple(found.values())) if found else (("broken", "The archive is empty."), ())


def _fault(name: bytes, found: dict[bytes, Member], *, flags: int, method: int) -> Fault | None:
    if name in found:
        return "doubled", "The archive holds two files of one name: which is the report?"
    if flags & 1:
        return "locked", "The archive is locked with a password: send it without."
    if method not in {_STORED, _DEFLATED}:
        return "method", "The archive is compressed in an unusual way: use deflate."
    return None


def _member(octets: bytes, name: bytes, fields: tuple[int, ...]) -> Member | None:
    """None where the file does not lie where the directory says."""
    begin, size = fields[16], fields[8]
    if len(octets) < begin + _LOCAL.size or octets[begin : begin + 4] != b"PK\x03\x04":
        return None
    local = _LOCAL.unpack_from(octets, begin)
    begin += _LOCAL.size + local[9] + local[10]
    if len(octets) < begin + size:
        return None
    return Member(name, fields[4] == _STORED, fields[7], begin, size)
