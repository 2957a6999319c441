"""Feedback: reports of mailbox providers' feedback loops, at fbl@ our domain and fbl+<loop>@ (RFC 6650): read, believed
or kept aside, carried out.

Believed is what a DKIM signature by the enrolled name itself covers, from the loop's own sender, with a signed token of
ours in it: the one says who speaks, the other of what. A provider's organisational domain is not enough: its mailboxes'
own mail is signed with that. All else is kept for a person and changes nothing.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from troth.flow.feedback import aside, opt_out
from troth.flow.feedback.complaining import Report, complain
from troth.flow.feedback.complaints_tokens import message_of
from troth.flow.feedback.deps import Deps
from troth.keys.consents import Said
from troth.keys.keyring import TenantKeys
from troth.mail import parts
from troth.mail.arrived import Arrived, Verdict
from troth.mail.feedback_report import FeedbackReport, reports
from troth.mail.parts import Part
from troth.outside.dkim_verify import Signature, Verifier
from troth.store import complaints as store
from troth.store import events, gate
from troth.store.connection import Connection

DESK = "complaint"
OPT_OUT = "opt-out"
# Fields of the letter's own header by which its form is known: believed as far as they are signed.
_DECIDING = ("subject", "x-xarf", "x-arf")
# What a provider tells that is no recipient's complaint: counted by loop, and nothing is set in motion (RFC 5965 7.3).
NO_COMPLAINT = frozenset({"not-spam", "auth-failure", "virus", "dmarc"})


class NoAnswer(TimeoutError):  # noqa: N818 - the name says what happened
    """The DNS could not say whether a signature holds: the server answers that the letter may come again."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A letter, read, with what is to be known of it before the store is asked to act."""

    arrived: Arrived
    part: Part
    reports: tuple[FeedbackReport, ...]
    came_at: datetime


class Complaints:
    """The desk of these addresses (flow/inbound/desk.py). `keys`: the operator's own, under which letters are kept."""

    name = "complaints"

    def __init__(self, deps: Deps, keys: TenantKeys, domain: str, verifier: Verifier) -> None:
        self._deps, self._keys, self._domain, self._verifier = deps, keys, domain.lower(), verifier

    async def knows(self, address: str) -> bool:
        local, _, domain = address.lower().rpartition("@")
        return domain == self._domain and local.partition("+")[0] == "fbl"

    async def take(self, addresses: Sequence[str], arrived: Arrived) -> Verdict:
        """No connection is lent while the DNS is asked. NoAnswer, and what the store raises, is temporary."""
        async with self._deps.lend() as connection:
            now = await gate.now(connection)
            loops = await store.loops(connection)
        part, found = await asyncio.to_thread(_read, arrived.octets)
        letter = _Read(arrived, part, found, now)
        if not found[0].found:
            return await self._aside("unreadable", letter, addresses)
        enrolled = {domain.lower() for loop in loops for domain in loop.domains}
        signatures = await self._verifier.verify(arrived.octets, part, now, lambda signed: signed in enrolled)
        believed = _loop(loops, signatures, part)
        if believed is None:
            return await self._aside(_why(signatures, part), letter, addresses)
        loop, signature = believed
        letter = await asyncio.to_thread(_as_signed, letter, signature)
        if not letter.reports[0].found:
            return await self._aside("unreadable", letter, addresses)
        return await self._believed(loop, letter, addresses)

    async def _believed(self, loop: store.Loop, letter: _Read, addresses: Sequence[str]) -> Verdict:
        """Each report of it by itself; one that names no message of ours keeps the letter aside, once."""
        async with self._deps.lend() as connection:
            told = [await self._carry_out(connection, loop, letter, each) for each in letter.reports]
        return Verdict.TAKEN if all(told) else await self._aside("no-token", letter, addresses)

    async def _carry_out(self, connection: Connection, loop: store.Loop, letter: _Read, report: FeedbackReport) -> bool:
        if report.feedback_type in NO_COMPLAINT:
            await store.told(connection, loop.id, report.feedback_type, new=False)
            return True
        message = message_of(self._deps.secrets, report, letter.came_at)
        if message is None:
            return False
        if report.feedback_type == OPT_OUT:
            new = await self._opt_out(connection, letter, message)
        else:
            new = await self._complain(connection, loop, letter, report, message)
        await store.told(connection, loop.id, report.feedback_type, new=new)
        return True

    async def _complain(
        self, connection: Connection, loop: store.Loop, letter: _Read, report: FeedbackReport, message: UUID
    ) -> bool:
        """One event of a message for each loop, however often the loop tells it."""
        detail = {
            "via": "fbl", "loop": loop.name, "provider": loop.provider, "feedback_type": report.feedback_type,
            "format": report.format[:200], "source_ip": report.source_ip, "incidents": report.incidents,
            "reported_at": report.arrival_date.isoformat() if report.arrival_date else "", "peer": letter.arrived.peer,
        }  # fmt: skip
        given = Report(loop, letter.came_at, letter.arrived.octets)
        return await complain(self._deps, connection, message, f"fbl:{loop.id}", detail, given)

    async def _opt_out(self, connection: Connection, letter: _Read, message: UUID) -> bool:
        """A wish to get no more, which is no complaint: as by our own link."""
        found = await opt_out.letter(self._deps, connection, message, letter.came_at)
        if found is None or await events.told_already(connection, message, opt_out.SOURCE):
            return False
        said = Said("", "an opt-out that a feedback loop told", letter.arrived.peer)
        await opt_out.carry_out(self._deps, connection, found, "feedback-loop", said)
        return True

    async def _aside(self, reason: str, letter: _Read, addresses: Sequence[str]) -> Verdict:
        async with self._deps.lend() as connection:
            return await aside.keep(connection, self._keys, DESK, reason, letter.arrived, addresses)


def _read(octets: bytes) -> tuple[Part, tuple[FeedbackReport, ...]]:
    part = parts.read(octets)
    return part, reports(part)


def _as_signed(letter: _Read, signature: Signature) -> _Read:
    """As it reads without what anybody could have written above the signed fields."""
    unsigned = {name for name in _DECIDING if not signature.covers(letter.part, name)}
    if not unsigned:
        return letter
    fields = tuple((name, value) for name, value in letter.part.fields if name.lower() not in unsigned)
    return replace(letter, reports=reports(replace(letter.part, fields=fields)))


def _loop(
    loops: Sequence[store.Loop], signatures: Sequence[Signature], part: Part
) -> tuple[store.Loop, Signature] | None:
    """The loop whose sender it is and whose signature holds, under the very name that was enrolled."""
    senders = {address.lower() for address in parts.addresses(part.first("from"))}
    for loop in sorted(loops, key=lambda each: each.name):
        domains = {domain.lower() for domain in loop.domains}
        signed = next((s for s in signatures if s.holds and s.domain in domains), None)
        if signed is not None and senders == {loop.sender.lower()}:
            return loop, signed
    return None


def _why(signatures: Sequence[Signature], part: Part) -> str:
    """Why a letter is not believed. NoAnswer where a loop's own signature could not be looked at."""
    if any(s.temporary for s in signatures):
        raise NoAnswer("The DNS did not say whether this signature holds.")
    if any(s.holds for s in signatures):
        return "other-sender"
    if signatures:
        return "bad-signature"
    return "not-enrolled" if part.first("dkim-signature") else "unsigned"
