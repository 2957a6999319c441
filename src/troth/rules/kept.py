"""What the gate keeps of a message's facts, so that another policy can be tried on them later (see rules/replay.py).

Codes, numbers and ids only: of an address whether it was wrong, of a sender whether it was the category's. A
counter's subject is a 64-bit print of its id. Times are kept as distances from the moment of the decision, which the
row beside it holds. The bytes are MessagePack arrays, about 260 of them for a message.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

import msgspec
from msgspec import Struct

from troth.rules import facts as facts_
from troth.rules.decision import Decision
from troth.rules.facts import Category, Domain, Facts, FieldProblem, Key, Rate, Recipient, Template, Tenant

# Places in this list are written into rows that nobody changes: a new counter goes to its end.
COUNTERS = (("key", "hour"), ("tenant", "hour"), ("tenant", "day"), ("template", "hour"), ("recipient", "day"))
_PLACE = {counter: place for place, counter in enumerate(COUNTERS)}
_SECOND, _MICRO = timedelta(seconds=1), timedelta(microseconds=1)
_KEY_BYTES = 16


class TenantPart(Struct, frozen=True, array_like=True, gc=False):
    """A client's state, who had paused it, its zone, and whether its postal address is known."""

    state: str
    paused: str | None
    timezone: str
    addressed: bool | None


class KeyPart(Struct, frozen=True, array_like=True, gc=False):
    """A key; `within`: its scope has the category."""

    id: bytes
    live: str
    sends: bool
    within: bool
    test: bool


class CategoryPart(Struct, frozen=True, array_like=True, gc=False):
    """A category's version and what was found of it. ours: `from` is its sender, None when that is not known."""

    code: str
    version: int
    approved: bool
    retired: bool
    ours: bool | None
    raw: bool
    legal_class: str
    lawful_basis: str
    named: bool | None


class TemplatePart(Struct, frozen=True, array_like=True, gc=False):
    """A template's version and what was found of it. misfit: variables did not fit its schema."""

    code: str
    version: int
    approved: bool
    matches: bool | None
    misfit: bool


class DomainPart(Struct, frozen=True, array_like=True, gc=False):
    """A domain, whether it is the sender's, and its last look."""

    ours: bool
    ready: bool
    wrong: bool
    failed: bool


class RecipientPart(Struct, frozen=True, array_like=True, gc=False):
    """A recipient. problem: 0 none, 1 a wrong address, 2 one beyond ASCII; verified: by the moment of the decision."""

    status: str
    problem: int
    pathway: str | None
    verified: bool
    timezone: str | None


class SuppressionPart(Struct, frozen=True, array_like=True, gc=False):
    """A look at the suppression list."""

    listed: bool
    reason: str
    override: bool
    own: bool


class Shape(Struct, frozen=True, array_like=True, gc=False):
    """What many messages have in common. A missing part is None, as in Facts. problems: 0 none, 1 an injection, 2 other
    ones; consent: its state; watched: whether mail of this kind counts as the client's volume, None when not known.
    """

    tenant: TenantPart | None
    key: KeyPart | None
    category: CategoryPart | None
    template: TemplatePart | None
    domain: DomainPart | None
    recipient: RecipientPart | None
    suppression: SuppressionPart | None
    opted_out: bool | None
    consent: str | None
    raw: bool
    attachments: tuple[tuple[int, str], ...]
    problems: int
    content_problems: bool
    watched: bool | None


class Count(Struct, frozen=True, array_like=True, gc=False):
    """One counter as the gate found it. place: in COUNTERS; subject: its print; ends: seconds to its window's end."""

    place: int
    subject: int
    used: int
    asking: int
    ends: int


class Volume(Struct, frozen=True, array_like=True, gc=False):
    """The client's messages as the gate found them (rules.facts.Volume)."""

    recent: int
    previous: tuple[int, ...]
    reviewed: int
    asking: int


class Kept(Struct, frozen=True, array_like=True, gc=False):
    """One message's facts. `shape`: a Shape's bytes; ages: whole seconds, begun ones counted; scheduled: microseconds.

    `outcome`, `code` and `check` are what the gate made of them. together: marks the emails of one request that stand
    or fall with one another, 0 for one alone. volume: None where it is not known, or not watched (the shape says).
    """

    outcome: int
    code: str
    check: str
    shape: bytes
    recipients: int
    total_bytes: int
    variable_bytes: int
    checked_age: int | None
    good_age: int | None
    scheduled: int | None
    counts: tuple[Count, ...]
    together: int
    volume: Volume | None


_WRITE = msgspec.msgpack.Encoder()
_READ = msgspec.msgpack.Decoder(Kept)
_READ_SHAPE = msgspec.msgpack.Decoder(Shape)


def keep(facts: Facts, decision: Decision, together: int = 0) -> bytes:
    """Write down what `facts` were, and what was decided of them."""
    deciding, email, domain, now = decision.deciding, facts.email, facts.domain, facts.now
    return _WRITE.encode(
        Kept(
            int(decision.outcome),
            deciding.code,
            deciding.check,
            _WRITE.encode(_shape(facts)),
            email.recipient_count,
            email.total_bytes,
            email.variable_bytes,
            _age(now, domain.checked_at) if domain else None,
            _age(now, domain.last_good_at) if domain else None,
            None if email.scheduled_at is None else (email.scheduled_at - now) // _MICRO,
            tuple(_count(rate, now) for rate in facts.rates),
            together,
            _volume(facts.volume),
        )
    )


def read(kept: bytes) -> Kept:
    """Raise msgspec.DecodeError for what `keep` did not write."""
    return _READ.decode(kept)


def shape_of(shape: bytes) -> Shape:
    """Read a Kept's common part; msgspec.DecodeError."""
    return _READ_SHAPE.decode(shape)


def bundle(emails: Sequence[Sequence[bytes]]) -> bytes:
    """Keep a refused request's emails, each with its messages, in one piece."""
    return _WRITE.encode(emails)


def unbundle(kept: bytes) -> list[list[bytes]]:
    """The emails of a refused request; msgspec.DecodeError."""
    return msgspec.msgpack.decode(kept, type=list[list[bytes]])


def _shape(facts: Facts) -> Shape:
    email, category, found = facts.email, facts.category, facts.suppression
    return Shape(
        None if facts.tenant is None else _tenant(facts.tenant),
        None if facts.key is None else _key(facts.key, category),
        None if category is None else _category(category, email.from_asked),
        None if facts.template is None else _template(facts.template),
        None if facts.domain is None else _domain(facts.domain, category),
        None if facts.recipient is None else _recipient(facts.recipient, facts.now),
        None if found is None else SuppressionPart(found.listed, found.reason, found.override, found.own),
        facts.opted_out,
        None if facts.consent is None else facts.consent.state,
        email.raw,
        tuple((file.size, file.content_type) for file in email.attachments),
        _problems(email.problems),
        bool(facts.content_problems),
        None if facts.volume is None else facts.volume.watched,
    )


def _volume(one: facts_.Volume | None) -> Volume | None:
    return Volume(one.recent, one.previous, one.reviewed, one.asking) if one is not None and one.watched else None


def _tenant(one: Tenant) -> TenantPart:
    return TenantPart(one.state, one.paused, one.timezone, one.addressed)


def _key(key: Key, category: Category | None) -> KeyPart:
    within = category is not None and (key.categories is None or category.code in key.categories)
    return KeyPart(_id(key.id), key.live, key.sending_allowed, within, key.test)


@lru_cache(maxsize=1024)
def _id(text: str) -> bytes:
    """Ids are UUIDs but for Troth's own callers."""
    try:
        return UUID(text).bytes
    except ValueError:
        return text.encode()[:_KEY_BYTES]


def _category(one: Category, asked: str | None) -> CategoryPart:
    return CategoryPart(
        one.code,
        one.version,
        one.approved,
        one.retired,
        _ours(one.sender_addr, one.sender_domain, asked),
        one.raw_content_allowed,
        one.legal_class,
        one.lawful_basis,
        one.named,
    )


def _ours(address: str, domain: str, asked: str | None) -> bool | None:
    if not domain or address.rpartition("@")[2].casefold() != domain.casefold():
        return None
    return asked is None or asked.casefold() == address.casefold()


def _template(one: Template) -> TemplatePart:
    return TemplatePart(one.code, one.version, one.approved, one.digest_matches, bool(one.variable_problems))


def _domain(one: Domain, category: Category | None) -> DomainPart:
    ours = category is not None and one.name.casefold() == category.sender_domain.casefold()
    return DomainPart(ours, one.ready, bool(one.problems), one.lookup_failed)


def _recipient(one: Recipient, now: datetime) -> RecipientPart:
    verified = one.verified_at is not None and one.verified_at <= now
    return RecipientPart(one.status, _address(one.address_problem), one.pathway, verified, one.timezone)


def _address(problem: FieldProblem | None) -> int:
    if problem is None:
        return 0
    return 2 if problem.code.startswith("smtputf8") else 1


def _problems(found: Sequence[FieldProblem]) -> int:
    if not found:
        return 0
    return 1 if any(problem.code == "header-injection" for problem in found) else 2


def _age(now: datetime, moment: datetime | None) -> int | None:
    """Whole seconds, begun ones counted, so that a limit in whole minutes is met or passed as it really was."""
    return None if moment is None else -((moment - now) // _SECOND)


def _count(rate: Rate, now: datetime) -> Count:
    place = _PLACE.get((rate.scope, rate.window), len(COUNTERS))
    return Count(place, print_of(rate.subject), rate.used, rate.asking, -((now - rate.resets_at) // _SECOND))


@lru_cache(maxsize=4096)
def print_of(subject: str) -> int:
    """64 bits that tell one counter's subject from another."""
    return int.from_bytes(blake2b(subject.encode(), digest_size=8).digest())
