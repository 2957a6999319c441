"""Imports: a file on its way in: sealed as it arrives, so that nothing of it ever lies open on a disk.

Django hands over what a browser sends in pieces; each MiB is sealed under the client's keyset and put into a file that
has no name, from which it goes into the database when the form is in order.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload

from troth.keys import places
from troth.keys.keyring import TenantKeys

FIELD = "file"
MOST = 256 << 20  # octets
_PART = 1 << 20


@dataclass(slots=True)
class Sealed:
    """`lengths`: of the sealed parts in `file`, one after the other."""

    id: UUID
    name: str
    digest: bytes = b""
    octets: int = 0
    too_long: bool = False
    lengths: list[int] = field(default_factory=list)
    file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)

    def parts(self) -> Iterator[bytes]:
        self.file.seek(0)
        for length in self.lengths:
            yield self.file.read(length)


class Sealing(FileUploadHandler):
    """One file, of the field `file`; another one is not taken. `sealed` is None until it comes."""

    def __init__(self, own: TenantKeys, import_id: UUID, most: int = MOST) -> None:
        super().__init__()
        self._own, self._id, self._most = own, import_id, most
        self._rest = bytearray()
        self._hash = hashlib.sha256()
        self.sealed: Sealed | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.field_name != FIELD or self.sealed is not None:
            raise SkipFile
        self.sealed = Sealed(self._id, self.file_name or "file")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        del start
        assert self.sealed is not None
        self.sealed.octets += len(raw_data)
        if self.sealed.octets > self._most:
            self.sealed.too_long = True
            raise StopUpload(connection_reset=False)
        self._hash.update(raw_data)
        self._rest += raw_data
        if len(self._rest) >= _PART:
            self._seal()

    def file_complete(self, file_size: int) -> "UploadedFile[bytes]":
        assert self.sealed is not None
        if self._rest:
            self._seal()
        self.sealed.digest = self._hash.digest()
        return UploadedFile(BytesIO(), self.sealed.name, size=file_size)

    def _seal(self) -> None:
        assert self.sealed is not None
        part = self._own.seal(bytes(self._rest), places.import_part(self._id, len(self.sealed.lengths)))
        self.sealed.file.write(part)
        self.sealed.lengths.append(len(part))
        self._rest.clear()
