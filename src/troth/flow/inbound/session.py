"""Inbound: one connection: aiosmtpd's conversation, with our own reading of paths, letters and limits.

aiosmtpd reads addresses with the standard library's parser for headers, keeps an endless line in memory and offers
AUTH; what is replaced here is that.
"""

import asyncio
from collections import defaultdict
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, Envelope

from troth.flow.inbound.desk import Desk
from troth.flow.inbound.gathering import Gathering
from troth.flow.inbound.hooks import Hooks
from troth.flow.inbound.limits import COMMANDS, Limits, Room
from troth.mail.smtp_mailbox import GrammarError
from troth.mail.smtp_path import read_path

if TYPE_CHECKING:
    from collections.abc import Callable

TOO_MANY = b"421 4.7.0 There are too many connections; come again\r\n"
TOO_SLOW = b"421 4.4.2 That took too long\r\n"
NAMES_TRIED = b"421 4.7.0 None of these addresses is here\r\n"
BARE = b"500 5.5.2 A command ends with CR LF, and has neither of them alone\r\n"
COMMAND_OCTETS = 1_024  # RFC 5321 4.5.3.1.4 and what SIZE, BODY and SMTPUTF8 add
CLOSING = b"421 4.3.2 The server is closing; come again\r\n"


class Lines(asyncio.StreamReader):
    """What comes in. aiosmtpd takes a bare LF for a command's end; a server before us may not, and then it reads other
    commands than we do: such a line ends the connection (RFC 5321 2.3.8). Letters are looked at in gathering.py.
    """

    def __init__(self, refuse: "Callable[[], None]", limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit, loop)
        self._refuse = refuse
        self._begun = b""  # of a line that is too long

    async def read(self, n: int = -1) -> bytes:
        self._begun = await super().read(n)
        return self._begun

    async def readuntil(self, separator: Any = b"\n") -> bytes:
        line = await super().readuntil(separator)
        whole, self._begun = self._begun + line, b""
        if separator == b"\n" and (not whole.endswith(b"\r\n") or b"\r" in whole[:-2]):
            self._refuse()
            raise asyncio.CancelledError  # which ends the conversation's task
        return line


class Letter(Envelope):
    """An envelope; `desk`: whose addresses all of its recipients are."""

    desk: Desk | None = None


class Session(SMTP):
    """aiosmtpd's protocol; `gone` is called when the connection has ended."""

    def __init__(
        self, hooks: Hooks, room: Room, name: str, tls: SSLContext | None, gone: "Callable[[Session], None]"
    ) -> None:
        self.line_length_limit = room.limits.line
        self.command_size_limits = defaultdict(lambda: COMMAND_OCTETS)  # aiosmtpd's own is one for all connections
        super().__init__(
            hooks,
            data_size_limit=room.limits.size,
            enable_SMTPUTF8=True,
            hostname=name,
            ident="ESMTP Troth",
            tls_context=tls,
            timeout=room.limits.command,
            command_call_limit=COMMANDS,
        )
        reader = Lines(self._bare, room.limits.line, self.loop)
        asyncio.StreamReaderProtocol.__init__(self, reader, self._cb_client_connected, self.loop)
        self.hooks = hooks
        self._room, self._gone = room, gone
        self._peer: str | None = None  # once it has room
        self._away = False
        self._heard = 0.0
        self._ends: list[asyncio.TimerHandle] = []
        self._working = self._ending = False

    @property
    def _limits(self) -> Limits:
        return self._room.limits

    # ---- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._peer is None and not self._entered(transport):
            return
        super().connection_made(transport)

    def _entered(self, transport: asyncio.BaseTransport) -> bool:
        assert isinstance(transport, asyncio.WriteTransport)
        peer = str((transport.get_extra_info("peername") or ("",))[0])
        if not self._room.enter(peer):
            self._away = True
            self.hooks.tally["turned-away"] += 1
            transport.write(TOO_MANY)
            transport.close()
            self._gone(self)
            return False
        self._peer = peer
        self._ends.append(self.loop.call_later(self._limits.session, self._timeout_cb))
        return True

    def connection_lost(self, error: Exception | None) -> None:
        if self._away:
            return
        self._away = True
        for timer in self._ends:
            timer.cancel()
        self._room.leave(self._peer or "")
        super().connection_lost(error)
        self._gone(self)

    def eof_received(self) -> bool | None:
        return False if self._away else super().eof_received()

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        super().data_received(data)

    def _bare(self) -> None:
        self.hooks.tally["refused"] += 1
        self._say_last(BARE)

    def _timeout_cb(self) -> None:
        self.hooks.tally["timeout"] += 1
        self._say_last(TOO_SLOW)

    def end(self) -> None:
        """Ends it, when what it is carrying out is done and answered."""
        self._ending = True
        if not self._working:
            self._say_last(CLOSING)

    def cut(self) -> None:
        """Ends it now."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    def _say_last(self, words: bytes) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.write(words)
            self.transport.close()

    # ---- the conversation

    def _create_envelope(self) -> Letter:
        return Letter()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        try:
            return read_path(arg)
        except GrammarError:
            return None, None

    async def push(self, status: str | bytes) -> None:
        """A line of ASCII, whatever of the other side's words is in it."""
        text = status if isinstance(status, str) else status.decode("ascii", "replace")
        await super().push("".join(each if " " <= each <= "~" else "?" for each in text))

    async def smtp_STARTTLS(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        if self._tls_protocol is not None:
            await self.push("503 5.5.1 TLS is spoken already")
            return
        await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, _arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("502 5.5.1 Nobody signs in here")

    async def smtp_VRFY(self, _arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("252 2.5.2 Try to send it")

    async def smtp_EXPN(self, _arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("502 5.5.1 There are no lists here")

    async def smtp_HELP(self, _arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("214 2.0.0 RFC 5321")

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        await super().smtp_RCPT(arg)
        if self.hooks.tries_names:
            self._say_last(NAMES_TRIED)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        assert isinstance(self.envelope, Letter)
        if arg:
            await self.push("501 5.5.4 DATA takes no argument")
            return
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 No recipient was taken")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        letter = Gathering(self._limits, self._room)
        try:
            await self._gather(letter)
            await self._answer(letter, self.envelope)
        finally:
            letter.done()
            self._set_post_data_state()  # type: ignore[no-untyped-call]  # aiosmtpd's own
        if letter.last or self._ending:
            self._say_last(b"" if letter.last else CLOSING)

    async def _gather(self, letter: Gathering) -> None:
        self._reset_timeout(self._limits.letter)
        self._heard = self.loop.time()
        self._watch()
        try:
            while not letter.flood:
                try:
                    line = await self._reader.readuntil(b"\r\n")
                except asyncio.LimitOverrunError as long:
                    letter.piece(await self._reader.read(long.consumed))
                    continue
                if letter.line(line):
                    return
        finally:
            self._watching.cancel()

    def _watch(self) -> None:
        """Ends the connection when no octet of a letter comes for so long."""
        left = self._heard + self._limits.block - self.loop.time()
        if left <= 0:
            self._timeout_cb()
        else:
            self._watching = self.loop.call_later(left, self._watch)

    async def _answer(self, letter: Gathering, envelope: Letter) -> None:
        if letter.refusal:
            self.hooks.tally["refused"] += 1
            await self.push(letter.refusal)
            return
        self._working = True
        try:
            answer = await self.hooks.carry_out(envelope, self._peer or "", letter.octets())
        finally:
            self._working = False
        await self.push(answer)
