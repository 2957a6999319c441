"""Suppressions: an entry as its row tells it: why, where it came from, which message, who, and what outweighs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.control.audit.asking import row
from troth.control.people.actor import Actor
from troth.control.people.permissions import allowed
from troth.control.suppressions import history, reading, words
from troth.control.suppressions.history import Act
from troth.control.suppressions.reading import Entry
from troth.control.suppressions.words import Source
from troth.keys import ids
from troth.keys.keyring import TenantKeys


@dataclass(frozen=True, slots=True)
class Line:
    """`address` None: not shown, erased, or never kept; `message`: as its page names it; `said`: an act's words."""

    address: str | None
    erased: bool
    index: str
    words: str
    look: str
    why: str
    source: Source
    message: str
    who: str
    said: str | None
    override: datetime | None
    back: datetime | None
    client: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is looked up once for all of a page. `told`: the message by whose link this address's owner opted out."""

    codes: Mapping[UUID, str]
    acts: Mapping[UUID, Act]
    told: UUID | None
    cell: str
    content: bool


def lines(actor: Actor, keys: TenantKeys, found: list[Entry], who: list[bytes] | None) -> list[Line]:
    sources = [words.source(each.source, each.way) for each in found]
    beside = _Beside(
        reading.categories(actor.scope),
        history.acts(keys, [each.id for each in sources if each.kind == "act" and each.id]),
        history.opted_out_by(actor.scope, who) if actor.scope and who else None,
        _cell(),
        allowed(actor, "message:content"),
    )
    return [_line(each, source, beside) for each, source in zip(found, sources, strict=True)]


def _line(each: Entry, source: Source, beside: _Beside) -> Line:
    message = source.id if source.kind == "message" else beside.told if each.source == "unsubscribe" else None
    if each.client is not None:
        message = None  # a message has its page where its client is looked at
    act = beside.acts.get(source.id) if source.id else None
    category = beside.codes.get(each.category, "gone since") if each.category else ""
    return Line(
        each.address if beside.content else None,
        each.erased,
        each.place.index.hex()[:8],
        words.WORDS[each.reason][0],
        words.WORDS[each.reason][1],
        words.WHY[each.reason].format(category) if each.client is None else words.elsewhere(each.reason),
        source,
        ids.wire("msg", beside.cell, message) if message else "",
        act.who if act else "",
        act.words if act and beside.content else None,
        each.override,
        each.back,
        each.client,
        each.place.at,
    )


def _cell() -> str:
    found = row("SELECT cell FROM troth.installation")
    return str(found[0]) if found else "a"
