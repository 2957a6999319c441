"""Evidence, packed: a ZIP archive in one form, so that no byte of it can change unseen and any program opens it.

Files are stored, not compressed, in the order of their names, with one date and no comment, no extra field, no link and
nothing before, between or after. Reading writes each header again and compares: what another program packed is refused,
and nothing is ever larger than the file that it lies in.
"""

import re
import struct
import zlib
from collections.abc import Iterator, Mapping

from troth.ledger.verify import Found

MOST_FILES = 5_000
MOST_BYTES = 2**28
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,3}")
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION, _UNIX, _MODE = 20, 3 << 8, 0o100644 << 16
_DATE = (0, 1 << 5 | 1)  # 1980-01-01, the first day that the form can write


def pack(files: Mapping[str, bytes]) -> bytes:
    """The archive; ValueError where it would be no file of this form."""
    if len(files) > MOST_FILES or not all(_NAME.fullmatch(name) for name in files):
        raise ValueError(f"an archive has at most {MOST_FILES} files with plain names")
    parts: list[bytes] = []
    central: list[bytes] = []
    at = 0
    for name in sorted(files):
        head = _local(name, files[name])
        central.append(_listed(name, files[name], at))
        parts += (head, files[name])
        at += len(head) + len(files[name])
    made = b"".join((*parts, *central, _end(len(files), sum(map(len, central)), at)))
    if len(made) > MOST_BYTES:
        raise ValueError(f"it would have more than {MOST_BYTES // 2**20} MB")
    return made


def unpack(data: bytes) -> dict[str, bytes]:
    """Its files; raise Found if it is not exactly as `pack` writes them."""
    if len(data) > MOST_BYTES:
        raise Found(f"it is larger than the {MOST_BYTES // 2**20} MB that a bundle can have")
    files: dict[str, bytes] = {}
    ends = 0
    for name, content, end in _read(data):
        if files and name <= next(reversed(files)):
            raise Found(f"the file {name} is there twice, or not in its place")
        if len(files) == MOST_FILES:
            raise Found(f"it has more than {MOST_FILES} files")
        files[name], ends = content, end
    if not files or data[ends:] != pack(files)[ends:]:
        raise Found("its list of files is not that of the files in it: it was changed, packed again or cut off")
    return files


def _read(data: bytes) -> Iterator[tuple[str, bytes, int]]:
    """(name, content, where it ends), while there is another."""
    at = 0
    while data[at : at + 4] == b"PK\x03\x04":
        try:
            size, length = _LOCAL.unpack_from(data, at)[8:10]
        except struct.error:
            raise Found("it is cut off") from None
        start = at + _LOCAL.size + length
        name = data[at + _LOCAL.size : start].decode("ascii", "replace")
        content = data[start : start + size]
        if not _NAME.fullmatch(name):
            raise Found(f"it has a file with a name that none of it has: {name[:60]!r}")
        if len(content) != size or data[at:start] != _local(name, content):
            raise Found(f"the file {name} is not as it was packed")
        at = start + size
        yield name, content, at


def _local(name: str, content: bytes) -> bytes:
    head = _LOCAL.pack(b"PK\x03\x04", _VERSION, 0, 0, *_DATE, zlib.crc32(content), len(content), len(content),
                       len(name), 0)  # fmt: skip
    return head + name.encode("ascii")


def _listed(name: str, content: bytes, at: int) -> bytes:
    head = _CENTRAL.pack(b"PK\x01\x02", _UNIX | _VERSION, _VERSION, 0, 0, *_DATE, zlib.crc32(content), len(content),
                         len(content), len(name), 0, 0, 0, 0, _MODE, at)  # fmt: skip
    return head + name.encode("ascii")


def _end(count: int, size: int, at: int) -> bytes:
    return _END.pack(b"PK\x05\x06", 0, 0, count, count, size, at, 0)
