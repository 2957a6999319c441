"""Around the house: doctor's check of the DNS resolvers: each that we ask answers."""

from collections.abc import Iterator
from concurrent.futures import Future
from threading import Thread

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.resolver

from troth.cli.doctor.finding import Finding, Findings, ok, wrong
from troth.cli.doctor.patient import NotAsked, Patient, there

_PATIENCE = 2.5  # seconds for one answer
_FIX = "Correct dns_resolvers (host:port), or /etc/resolv.conf when that is empty; no domain can be checked without."


def look(patient: Patient) -> Findings:
    try:
        servers = _servers(patient)
    except (dns.exception.DNSException, OSError) as trouble:
        yield wrong(f"this machine names no DNS resolver: {trouble}", "Set dns_resolvers, or mend /etc/resolv.conf.")
        return
    name = _name(patient)
    asked = [(server, _background(name, server)) for server in servers]
    found = [finding for server, answer in asked if (finding := _judge(server, name, answer))]
    yield from found
    if not found:
        yield ok(f"{', '.join(_shown(server) for server in servers)} answers")


def _servers(patient: Patient) -> list[tuple[str, int]]:
    given = [(each.host, each.port) for each in patient.settings.dns_resolvers]
    if given:
        return given
    system = dns.resolver.Resolver(configure=True)
    return [(str(each), system.port) for each in system.nameservers]


def _name(patient: Patient) -> str:
    """A name that matters to us: only of such a one must a resolver know something."""
    return next(iter((*_sending(patient), patient.settings.return_path_domain or "", ".")), ".") or "."


def _sending(patient: Patient) -> Iterator[str]:
    try:
        with patient.connection("flow") as connection:
            if there(connection, "domain_state"):
                yield from (name for (name,) in connection.execute("SELECT name FROM domain_state LIMIT 1").fetchall())
    except NotAsked:
        return


def _background(name: str, server: tuple[str, int]) -> "Future[dns.message.Message | str]":
    future: Future[dns.message.Message | str] = Future()
    Thread(target=lambda: future.set_result(_ask(name, server)), daemon=True).start()
    return future


def _ask(name: str, server: tuple[str, int]) -> dns.message.Message | str:
    """The answer, or in words why there was none."""
    query = dns.message.make_query(name, "TXT" if name != "." else "NS", use_edns=True, payload=1232)
    try:
        return dns.query.udp_with_fallback(query, server[0], timeout=_PATIENCE, port=server[1])[0]
    except dns.exception.Timeout:
        return f"no answer within {_PATIENCE} s"
    except (dns.exception.DNSException, OSError, ValueError) as trouble:
        return getattr(trouble, "strerror", None) or str(trouble) or type(trouble).__name__


def _judge(server: tuple[str, int], name: str, future: "Future[dns.message.Message | str]") -> Finding | None:
    try:
        answer = future.result(timeout=_PATIENCE + 1)
    except TimeoutError:
        answer = f"no answer within {_PATIENCE} s"
    if isinstance(answer, str):
        return wrong(f"the DNS resolver {_shown(server)} does not answer: {answer}", _FIX)
    code = answer.rcode()
    # a name server of our own zones alone may refuse the root: it answered
    if code in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN} or (name == "." and code == dns.rcode.REFUSED):
        return None
    return wrong(f"the DNS resolver {_shown(server)} answers {dns.rcode.to_text(code)} for {name}", _FIX)


def _shown(server: tuple[str, int]) -> str:
    host, port = server
    return host if port == 53 else f"{host}:{port}"
