"""Feedback: the desk of return paths: what comes back to one counts for the one message whose signed token it is, and
for no other, whatever the letter says; what is not signed, no bounce or not readable is kept aside for a person.

What was read tells about the message's own recipient: it had one. A notification that names somebody else was made
where the mail was forwarded to.
"""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import structlog

from troth.flow.feedback import aside
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.knowing import address_of, key_of
from troth.flow.feedback.outcome import DELAYED, DELIVERED, FAILED, Told, tell
from troth.keys.installation import Purpose
from troth.keys.keyring import TenantKeys
from troth.mail.arrived import Arrived, Verdict
from troth.mail.bounce import Bounced, Reading, read
from troth.mail.tokens import ReturnPath, TokenError, verp_open
from troth.store import events, gate
from troth.store.connection import Connection

_log = structlog.get_logger("troth.feedback")
_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)  # before any token's end: whether it is ours, not whether it still counts
_shape_re = re.compile(r"b[a-z0-9][a-z2-7]{56}", re.IGNORECASE)
_own_id_re = re.compile(r"<?(?P<id>[0-9a-f]{32})@", re.IGNORECASE)
_ASIDE = {"none": "not-a-bounce", "challenge": "challenge", "feedback": "feedback"}  # verdict: reason
_ACTIONS = {"delivered": DELIVERED, "delayed": DELAYED, "relayed": "", "expanded": ""}  # all else: it failed
_WORDS = 500  # characters of a diagnostic that are kept


class Bounces:
    """The desk of every address that looks like a return path: at our own domain whoever signed it, so that asking
    tells nothing; at another only with our signature, so that nothing is taken that is somebody else's.
    """

    name = "bounce"

    def __init__(self, deps: Deps, keys: TenantKeys, domain: str) -> None:
        self._deps, self._keys, self._domain = deps, keys, domain.lower()

    async def knows(self, address: str) -> bool:
        local, _, domain = address.rpartition("@")
        if not _shape_re.fullmatch(local):
            return False
        return domain.lower() == self._domain or not isinstance(self._message(local, _LONG_AGO), str)

    async def take(self, addresses: Sequence[str], arrived: Arrived) -> Verdict:
        async with self._deps.lend() as connection:
            now = await gate.now(connection)
            known = {a: self._message(a.rpartition("@")[0], now) for a in dict.fromkeys(addresses)}
            for reason in dict.fromkeys(m for m in known.values() if isinstance(m, str)):
                await self._aside(connection, reason, arrived, addresses)
            paths = list(dict.fromkeys(m for m in known.values() if isinstance(m, ReturnPath)))
            if paths:
                reading = await asyncio.to_thread(_reading, arrived.octets)
                for path in paths:
                    await self._read(connection, path, reading, arrived, addresses)
        return Verdict.TAKEN

    def _message(self, local: str, now: datetime) -> ReturnPath | str:
        """The message and the attempt of a token, or why it is not to be obeyed."""
        try:
            return verp_open(self._deps.secrets.token_keys(Purpose.VERP), local, now)
        except TokenError as error:
            return error.kind

    async def _aside(self, connection: Connection, reason: str, arrived: Arrived, to: Sequence[str]) -> None:
        await aside.keep(connection, self._keys, self.name, reason, arrived, to)

    async def _read(
        self, connection: Connection, path: ReturnPath, reading: Reading | None, arrived: Arrived, to: Sequence[str]
    ) -> None:
        if reading is None:
            await self._aside(connection, "unreadable", arrived, to)
        elif reading.verdict == "auto-reply":  # an answering machine's words are nobody's business
            await aside.count(connection, self.name, reading.verdict)
        elif reading.verdict in _ASIDE:
            await self._aside(connection, _ASIDE[reading.verdict], arrived, to)
        elif _other(reading, path.message):
            await self._aside(connection, "other-message", arrived, to)
        else:
            await self._tell(connection, path, reading, arrived, to)

    async def _tell(
        self, connection: Connection, path: ReturnPath, reading: Reading, arrived: Arrived, to: Sequence[str]
    ) -> None:
        row = await events.reached(connection, path.message)
        if row is None:
            await aside.count(connection, self.name, "message-gone")
            return
        address = address_of(key_of(self._deps, row), row.person_id, row.address_ct) or b""
        one, elsewhere = ours(reading.recipients, address.decode())
        if one is None:
            await self._aside(connection, "no-recipient", arrived, to)
            return
        if action := _ACTIONS.get(one.action, FAILED):
            key = f"dsn:{sha256(arrived.octets).hexdigest()[:32]}"
            failure = None if action == DELIVERED else one.failure
            detail = _detail(one, elsewhere=elsewhere)
            await tell(self._deps, connection, [Told(path.message, action, key, failure, detail, path.attempt)])
        await aside.count(connection, self.name, action or one.action)


def _reading(octets: bytes) -> Reading | None:
    """None where a fault of ours keeps it from being read: a person's then, and not the sender's to bring again."""
    try:
        return read(octets)
    except Exception as fault:  # noqa: BLE001 - whatever a stranger's letter does to a parser
        _log.error("bounces.unreadable", why=type(fault).__name__)
        return None


def ours(recipients: Sequence[Bounced], address: str) -> tuple[Bounced | None, bool]:
    """What is told of our recipient, and whether it names somebody else. Of several (an alias that was expanded) the
    mildest counts: whoever has the mail has it, and an address is bad only if all that it leads to are.
    """
    named = [each for each in recipients if _same(address, each.recipient) or _same(address, each.original_recipient)]
    one = min(named or recipients, key=_harm, default=None)
    return one, one is not None and not (address and _same(address, one.recipient))


def _same(address: str, named: str) -> bool:
    return bool(address) and address.casefold() == named.strip("<> ").casefold()


def _harm(one: Bounced) -> int:
    order = ("delivered", "relayed", "expanded", "delayed")
    if one.action in order:
        return order.index(one.action)
    return len(order) + one.permanent + 2 * one.address_bad


def _other(reading: Reading, message: UUID) -> bool:
    """Whether the mail that came back is another of ours: a relay may give it a Message-ID of its own."""
    found = _own_id_re.match(reading.message_id)
    return found is not None and found["id"].lower() != message.hex


def _detail(one: Bounced, *, elsewhere: bool) -> dict[str, object]:
    told = {
        "via": "dsn", "reason": one.klass, "class": one.klass, "status": one.status, "reply": one.reply,
        "diagnostic": one.diagnostic[:_WORDS], "remote_mta": one.remote_mta[:255],
    }  # fmt: skip
    return {name: value for name, value in told.items() if value} | ({"forwarded": True} if elsewhere else {})
