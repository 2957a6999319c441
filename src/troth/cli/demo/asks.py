"""Before the demo's river: what the client firms ask for, read from asks.toml; bodies go over the wire as they are."""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from troth.mail.mailbox import parse_mailbox

FILE = Path(__file__).with_name("asks.toml")
_FIELDS = ("to", "cc", "bcc")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `confirms`: True, False (registered, the link is not followed) or 'never' (not registered)."""

    id: str
    firm: str
    when: str
    body: dict[str, Any] = field(repr=False)
    key: str = "main"
    raw: str | None = field(default=None, repr=False)
    idempotency: str | None = None
    confirms: bool | str = True

    @property
    def octets(self) -> bytes:
        """The request's body."""
        return self.raw.encode() if self.raw is not None else json.dumps(self.body, ensure_ascii=False).encode()

    @property
    def recipients(self) -> tuple[str, ...]:
        """Addresses as asked, in the order to, cc, bcc; one that is named twice stands once, as the gate takes it."""
        found: dict[str, None] = {}
        for name in _FIELDS:
            given = self.body.get(name, [])
            for text in [given] if isinstance(given, str) else given:
                found.setdefault(_address(text))
        return tuple(found)

    @property
    def rows(self) -> dict[str, str]:
        """The id of each message with its recipient: the ask's own id, or numbered ones where there are several."""
        if len(self.recipients) < 2:
            return {self.id: next(iter(self.recipients), "")}
        return {f"{self.id}/{n}": address for n, address in enumerate(self.recipients, 1)}


def asks() -> dict[str, Ask]:
    """All of them, by id, in the file's order."""
    raw = tomllib.loads(FILE.read_text("utf-8"))
    return {name: _ask(name, raw) for name in raw}


def _ask(name: str, raw: dict[str, Any]) -> Ask:
    given = raw[name]
    body = raw[given["same_as"]]["body"] if "same_as" in given else given.get("body", {})
    rest = {key: value for key, value in given.items() if key not in ("body", "same_as")}
    return Ask(id=name, body=body, **rest)


def private_words(found: dict[str, Ask]) -> Iterator[str]:
    """What may stand nowhere in the database's files in plain: recipients, and the values of all variables."""
    for ask in found.values():
        yield from ask.recipients
        yield from _strings(ask.body.get("template", {}).get("variables", {}))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, str):
        yield value


def _address(text: str) -> str:
    """The bare address; what is none stays as it was written, and is refused by the gate."""
    try:
        return parse_mailbox(text).address.addr_spec
    except ValueError:
        return text
