"""Around the house: doctor's check of the relay: the worker's own conversation up to its first message, and goodbye."""

import asyncio
import socket
import ssl
from dataclasses import replace
from threading import Thread

from troth.cli import worker
from troth.cli.doctor.finding import Finding, Findings, ok, unknown, wrong
from troth.cli.doctor.patient import Patient
from troth.cli.words import CommandError
from troth.flow.delivery.route import Route, RouteError, Timeouts
from troth.flow.delivery.smtp import Connection, Job
from troth.flow.delivery.smtp_states import Closed
from troth.flow.delivery.smtp_types import Answer
from troth.settings import Settings

SECONDS = 5.0
_STEP = 3.0  # seconds for one step
_WHOLE = 4.0  # seconds for the conversation
_TIMEOUTS = Timeouts(connect=_STEP, greeting=_STEP, ehlo=_STEP, starttls=_STEP, auth=_STEP, quit=0.5)
LATE = wrong("the relay does not answer in time", "See that the relay runs and that no firewall lies between.")
_FIXES = {
    "connect": "See that the relay runs and that relay_host, relay_port and relay_tls are right.",
    "greeting": "It connects and says nothing usable: ask its operator; relay_tls may be 'implicit' there.",
    "ehlo": "Its operator can say why it refuses us; ehlo_name should be our name in the DNS.",
    "starttls": "Take a relay with TLS, or correct relay_port; 'implicit' is for port 465.",
    "auth": "Correct relay_username and relay_password.",
}


class _Asker:
    """The conversation's owner: it has no envelope to hand over, so no mail is sent."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.closed: Closed | None = None
        self.over = asyncio.Event()

    def take(self, _connection: Connection) -> Job | None:
        return None

    def rested(self, _connection: Connection) -> None:
        self.ready.set()
        self.over.set()

    def answered(self, _connection: Connection, _job: Job, _answer: Answer) -> None:
        """Never: nothing was asked."""

    def ended(self, _connection: Connection, closed: Closed) -> None:
        self.closed = self.closed or closed
        self.over.set()

    def gone(self, _connection: Connection) -> None:
        self.over.set()


def look(patient: Patient) -> Findings:
    if not patient.settings.relay_host:
        yield unknown("the relay: relay_host is not set", "Set relay_host.")
        return
    yield examine(patient.settings)


def examine(settings: Settings) -> Finding:
    """Connect, EHLO, STARTTLS, AUTH, QUIT; what came of it."""
    place = f"{settings.relay_host}:{settings.relay_port}"
    try:
        route = replace(worker.route(settings), timeouts=_TIMEOUTS)
        context = route.tls_context()
    except (CommandError, RouteError) as bad:
        return wrong(
            f"the relay's settings: {bad}", "Correct relay_tls, relay_ca_file, relay_username or relay_password."
        )
    address = _address(route)
    if isinstance(address, Finding):
        return address
    there = replace(route, host=address, verify_name=route.server_name)
    return asyncio.run(_talk(there, context, place))


def _address(route: Route) -> str | Finding:
    """Its first address that takes a connection, else its first; found here, since a look-up cannot be cancelled."""
    found: list[str] = []

    def find() -> None:
        try:
            infos = socket.getaddrinfo(route.host, route.port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(info[4][0]) for info in infos))
        except OSError:
            return

    thread = Thread(target=find, daemon=True)
    thread.start()
    thread.join(_STEP)
    if not found:
        word = "takes too long to be found" if thread.is_alive() else "is not found"
        return wrong(
            f"the relay's name {route.host} {word} in the DNS", "Correct relay_host, or the DNS of this machine."
        )
    return next((each for each in found if len(found) == 1 or _opens(each, route.port)), found[0])


def _opens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), 0.5).close()
    except OSError:
        return False
    return True


async def _talk(route: Route, context: ssl.SSLContext | None, place: str) -> Finding:
    asker = _Asker()
    connection = Connection(route, context, asker)
    connection.start()
    try:
        await asyncio.wait_for(asker.over.wait(), _WHOLE)
    except TimeoutError:
        connection.abort("given up")
        step = str(connection.core.waiting_for or "connect")
        return wrong(
            f"the relay {place} is silent at {step.upper()}: no answer within {_WHOLE:g} s",
            _FIXES.get(step, _FIXES["connect"]),
        )
    if not asker.ready.is_set():
        return _refused(asker.closed, route, place)
    connection.quit()
    await asyncio.sleep(0.1)
    connection.abort("the doctor has seen enough")
    how = "without TLS" if route.tls == "none" else "with a valid certificate"
    return ok(f"the relay {place} takes us {how}{' and AUTH' if route.username else ''}")


def _refused(closed: Closed | None, route: Route, place: str) -> Finding:
    if closed is None:
        return wrong(f"the relay {place} closed the connection", _FIXES["connect"])
    text = closed.text.rstrip(".")
    said = f"{closed.code} {text}" if closed.code and not text.startswith(str(closed.code)) else text
    if "certificate" in text.lower() or "hostname mismatch" in text.lower():
        return wrong(
            f"the relay {place} shows a certificate that is not valid for {route.server_name}: {said}",
            _certificate_fix(text),
        )
    step = str(closed.phase)
    return wrong(f"the relay {place} cannot be used ({step.upper()}): {said}", _FIXES.get(step, _FIXES["connect"]))


def _certificate_fix(text: str) -> str:
    lower = text.lower()
    if "expired" in lower or "not yet valid" in lower:
        return "Let its operator renew the certificate, and see that this machine's clock is right."
    if "mismatch" in lower or "not valid for" in lower:
        return "Set relay_server_name to the name in its certificate, if you know that it is the right relay."
    return "Set relay_ca_file to the authority that it descends from, if you know that it is the right relay."
