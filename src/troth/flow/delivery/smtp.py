"""Delivery's hand: one SMTP connection, the pure machine of `smtp_protocol` on an asyncio transport.

It takes envelopes from its owner (a pool) whenever the session can begin one, also behind a message that is
still on its way, and gives back one answer for each. It never raises for what the next hop or the network
does.
"""

import asyncio
import os
import ssl
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

from troth.flow.delivery.smtp_protocol import SmtpClient
from troth.flow.delivery.smtp_states import Closed, Event, StartTls, Want
from troth.flow.delivery.smtp_types import Answer, Envelope

if TYPE_CHECKING:
    from collections.abc import Callable

    from troth.flow.delivery.route import Route


_NAMES = {Want.RSET: "mail", Want.LONE_DOT: "data"}  # whose timeout these share


@dataclass(slots=True, eq=False)
class Job:
    """An envelope that waits for its answer; after `deadline` (loop time) it may not be begun any more."""

    envelope: Envelope
    done: "Callable[[Answer], None]"
    deadline: float
    retried: bool = field(default=False)


class Owner(Protocol):
    """Whom a connection serves."""

    def take(self, connection: "Connection") -> Job | None:
        """The next envelope to begin; it counts as on the wire from here on."""

    def rested(self, connection: "Connection") -> None:
        """The connection is ready and has nothing to do."""

    def answered(self, connection: "Connection", job: Job, answer: Answer) -> None:
        """One envelope is through."""

    def ended(self, connection: "Connection", closed: Closed) -> None:
        """The session is over; its socket may still be closing."""

    def gone(self, connection: "Connection") -> None:
        """The socket is closed."""


class Connection(asyncio.Protocol):
    """One session from connect to close."""

    def __init__(self, route: "Route", context: ssl.SSLContext | None, owner: Owner) -> None:
        self.core = SmtpClient(route)
        self.was_ready = False  # the session came through its opening
        self.rested = False  # it was idle after that
        self._route, self._context, self._owner = route, context, owner
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._jobs: deque[Job] = deque()
        self._paused = False
        self._task: asyncio.Task[None] | None = None  # connecting, or making TLS
        self._seen = -1
        self._limits: dict[Want, float] = {want: getattr(route.timeouts, _NAMES.get(want, want)) for want in Want}
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Connect, in a task of our own. What goes wrong is told to the owner as the session's end."""
        self._task = self._loop.create_task(self._open())
        self._task.add_done_callback(self._opened)

    async def _open(self) -> None:
        route, now_tls = self._route, self._route.tls == "implicit"
        try:
            async with asyncio.timeout(route.timeouts.connect):
                await self._loop.create_connection(
                    lambda: self,
                    route.host,
                    route.port,
                    ssl=self._context if now_tls else None,
                    server_hostname=route.server_name if now_tls else None,
                    ssl_shutdown_timeout=route.timeouts.quit if now_tls else None,
                )
        except (OSError, UnicodeError) as error:
            self._never_was(_why(error, route.timeouts.connect))

    def _opened(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():  # perhaps before it ran at all
            self._never_was("Given up before the connection was made.")

    def _never_was(self, text: str) -> None:
        if self._transport is not None:  # it came in the very instant in which we gave up
            self.abort(text)
        elif not self.core.closed:
            self.core.end(text)
            self._owner.ended(self, Closed("connect", None, None, text, False, ()))
        self._over()  # uvloop says nothing more of a connection whose making was cancelled

    # what the owner asks

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    @property
    def alive(self) -> bool:
        return not self.core.closed

    @property
    def proven(self) -> bool:
        """Whether it served before, or was kept for later: such a one may close by nobody's fault."""
        return self.rested or self.core.messages > 0

    def wake(self) -> None:
        """There may be envelopes to take."""
        self._pump()

    def quit(self) -> None:
        """Say goodbye when idle."""
        self.core.quit()
        self._pump()

    def abort(self, text: str) -> None:
        """End now; what is under way is answered as unsent or lost."""
        self.core.end(text)
        self._pump()
        if self._transport is not None:
            self._transport.abort()
        elif self._task is not None:
            self._task.cancel()

    # what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self.core.closed:
            self._transport.abort()
        self._watch()

    def data_received(self, data: bytes) -> None:
        self.core.receive_data(data)
        self._pump()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        self.core.end(f"The next hop closed the connection ({exc}).".replace(" (None)", ""))
        self._pump()
        self._over()

    def _over(self) -> None:
        """The socket is closed. In a TLS handshake that fails asyncio does not say so; we do, and only once counts."""
        if self._timer is not None:
            self._timer.cancel()
        self._owner.gone(self)

    # the pump

    def _pump(self) -> None:
        """Tell what happened, say what there is to say, begin what can be begun, look at the clock."""
        core = self.core
        self._tell(core.events())
        while not self._paused and not core.closed:
            took = core.wants_next and self._take()
            octets = core.data_to_send()
            if octets and self._transport is not None:
                self._transport.write(octets)
            elif not took:
                break
        self._tell(core.events())
        if core.turns != self._seen:
            self._watch()
        if core.idle and not self._paused:
            self.was_ready = self.rested = True
            self._owner.rested(self)

    def _take(self) -> bool:
        self.was_ready = True
        job = self._owner.take(self)
        if job is None:
            return False
        self._jobs.append(job)
        self.core.submit(job.envelope)
        return True

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Answer):
                self._owner.answered(self, self._job_of(event), event)
            elif isinstance(event, StartTls):
                self._begin_tls()
            else:
                self._finish(event)

    def _job_of(self, answer: Answer) -> Job:
        """An envelope refused before the wire is answered ahead of the one under way: look past the first."""
        jobs = self._jobs
        while jobs[0].envelope.key is not answer.key:
            jobs.rotate(-1)
        return jobs.popleft()

    def _finish(self, closed: Closed) -> None:
        self._owner.ended(self, closed)
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if closed.code is None:  # nobody to be polite to, and half a message must not look like a whole one
            transport.abort()
            return
        transport.close()
        self._loop.call_later(self._route.timeouts.quit, transport.abort)

    # TLS

    def _begin_tls(self) -> None:
        assert self._transport is not None
        self._transport.pause_reading()  # what comes from here on is for TLS alone
        self._task = self._loop.create_task(self._handshake(self._transport))

    async def _handshake(self, transport: asyncio.Transport) -> None:
        route = self._route
        assert self._context is not None
        try:
            async with asyncio.timeout(route.timeouts.starttls):
                upgraded = await self._loop.start_tls(
                    transport,
                    self,
                    self._context,
                    server_hostname=route.server_name,
                    ssl_shutdown_timeout=route.timeouts.quit,
                )
        except OSError as error:
            self._no_tls(transport, _why(error, route.timeouts.starttls))
            return
        if upgraded is None or self.core.closed:
            self._no_tls(transport, "The next hop closed the connection during the TLS handshake.")
            return
        self._transport = upgraded
        self.core.tls_started()
        self._pump()

    def _no_tls(self, transport: asyncio.Transport, text: str) -> None:
        self.abort(text)
        transport.abort()
        self._over()

    # the clock: one lazy timer a connection, not one a message

    def _watch(self) -> None:
        self._seen = self.core.turns
        wait = self._patience()
        self._deadline = None if wait is None else self._loop.time() + wait
        if self._deadline is not None and (self._timer is None or self._timer.when() > self._deadline):
            self._arm(self._deadline)

    def _patience(self) -> float | None:
        """Seconds that the present phase may last; None where nothing is waited for here."""
        want = self.core.waiting_for
        if want is None:
            return self._route.timeouts.idle if self.core.idle else None
        return self._limits[want]

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._deadline is None or self.core.closed:
            return
        if self._loop.time() < self._deadline:
            self._arm(self._deadline)
        elif self.core.idle:
            self.quit()
        else:
            want, wait = self.core.waiting_for, self._patience()
            self.abort(f"No reply within {wait:g} s ({want}).")


def _why(error: Exception, limit: float) -> str:
    """A connection failure in a sentence."""
    if isinstance(error, TimeoutError):
        return f"No connection within {limit:g} s."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of the next hop is not to be trusted: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return f"No TLS with the next hop: {error.reason or error}."
    said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno and error.errno > 0 else str(error)
    return f"No connection to the next hop: {said}."
