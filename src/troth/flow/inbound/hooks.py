"""Inbound: what is answered to whom: only addresses of a desk, and 250 only for what is done."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import psycopg
import structlog
from aiosmtpd.smtp import SMTP, Envelope, TLSSetupException
from aiosmtpd.smtp import Session as Conversation

from troth.flow.inbound.desk import Desk
from troth.flow.inbound.limits import RECIPIENTS, REFUSED
from troth.flow.inbound.tally import Tally
from troth.keys.errors import KmsUnavailable
from troth.mail.arrived import Arrived, Verdict

if TYPE_CHECKING:
    from troth.flow.inbound.session import Letter

_log = structlog.get_logger("troth.inbound")
_AWAY = (psycopg.Error, KmsUnavailable, TimeoutError, OSError)
AWAY = "451 4.3.0 The records cannot be reached; come again"
NOT_OURS = "550 5.1.1 There is no such address here"
_ANSWERS = {
    Verdict.TAKEN: "250 2.0.0 Done",
    Verdict.GONE: "550 5.1.1 What this was about is not there any more",
    Verdict.AUTOMATIC: "550 5.7.1 An automatic reply is not taken here: a person may write, or use the page",
    Verdict.FULL: "452 4.2.2 The mailbox is full; come again",
}
_UNOFFERED = ("250-AUTH", "250 HELP", "250-HELP")


class Hooks:
    """aiosmtpd's hooks, one of a connection: they count how many wrong addresses it tries."""

    def __init__(self, desks: Sequence[Desk], tally: Tally) -> None:
        self._desks = desks
        self.tally = tally
        self._wrong = 0

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Conversation, _envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*(line for line in lines if not line.startswith(_UNOFFERED)), "250 PIPELINING"]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Conversation, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not address.isascii() and not envelope.smtp_utf8:
            return "553 5.6.7 An address like this needs SMTPUTF8"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Go on"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Conversation, envelope: "Letter", address: str, _options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return "452 4.5.3 These are recipients enough for one letter"
        try:
            desk = await self._desk(address)
        except _AWAY as away:
            return self._away(away)
        if desk is None:
            self.tally["not-ours"] += 1
            self._wrong += 1
            return NOT_OURS
        if envelope.desk not in (None, desk):
            return "452 4.5.3 Send this one in a letter of its own"
        envelope.desk = desk
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Go on"

    async def _desk(self, address: str) -> Desk | None:
        for desk in self._desks:
            if await desk.knows(address):
                return desk
        return None

    @property
    def tries_names(self) -> bool:
        """Whether this connection looks for addresses rather than having a letter for one."""
        return self._wrong >= REFUSED

    async def carry_out(self, envelope: "Letter", peer: str, octets: bytes) -> str:
        """The answer to a whole letter, once it is done."""
        assert envelope.desk is not None
        arrived = Arrived(peer, envelope.mail_from or "", octets)
        try:
            verdict = await envelope.desk.take(envelope.rcpt_tos, arrived)
        except _AWAY as away:
            return self._away(away)
        self.tally[verdict] += 1
        return _ANSWERS[verdict]

    def _away(self, error: Exception) -> str:
        self.tally["away"] += 1
        _log.warning("inbound.store_away", error=type(error).__name__)
        return AWAY

    async def handle_exception(self, error: Exception) -> str:
        """What nobody foresaw is never the sender's fault for good."""
        if not isinstance(error, TLSSetupException):
            self.tally["broken"] += 1
            _log.error("inbound.fault", error=type(error).__name__, exc_info=error)
        return "451 4.3.0 Something is wrong here; come again"
