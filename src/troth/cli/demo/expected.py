"""After the demo's river: what each message must come to, read from the one reviewed file, expectations.toml."""

import tomllib
from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("expectations.toml")


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message: its final state ('refused' where nothing was stored), why, and its copies in the mailbox."""

    id: str
    firm: str
    asks: str
    state: str
    reason: str
    copies: int


class Bomb(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One template that must be refused when it is proposed: which problem's code says so."""

    id: str
    what: str
    code: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    message: tuple[Expected, ...]
    bomb: tuple[Bomb, ...]


def expected() -> dict[str, Expected]:
    """By id, in the file's order."""
    return {each.id: each for each in _read().message}


def bombs() -> dict[str, Bomb]:
    return {each.id: each for each in _read().bomb}


def _read() -> _File:
    return msgspec.convert(tomllib.loads(FILE.read_text("utf-8")), _File)
