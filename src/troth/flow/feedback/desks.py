"""Feedback: letters to abuse@ and security@: each becomes a case, or joins the one that it goes on about, all of it
kept sealed. Nothing here suppresses anybody, and no letter is answered but by one mail of ours a day and address.

A flood is bounded by day and by sender's domain, signed letters apart from others; what is beyond is kept aside for
a person, and counted (aside.py).
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from troth.flow.feedback import aside
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.desks_reading import Said, automatic, read
from troth.keys import ids, naming, places
from troth.keys.case_tags import case_of
from troth.keys.installation import Purpose
from troth.keys.keyring import TenantKeys
from troth.mail.address import Address
from troth.mail.arrived import Arrived, Verdict
from troth.mail.parts import Part
from troth.rules import desks as rules
from troth.store import cases, gate
from troth.store import desks as store
from troth.store.connection import Connection

type Signed = Callable[[bytes, Part, Address, datetime, Sequence[str]], Awaitable[bool]]

# letters in a day, of one domain, octets in a day: anybody makes up senders, and keeps no signed letter out by it
ROOM = store.Room(most=500, each=40, octets=134_217_728)
SIGNED_ROOM = store.Room(most=500, each=40, octets=134_217_728)
ACKNOWLEDGED = 500  # mails of ours in a day, over both desks; the forms have their own
_LETTER, _REPORT = "letter", "feedback-report"


@dataclass(frozen=True, slots=True)
class What:
    """One of the two desks: its local part, and the kind of its cases."""

    local: str
    kind: str


ABUSE, SECURITY = What("abuse", "abuse"), What("security", "disclosure")


async def nobody(octets: bytes, part: Part, sender: Address, now: datetime, to: Sequence[str]) -> bool:
    """Where nothing can check a signature, no letter is answered by mail."""
    del octets, part, sender, now, to
    return False


class ReportDesk:
    """The desk of `abuse@` or `security@` (flow/inbound/desk.py), at our own domain and each programme's, with a tag
    behind a plus or without. `keys`: the operator's own. `signed`: whether a letter is its sender's, to us.
    """

    def __init__(self, what: What, deps: Deps, keys: TenantKeys, domain: str, signed: Signed = nobody) -> None:
        self.name = what.local
        self._what, self._deps, self._keys, self._domain, self._signed = what, deps, keys, domain.lower(), signed

    async def knows(self, address: str) -> bool:
        local, _, domain = address.rpartition("@")
        if local.partition("+")[0].lower() != self._what.local:
            return False
        if domain.lower() == self._domain:
            return True
        async with self._deps.lend() as connection:
            return domain.lower() in await store.programmes(connection)

    async def take(self, addresses: Sequence[str], arrived: Arrived) -> Verdict:
        said = await asyncio.to_thread(read, arrived.octets)
        if automatic(said, arrived):
            return Verdict.AUTOMATIC
        async with self._deps.lend() as connection:
            now = await gate.now(connection)
        # the DNS is asked while no connection is held
        signed = said.sender is not None and await self._signed(arrived.octets, said.part, said.sender, now, addresses)
        budget, limits = (f"{self.name}:signed", SIGNED_ROOM) if signed else (self.name, ROOM)
        async with self._deps.lend() as connection:
            async with connection.transaction():
                if await store.room(connection, budget, self._source(said), len(arrived.octets), limits):
                    return await self._kept(connection, _Letter(addresses, arrived, said, now, signed))
            return await aside.keep(connection, self._keys, self.name, "flood", arrived, addresses)

    def _source(self, said: Said) -> bytes:
        domain = said.sender.domain if said.sender else ""
        return hmac.digest(self._secret(), b"desk source\0" + domain.encode(), sha256)

    def _secret(self) -> bytes:
        return self._deps.secrets.token_keys(Purpose.CASE)[0]

    async def _kept(self, connection: Connection, letter: "_Letter") -> Verdict:
        named = await asyncio.to_thread(naming.in_letter, self._deps.secrets, letter.said.part)
        found = _true(named, await store.match(connection, [one.message for one in named]))
        case = await self._going_on(connection, letter)
        if case is None:
            case = await self._opened(connection, letter, found)
        about = ", ".join(f"{one.message} ({how})" for one, how in found)
        words = letter.said.excerpt(f"About: {about}" if about else "")
        entry = letter.entry(case)
        paper = self._keys.seal(letter.whole(), places.case_paper(entry))
        kind = _REPORT if letter.said.report else _LETTER
        sealed = self._keys.seal(words.encode(), places.case_words(entry))
        await cases.note(connection, case, entry, kind, sealed, paper)
        return Verdict.TAKEN

    async def _going_on(self, connection: Connection, letter: "_Letter") -> UUID | None:
        """The case that it belongs to, by the signed tag that it was sent to, the mail it answers, or reference and
        sender together: a reference alone is no key, since anybody can count.
        """
        keys = self._deps.secrets.token_keys(Purpose.CASE)
        for address in letter.addresses:
            if case := case_of(keys, address.rpartition("@")[0].partition("+")[2]):
                return case
        said = letter.said
        index = self._index(said.sender) if said.sender else None
        return await store.case_of(connection, said.answers, said.reference, index)

    def _index(self, sender: Address) -> bytes:
        return self._deps.secrets.blind_index().index(sender.normal)

    async def _opened(self, connection: Connection, letter: "_Letter", found: "Sequence[_Found]") -> UUID:
        match = found[0][0] if found else None
        programme = match.programme if match else await self._programme(connection, letter.addresses)
        tenant = match.tenant if match else None
        policies = rules.policies(await store.policies(connection, tenant, programme))
        cause = _REPORT if letter.said.report else _LETTER
        made = ids.uuid7(letter.now)
        case = await cases.open_case(connection, cases.NewCase(
            made, self._what.kind, cause, f"mail:{letter.digest.hex()}", self._title(letter), tenant=tenant,
            programme=programme, message=match.message if match else None, category=match.category if match else None,
            template=match.template if match else None,
            clocks=rules.soonest(self._what.kind, cause, policies, letter.now),
        ))  # fmt: skip
        if case == made:
            await self._answer(connection, case, letter)
        return case

    async def _programme(self, connection: Connection, addresses: Sequence[str]) -> UUID | None:
        known = await store.programmes(connection)
        return next((known[domain] for each in addresses if (domain := each.rpartition("@")[2].lower()) in known), None)

    def _title(self, letter: "_Letter") -> str:
        what = "Feedback report" if letter.said.report else "Letter"
        to = letter.addresses[0].rpartition("@")[2].lower()[:120]
        whose = f", from {letter.said.sender.domain[:50]}" if letter.said.sender else ""
        return f"{what} to {self._what.local}@{to}{whose}"

    async def _answer(self, connection: Connection, case: UUID, letter: "_Letter") -> None:
        """Who wrote is kept; only whose letter is certainly theirs is mailed, and nobody at an address of ours."""
        sender = letter.said.sender
        if sender is None or sender.domain in (self._domain, *await store.programmes(connection)):
            return
        sealed = self._keys.seal(sender.addr_spec.encode(), places.case_reporter(case))
        await store.reporter(connection, case, self._index(sender), sealed, signed=letter.signed)
        if letter.signed and not letter.said.report:
            made, answers = ids.uuid7(letter.now), letter.said.message_id
            told = self._keys.seal(answers.encode(), places.case_words(made)) if answers else None
            await store.received(connection, made, case, told, ACKNOWLEDGED)


type _Found = tuple[store.Match, str]


def _true(named: Sequence[naming.Named], matches: Sequence[store.Match]) -> list[_Found]:
    """The messages that are there; one by its Message-ID only under the domain that sent it."""
    there = {one.message: one for one in matches}
    pairs = [(there[one.message], one) for one in named if one.message in there]
    return [(match, one.how) for match, one in pairs if one.signed or one.domain == match.domain]


@dataclass(frozen=True, slots=True)
class _Letter:
    """One letter on its way into a case."""

    addresses: Sequence[str]
    arrived: Arrived
    said: Said
    now: datetime
    signed: bool

    @property
    def digest(self) -> bytes:
        return sha256(self.arrived.octets).digest()

    def entry(self, case: UUID) -> UUID:
        """The same letter to the same case is the same entry."""
        return UUID(bytes=sha256(b"case letter\0" + case.bytes + self.digest).digest()[:16])

    def whole(self) -> bytes:
        """All of it, with the envelope in front."""
        return aside.head(self.arrived, self.addresses) + self.arrived.octets
