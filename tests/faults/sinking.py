"""The sink as a process of its own, and what its log says: who got what, how often, and when."""

import os
import re
import signal
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from troth.cli.demo.mailbox_store import MailStore

ROOT = Path(__file__).resolve().parents[2]
_SUBJECT = re.compile(rb"^Subject:[ \t]*Rent, (\S+)\r$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Arrival:
    """One message that the sink took."""

    marker: str
    message_id: str
    rcpt: str
    at: datetime


class SinkProcess:
    """Runs `tests.support.sink`; `stop` and `start` play a relay that goes and comes back on the same port."""

    def __init__(self, folder, *, delay=0.0):
        self.folder, self.delay, self.port = folder, delay, 0
        folder.mkdir(parents=True)
        self._process = None
        self._seen = {}
        self.start()

    def start(self):
        command = [sys.executable, "-m", "tests.support.sink", "--dir", str(self.folder / "mail"), "--no-tls"]
        command += ["--smtp-port", str(self.port), "--delay", str(self.delay)]
        mine = {n: v for n, v in os.environ.items() if not n.startswith(("COVERAGE", "COV_"))}
        self._process = subprocess.Popen(command, cwd=ROOT, env=mine, stdout=subprocess.PIPE, text=True)
        self.port = int(self._process.stdout.readline().rpartition(":")[2])
        self.store = MailStore(self.folder / "mail")

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)
        self._process.stdout.close()
        self.store.close()
        self._process = None

    def end(self):
        if self._process is not None:
            self.stop()

    def count(self):
        """Messages taken so far, by the log alone."""
        return sum(1 for entry in self.store.entries() if entry.file)

    def arrivals(self):
        """Every message taken, read from the octets themselves: {marker: [Arrival, ...]}."""
        found = defaultdict(list)
        for entry in self.store.entries():
            if entry.file is None:
                continue
            if entry.file not in self._seen:
                content = (Path(self.store.folder) / "new" / entry.file).read_bytes()
                self._seen[entry.file] = _SUBJECT.search(content)[1].decode()
            marker = self._seen[entry.file]
            found[marker].append(Arrival(marker, entry.message_id, entry.rcpt, datetime.fromisoformat(entry.at)))
        return dict(found)
