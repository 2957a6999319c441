"""Beside the demo's river: the local DNS, as a file of records that the server reads again when it changes."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

RELAY = "_spf.relay.test"
SPF = f"include:{RELAY}"
BOUNCES = "bounces.troth.test"
LEAVES, LIST = "127.0.0.3", "bl.lists.test"  # where the demo's relay is said to send from, and a DNS list of its own
INBOUND = "mail.troth.test"  # where Troth's own server takes mail


@dataclass(slots=True)
class Zone:
    """The records of every name of the demo; each change is one rename, so that no reader sees half a file."""

    file: Path
    _records: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def begin(self, mail_domains: Iterable[str]) -> None:
        """What stands before any firm publishes: the relay's SPF, the bounces' domain, the recipients' domains."""
        self._records = {
            RELAY: {"TXT": [f"v=spf1 ip4:127.0.0.1 ip4:{LEAVES} -all"]},
            BOUNCES: {"TXT": [f"v=spf1 {SPF} -all"], "MX": [f"10 {INBOUND}."]},
            INBOUND: {"A": ["127.0.0.1"]},
            "3.0.0.127.in-addr.arpa": {"PTR": ["out.relay.test."]},
            "out.relay.test": {"A": [LEAVES]},
            f"2.0.0.127.{LIST}": {"A": ["127.0.0.2"]},  # the entry that every list has (RFC 5782)
            **{name: {"MX": ["10 mailbox.localhost."]} for name in mail_domains},
        }
        self._write()

    def publish(self, name: str, kind: str, *values: str) -> None:
        """Set the records of one name and type; no value removes them."""
        with self._lock:
            kinds = self._records.setdefault(name, {})
            kinds.pop(kind, None)
            if values:
                kinds[kind] = list(values)
            if not kinds:
                del self._records[name]
            self._write()

    def at(self, name: str, kind: str) -> tuple[str, ...]:
        return tuple(self._records.get(name, {}).get(kind, ()))

    def _write(self) -> None:
        beside = self.file.with_suffix(".new")
        beside.write_text(json.dumps(self._records, indent=1), "utf-8")
        os.replace(beside, self.file)  # noqa: PTH105 - a rename over the old one, whole
