"""The demo mailbox's shelf: a Maildir with the octets as they came, and a log of envelopes beside it.

Nothing is added to a message, so that its DKIM signature stays whole; who it was for stands in
`mailbox.log`, one JSON object a line. That log holds recipients in plain: it belongs to the mailbox, as at
any receiver, not to Troth.
"""

import os
import re
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG = "mailbox.log"
_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)?([^\r\n]*)", re.IGNORECASE | re.MULTILINE).search
_NAME = re.compile(r"[0-9A-Za-z_.]{1,100}").fullmatch


class Entry(msgspec.Struct, frozen=True):
    """One recipient of one attempt. `file` is None when nothing was kept; `reply` is None when none was given."""

    at: str  # RFC 3339, UTC
    rcpt: str
    mail_from: str
    message_id: str | None
    file: str | None
    bytes: int
    reply: str | None


class MailStore:
    """Writes and reads one Maildir. Several readers may look on while one process writes."""

    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        self.folder = folder
        self.log = folder.parent / LOG
        self._fsync = fsync
        self._numbers = count(1)
        self._encoder = msgspec.json.Encoder()
        self._entries: list[Entry] = []
        self._read = 0  # octets of the log taken into _entries
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def close(self) -> None:
        os.close(self._log)

    # writing

    def keep(self, content: bytes, mail_from: str, recipients: "Sequence[str]", reply: str | None) -> str:
        """Put the message on the shelf, then note it in the log; returns the file's name."""
        name = f"{time.time_ns()}.{os.getpid()}_{next(self._numbers)}.mailbox"
        beside = f"{self.folder}/tmp/{name}"  # noqa: S108  (the Maildir's own tmp)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _write_all(handle, content)
            if self._fsync:
                os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(beside, f"{self.folder}/new/{name}")  # noqa: PTH104  (a Path costs more than the rename)
        self.note(mail_from, recipients, reply, name, content)
        return name

    def note(
        self,
        mail_from: str,
        recipients: "Sequence[str]",
        reply: str | None,
        file: str | None = None,
        content: bytes = b"",
    ) -> None:
        """One line a recipient, whether taken or refused."""
        at = datetime.now(UTC).isoformat(timespec="microseconds")
        told = message_id(content) if content else None
        rows = [
            self._encoder.encode(Entry(at, recipient, mail_from, told, file, len(content), reply)) + b"\n"
            for recipient in recipients
        ]
        os.write(self._log, b"".join(rows))

    # reading

    def entries(self) -> list[Entry]:
        """All of the log, oldest first; each call reads on from where the last one stopped."""
        with self.log.open("rb") as log:
            log.seek(self._read)
            fresh = log.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        self._entries.extend(msgspec.json.decode(line, type=Entry) for line in whole.splitlines())
        return self._entries

    def read(self, name: str) -> bytes | None:
        """The octets of a message, None when there is none of that name."""
        if _NAME(name):
            for place in ("new", "cur"):
                try:
                    return (self.folder / place / name).read_bytes()
                except (FileNotFoundError, IsADirectoryError):
                    continue
        return None


def message_id(content: bytes) -> str | None:
    """The Message-ID of the header, as written."""
    end = content.find(b"\r\n\r\n")
    found = _MESSAGE_ID(content[:end] if end >= 0 else content)
    return found[1].decode("ascii", "backslashreplace").strip() if found else None


def _write_all(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]
