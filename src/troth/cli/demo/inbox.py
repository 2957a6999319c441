"""After the demo's river: what reached the recipients, read from the mailbox's own log and Maildir."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock

from troth.cli.demo.mailbox_store import Entry, MailStore

_FOLD = re.compile(rb"\r\n(?=[ \t])")
_LINK = re.compile(r"https?://[^\s\"<>]+/(?:confirm|password)/[A-Za-z0-9_-]+")
_CODE = re.compile(r"asks for a code:\s*([0-9]{6})\b")
_UNSUBSCRIBE = re.compile(r"<(https?://[^<>\s]+)>")
_BY_MAIL = re.compile(r"<mailto:([^<>\s?]+)>")


@dataclass(frozen=True, slots=True)
class Inbox:
    """Opened beside the process that writes; reads only."""

    store: MailStore
    over: Event = field(default_factory=Event)  # set: nobody needs to wait any longer
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def at(cls, maildir: Path) -> "Inbox":
        return cls(MailStore(maildir))

    def kept(self, recipient: str) -> list[Entry]:
        """What was kept for a recipient, oldest first."""
        return [entry for entry in self.everything() if entry.rcpt == recipient]

    def everything(self) -> list[Entry]:
        """What was kept, oldest first."""
        with self._lock:
            entries = tuple(self.store.entries())
        return [entry for entry in entries if entry.file]

    def copies(self, recipient: str, message_hex: str) -> list[Entry]:
        """The copies of one message in a recipient's mailbox; its id begins its Message-ID."""
        wanted = f"<{message_hex}@"
        return [entry for entry in self.kept(recipient) if message_hex and (entry.message_id or "").startswith(wanted)]

    def await_link(self, recipient: str, patience: float) -> str:
        """The link of the mail that asks a recipient to confirm, or to set a password; TimeoutError when none comes."""
        until = time.monotonic() + patience
        while True:
            for entry in self.kept(recipient):
                found = _LINK.search(_plain(self.octets(entry)))
                if found:
                    return found[0]
            if time.monotonic() > until or self.over.wait(0.05):
                raise TimeoutError("A confirmation did not reach its recipient.")

    def code(self, recipient: str) -> str:
        """The code of the newest mail that has one; empty when there is none."""
        for entry in reversed(self.kept(recipient)):
            found = _CODE.search(_plain(self.octets(entry)))
            if found:
                return found[1]
        return ""

    def unsubscribe(self, recipient: str, message_hex: str, *, by_mail: bool = False) -> str:
        """The link in List-Unsubscribe of a message that came, or its mailbox; LookupError when there is none."""
        wanted = _BY_MAIL if by_mail else _UNSUBSCRIBE
        for entry in self.copies(recipient, message_hex):
            found = wanted.search(header(self.octets(entry), "List-Unsubscribe"))
            if found:
                return found[1]
        raise LookupError("The message's List-Unsubscribe has no such address.")

    def octets(self, entry: Entry) -> bytes:
        return self.store.read(entry.file or "") or b""


def header(octets: bytes, name: str) -> str:
    """A header's value, unfolded; empty when it is not there."""
    head = _FOLD.sub(b"", octets.partition(b"\r\n\r\n")[0])
    wanted = f"{name.lower()}:".encode()
    for line in head.split(b"\r\n"):
        if line.lower().startswith(wanted):
            return line.partition(b":")[2].decode("ascii", "replace").strip()
    return ""


def _plain(octets: bytes) -> str:
    """A message's octets as text in which quoted-printable's soft line breaks and =3D are undone."""
    return octets.replace(b"=\r\n", b"").replace(b"=3D", b"=").decode("utf-8", "replace")
