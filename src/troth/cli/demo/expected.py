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


class Waits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of each waits for a firm's people at the end. `changes`: open ones; `asked`: people told of them;
    `drafts`: not proposed; `held`: messages; `released`: stops that two people lifted; `ending`: API keys that end
    within ten days; `sign_on`: providers that are set up.
    """

    firm: str
    changes: int = 0
    comments: int = 0
    asked: int = 0
    drafts: int = 0
    reviews: int = 0
    held: int = 0
    released: int = 0
    ending: int = 0
    sign_on: int = 0


class Came(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came back, and what became of it. `marked`: templates to be reviewed for a complaint; `aside`: letters that
    were not believed, and wait for a person; `answers`: mails that tell a reporter that the report is here.
    """

    complaints: int
    incidents: int
    abuse: int
    disclosures: int
    marked: int
    dmarc: int
    tls: int
    aside: int
    suppressed: int
    answers: int


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    message: tuple[Expected, ...]
    bomb: tuple[Bomb, ...]
    waits: tuple[Waits, ...]
    came: Came


def expected() -> dict[str, Expected]:
    """By id, in the file's order."""
    return {each.id: each for each in _read().message}


def bombs() -> dict[str, Bomb]:
    return {each.id: each for each in _read().bomb}


def waits() -> dict[str, Waits]:
    """By firm."""
    return {each.firm: each for each in _read().waits}


def came() -> Came:
    return _read().came


def _read() -> _File:
    return msgspec.convert(tomllib.loads(FILE.read_text("utf-8")), _File)
