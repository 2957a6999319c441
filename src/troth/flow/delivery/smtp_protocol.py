"""Delivery's tongue: the client's side of SMTP as a pure machine, octets in, events and octets out.

    client = SmtpClient(route)
    client.receive_data(octets)      what the next hop said
    client.submit(envelope)          when `wants_next`
    client.data_to_send()            octets for the wire, until empty
    client.events()                  Answer | StartTls | Closed, in order

RFC 5321; PIPELINING 2920, STARTTLS 3207, AUTH 4954 (PLAIN 4616, LOGIN), SIZE 1870, ENHANCEDSTATUSCODES 2034,
8BITMIME 6152. With pipelining the end of one message and the next envelope leave in one write. A server
that refuses EHLO is not spoken to: what we need (TLS, AUTH) begins there. Time is the caller's business.
"""

from base64 import b64encode
from collections import deque
from typing import TYPE_CHECKING, cast

from troth.flow.delivery.smtp_commands import commands, extensions, local_refusal
from troth.flow.delivery.smtp_reply import Reply, ReplyReader
from troth.flow.delivery.smtp_states import MOVES, Closed, Event, StartTls, State, Want
from troth.flow.delivery.smtp_types import Answer, Envelope, Outcome, Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from troth.flow.delivery.route import Route

CHUNK = 65536  # octets of content handed over at once; the last piece carries the final dot
LINES_KEPT = 40  # lines of a conversation kept for the log
INJECTED = "The next hop sent plaintext after it agreed to STARTTLS: nothing of it is believed."


class _Trip:
    """One envelope on its way: commands still to send, what was said, whether it is answered, its dot out."""

    __slots__ = ("answered", "envelope", "lines", "offset", "rcpt_taken", "released", "todo")

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
        self.todo: list[tuple[Want, bytes]] = []
        self.lines: list[str] = []
        self.offset = 0
        self.answered = self.released = self.rcpt_taken = False


class SmtpClient:
    """One session with one next hop. See the module's opening for its use."""

    def __init__(self, route: "Route") -> None:
        self._route = route
        self._secure = route.tls == "implicit"
        self._reader = ReplyReader()
        self._expected: deque[tuple[Want, _Trip | None]] = deque([(Want.GREETING, None)])
        self._out: list[bytes] = []
        self._events: list[Event] = []
        self._secrets: deque[bytes] = deque()
        self._opening: list[str] = []
        self._lead: _Trip | None = None  # its MAIL, RCPT or DATA is not answered yet
        self._content: _Trip | None = None  # told to go ahead, its dot not released yet
        self._pipelining = False
        self._now = Want.GREETING  # what the reply in hand answers
        self._steps: dict[tuple[Want, int], Callable[..., str | None]] = {
            key: getattr(self, name) for key, name in MOVES.items()
        }
        self._dirty = False  # the server may hold half a transaction: RSET first
        self.state = State.OPENING
        self.extensions: dict[str, tuple[str, ...]] = {}
        self.turns = 0  # grows with each reply and each write: a clock's progress mark
        self.messages = 0  # replies to a final dot

    # what the connection asks

    @property
    def waiting_for(self) -> Want | None:
        """The reply, or while content goes out DATA, that a timer must watch. None when idle or in TLS."""
        if self._content is not None:
            return Want.DATA
        return self._expected[0][0] if self._expected else None

    @property
    def wants_next(self) -> bool:
        """Whether an envelope may be submitted now: its commands leave with the next `data_to_send`."""
        if self.state is not State.READY or self._lead is not None:
            return False
        if self._content is not None:
            return self._pipelining and len(self._content.envelope.data) - self._content.offset <= CHUNK
        return self._pipelining or not self._expected

    @property
    def closed(self) -> bool:
        return self.state is State.CLOSED

    @property
    def idle(self) -> bool:
        return self.state is State.READY and not self._expected and self._lead is None and self._content is None

    def events(self) -> list[Event]:
        """What happened since the last call, in order."""
        if not self._events:
            return []
        events, self._events = self._events, []
        return events

    # what the connection does

    def receive_data(self, data: bytes) -> None:
        if self.closed:
            return
        if self.state is State.HANDSHAKE:
            self._fail(INJECTED)
            return
        self._reader.feed(data)
        while not self.closed and (reply := self._reader.next()) is not None:
            self._hear(reply)
        if self._reader.fault is not None:
            self._fail(self._reader.fault)

    def submit(self, envelope: Envelope) -> None:
        """Begin a transaction. An envelope that must not reach this server is refused before the wire."""
        if not self.wants_next:
            raise RuntimeError("Submit an envelope only when wants_next is True.")
        if fault := local_refusal(envelope, self.extensions):
            self._events.append(Answer(envelope.key, "refused", "mail", None, *fault))
            return
        trip = self._lead = _Trip(envelope)
        if self._dirty:
            trip.todo.append((Want.RSET, b"RSET\r\n"))
            self._dirty = False
        trip.todo += commands(envelope, self.extensions)

    def data_to_send(self) -> bytes:
        """The next octets for the wire; empty when there is nothing to say. Content comes in CHUNKs."""
        if self._content is not None:
            self._send_content(self._content)
        lead = self._lead
        if lead is not None and lead.todo and self._content is None and (self._pipelining or not self._expected):
            self._send_commands(lead)
        if not self._out:
            return b""
        self.turns += 1
        out = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        return out

    def tls_started(self) -> None:
        """TLS is up: what was said before is forgotten (RFC 3207 4.2) and we introduce ourselves again."""
        if self.state is not State.HANDSHAKE:
            return
        self.state, self._secure = State.OPENING, True
        self._say_ehlo()

    def quit(self) -> None:
        """Say goodbye, when idle; else nothing happens."""
        if self.idle:
            self.state = State.QUITTING
            self._command(Want.QUIT, b"QUIT\r\n")

    def end(self, text: str) -> None:
        """The connection is gone, or the caller gives up on it: every envelope under way is answered."""
        self._fail(text)

    # replies

    def _hear(self, reply: Reply) -> None:
        self.turns += 1
        if not self._expected:
            self._unasked(reply)
            return
        head = want, trip = self._expected.popleft()
        if want is Want.AUTH:
            reply = Reply.of(reply.code, tuple(map(self._masked, reply.lines)))
        (self._opening if trip is None else trip.lines).append(reply.written)
        step = self._steps.get((want, reply.code // 100))
        if reply.code == 421 and want is not Want.QUIT:
            step = self._unusable
        self._now = want
        fault = step(trip, reply) if step else f"The next hop answered {want} with {reply.code}."
        if fault is not None:
            self._expected.appendleft(head)  # not answered after all
            self._fail(fault)

    def _unasked(self, reply: Reply) -> None:
        """A reply while none was due: a goodbye, a refusal before the content was out, or nonsense."""
        trip = self._content
        self._now = Want.MAIL if trip is None else Want.DATA
        if trip is not None and reply.code >= 400:
            trip.lines.append(reply.written)
            self._answer(trip, "unsent" if reply.code == 421 else "refused", "data", reply)
        if reply.code == 421:
            self._unusable(None, reply)
        else:
            self._fail(f"The next hop spoke out of turn: {reply.written}.")

    def _unusable(self, trip: _Trip | None, reply: Reply) -> None:
        """This session is of no use any more; the envelope it concerns, if any, is unsent by that reply."""
        phase = _phase(self._now)
        if trip is not None and not trip.answered:
            self._answer(trip, "unsent", phase, reply)
        self._close(phase, reply.text, reply)

    # the opening; each step gives None, or the fault of the next hop that ends the session

    def _greeted(self, _trip: None, _reply: Reply) -> None:
        self._say_ehlo()

    def _introduced(self, _trip: None, reply: Reply) -> None:
        self.extensions = extensions(reply)
        self._pipelining = "PIPELINING" in self.extensions
        if self._route.tls == "starttls" and not self._secure:
            if "STARTTLS" in self.extensions:
                self._command(Want.STARTTLS, b"STARTTLS\r\n")
            else:
                self._close("starttls", "The next hop does not offer STARTTLS; nothing is said in the clear.")
        elif self._route.username is not None:
            self._say_auth(self._route.username, self._route.password or "")
        else:
            self.state = State.READY

    def _begin_tls(self, _trip: None, _reply: Reply) -> str | None:
        if not self._reader.empty:
            return INJECTED
        self.state = State.HANDSHAKE
        self._events.append(StartTls())
        return None

    def _next_secret(self, _trip: None, reply: Reply) -> str | None:
        if not self._secrets:
            return f"The next hop asked for more than AUTH has: {reply.written}."
        self._command(Want.AUTH, self._secrets.popleft() + b"\r\n", "***")
        return None

    def _ready(self, _trip: None, _reply: Reply) -> None:
        self._secrets.clear()
        self.state = State.READY

    def _say_ehlo(self) -> None:
        self._command(Want.EHLO, b"EHLO %b\r\n" % self._route.ehlo_name.encode())

    def _say_auth(self, username: str, password: str) -> None:
        offered = {word.upper() for word in self.extensions.get("AUTH", ())}
        user, secret = username.encode(), password.encode()
        if "PLAIN" in offered:
            plain = b64encode(b"\0%b\0%b" % (user, secret))
            self._command(Want.AUTH, b"AUTH PLAIN %b\r\n" % plain, "AUTH PLAIN ***")
        elif "LOGIN" in offered:
            self._secrets.extend((b64encode(user), b64encode(secret)))
            self._command(Want.AUTH, b"AUTH LOGIN\r\n")
        else:
            self._close("auth", "The next hop offers neither AUTH PLAIN nor AUTH LOGIN.")

    # a transaction

    def _go_on(self, _trip: _Trip, _reply: Reply) -> None:
        """Nothing to do: what comes next is on its way, or in the trip's list."""

    def _rcpt_taken(self, trip: _Trip, _reply: Reply) -> None:
        trip.rcpt_taken = True

    def _go_ahead(self, trip: _Trip, _reply: Reply) -> str | None:
        if not trip.answered:
            self._content = trip
        elif trip.rcpt_taken:
            return "The next hop refused MAIL and yet takes recipient and content: it is not to be trusted."
        else:
            self._command(Want.LONE_DOT, b".\r\n", None, trip)
        self._lead = None
        return None

    def _refused(self, trip: _Trip, reply: Reply) -> None:
        if reply.code == 503 and not trip.answered:  # our order is right, so the server has lost its place
            self._unusable(trip, reply)
            return
        if not trip.answered:
            self._answer(trip, "refused", _phase(self._now), reply)
        if self._now is Want.EOD:
            self.messages += 1
            return
        self._dirty = True
        trip.todo.clear()
        if not any(owner is trip for _, owner in self._expected):
            self._lead = None

    def _accepted(self, trip: _Trip, reply: Reply) -> None:
        self.messages += 1
        self._answer(trip, "accepted", "eod", reply)

    def _quit(self, _trip: None, reply: Reply) -> None:
        self._close("mail", reply.text, reply, clean=True)

    # speaking

    def _command(self, want: Want, line: bytes, shown: str | None = None, trip: _Trip | None = None) -> None:
        self._out.append(line)
        self._expected.append((want, trip))
        lines = self._opening if trip is None else trip.lines
        lines.append(shown or line[:-2].decode("ascii"))

    def _send_commands(self, trip: _Trip) -> None:
        """All that are left when the server takes them in a row, else the next one."""
        now = trip.todo if self._pipelining else trip.todo[:1]
        trip.todo = [] if self._pipelining else trip.todo[1:]
        octets = b"".join([line for _, line in now])
        self._out.append(octets)
        self._expected.extend([(want, trip) for want, _ in now])
        trip.lines.extend(octets.decode("ascii").split("\r\n")[:-1])

    def _send_content(self, trip: _Trip) -> None:
        data, start = trip.envelope.data, trip.offset
        trip.offset = start + CHUNK
        if trip.offset < len(data):
            self._out.append(data[start : trip.offset])
            return
        self._out.append((data[start:] if start else data) + b".\r\n")
        self._content = None
        trip.released = True
        trip.lines.append(f"({len(data)} octets and the final dot)")
        self._expected.append((Want.EOD, trip))

    # ending

    def _answer(self, trip: _Trip, outcome: Outcome, phase: Phase, reply: Reply | None, text: str = "") -> None:
        trip.answered = True
        lines = tuple(trip.lines)
        lost = outcome == "lost"
        key = trip.envelope.key
        if reply is None:
            self._events.append(Answer(key, outcome, phase, None, None, text, lost, lines))
        else:
            said = Answer(key, outcome, phase, reply.code, reply.enhanced, reply.text, lost, lines)
            self._events.append(said)

    def _fail(self, text: str) -> None:
        at = Want.STARTTLS if self.state is State.HANDSHAKE else self.waiting_for
        self._close(_phase(at), text)

    def _close(self, phase: Phase, text: str, reply: Reply | None = None, *, clean: bool = False) -> None:
        """Answer what is under way, lost if its dot is out, and be over. Only the first call counts."""
        if self.closed:
            return
        self.state = State.CLOSED
        self._out.clear()
        for at, trip in self._under_way():
            self._answer(trip, "lost" if trip.released else "unsent", at, None, text)
        code, enhanced = (reply.code, reply.enhanced) if reply else (None, None)
        talk = tuple(self._opening[-LINES_KEPT:])
        self._events.append(Closed(phase, code, enhanced, text, clean, talk))
        self._expected.clear()
        self._lead = self._content = None

    def _under_way(self) -> list[tuple[Phase, _Trip]]:
        """Unanswered envelopes in their order, each with the phase it is in."""
        found: dict[int, tuple[Phase, _Trip]] = {}
        if self._content is not None:
            found[id(self._content)] = ("data", self._content)
        for want, trip in self._expected:
            if trip is not None:
                found.setdefault(id(trip), (_phase(want), trip))
        if self._lead is not None:
            found.setdefault(id(self._lead), ("mail", self._lead))
        return [(phase, trip) for phase, trip in found.values() if not trip.answered]

    # the log

    def _masked(self, text: str) -> str:
        """The text without our password, should a server repeat it, plain or as AUTH writes it."""
        user, password = self._route.username or "", self._route.password or ""
        plain = f"\0{user}\0{password}".encode()
        for shape in (b64encode(plain), b64encode(password.encode()), password.encode()):
            text = text.replace(shape.decode(), "***")
        return text


def _phase(want: Want | None) -> Phase:
    """Where we stand, in an answer's words: what is not part of the way to one message's end counts as `mail`."""
    return "mail" if want in {None, Want.RSET, Want.QUIT, Want.LONE_DOT} else cast("Phase", str(want))
