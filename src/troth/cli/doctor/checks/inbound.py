"""Around the house: doctor's check of incoming mail: it is taken here, and the return path's MX leads here."""

import asyncio
import socket

from troth.cli.doctor.finding import Finding, Findings, ok, unknown, wrong
from troth.cli.doctor.patient import Patient
from troth.outside.dns import Lookup, Resolver
from troth.settings import Settings

_PATIENCE = 2.0  # seconds for one question
_SMTP = 25
OURS = b"ESMTP Troth"


def look(patient: Patient) -> Findings:
    settings = patient.settings
    if not settings.inbound_port:
        yield ok("no incoming mail is taken here (no inbound_port), and no opt-out by mail is offered")
        return
    domain = settings.return_path_domain
    if not domain:
        yield wrong("inbound_port is set and return_path_domain is not", "Set it to a domain whose MX leads here.")
        return
    yield _here(patient, settings.inbound_host, settings.inbound_port)
    yield _leads(settings, domain)


def _here(patient: Patient, host: str, port: int) -> Finding:
    greeting = _greeting(host, port)
    if greeting is None and not patient.supervisor:
        return unknown("incoming mail: its server does not run", "`troth up` starts it, or `troth serve inbound`.")
    if greeting is None:
        return wrong(f"nothing takes mail at {host}:{port}", "The last lines of inbound in `troth up` say why.")
    if OURS not in greeting:
        return wrong(f"another program takes mail at {host}:{port}", "Stop it, or set inbound_port to a free port.")
    return ok(f"mail is taken at {host}:{port}")


def _leads(settings: Settings, domain: str) -> Finding:
    """Whether the domain's MX is this machine, as far as can be told from here."""
    try:
        hosts = asyncio.run(_addresses(Resolver(settings.dns_resolvers, timeout=_PATIENCE), domain))
    except Exception as trouble:  # noqa: BLE001 - the resolver's own check says more
        return unknown(f"the MX of {domain}: the DNS cannot be asked ({type(trouble).__name__})")
    if not hosts:
        return wrong(f"{domain} has no MX with an address: mail to it comes to nobody",
                     f"Publish: {domain} MX 10 and this machine's name.")  # fmt: skip
    if any(_is_mine(host) for host in hosts):
        return ok(f"the MX of {domain} is this machine")
    greeting = next((each for each in (_greeting(host, _SMTP) for host in hosts[:2]) if each), None)
    if greeting and OURS in greeting:
        return ok(f"the MX of {domain} greets as Troth does")
    if greeting:
        return wrong(f"another server takes the mail to {domain}", "Let its MX lead to the machine of `inbound_port`.")
    return unknown(f"the MX of {domain} is another address, and its port {_SMTP} cannot be reached from here",
                   "See from outside that it leads here.")  # fmt: skip


async def _addresses(resolver: Resolver, domain: str) -> list[str]:
    """Of its MX, the most wanted first; without any, of the domain itself (RFC 5321 5.1)."""
    found = await resolver.mx(domain)
    names = [name for _, name in found.values] if isinstance(found, Lookup) else []
    asked = [await resolver.addresses(name) for name in names or [domain] if name != "."]
    return [address for each in asked if isinstance(each, Lookup) for address in each.values]


def _is_mine(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as tried:
        try:
            tried.bind((address, 0))
        except OSError:
            return False
    return True


def _greeting(host: str, port: int) -> bytes | None:
    """The first line that is said there; None when nobody answers."""
    try:
        with socket.create_connection((host, port), _PATIENCE) as there:
            there.settimeout(_PATIENCE)
            return there.recv(512)
    except OSError:
        return None
