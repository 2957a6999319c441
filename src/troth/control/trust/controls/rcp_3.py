"""Control of RCP-3: at registration the address's form, its mail exchanger and role names are looked at."""

import asyncio
from collections.abc import Iterator

from troth.control.trust import fences, registered
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.mail import address_lists
from troth.mail.inspect import Wanted, inspect
from troth.outside.dns import Lookup, LookupFailed, Outcome, Resolver
from troth.outside.mail_hosts import MailHost, mail_host

_DOMAIN = "firm.example"
_FORMS = (
    "", "ann", "@firm.example", "ann@", "a..b@firm.example", "ann@@firm.example", '"a b"@firm.example',
    "ann@[192.0.2.1]", "ann@localhost", "ann@192.0.2.1", "ann@firm-.example", "a\nb@firm.example",
    "ann@\u0430pple.example", f"{'a' * 65}@firm.example", f"ann@{'a' * 64}.example",
)  # fmt: skip
_ROLES = ("postmaster", "abuse", "info", "sales", "noreply", "Webmaster", "support+x", "list-request")


class _Told(Resolver):
    """A DNS of the rehearsal's own, which says what it was told to."""

    def __init__(self, mx: Lookup[tuple[int, str]] | LookupFailed, address: Lookup[str] | LookupFailed) -> None:
        self._mx, self._address = mx, address

    async def mx(self, name: str) -> Lookup[tuple[int, str]] | LookupFailed:  # noqa: ARG002 - as it was told
        return self._mx

    async def addresses(self, name: str) -> Lookup[str] | LookupFailed:  # noqa: ARG002 - as it was told
        return self._address


_GONE, _DATALESS = Outcome.NXDOMAIN, Outcome.NODATA
_AWAY = LookupFailed(_DOMAIN, "no answer")
_ANSWERS: tuple[tuple[_Told, MailHost | None], ...] = (
    (_Told(Lookup(_DOMAIN, Outcome.FOUND, ((10, "mx.firm.example"),)), _AWAY), MailHost.EXCHANGER),
    (_Told(Lookup(_DOMAIN, Outcome.FOUND, ((0, "."),)), _AWAY), MailHost.NULL_MX),
    (_Told(Lookup(_DOMAIN, _GONE), _AWAY), MailHost.NONE),
    (_Told(Lookup(_DOMAIN, _DATALESS), Lookup(_DOMAIN, Outcome.FOUND, ("192.0.2.1",))), MailHost.ADDRESS),
    (_Told(Lookup(_DOMAIN, _DATALESS), Lookup(_DOMAIN, _DATALESS)), MailHost.NONE),
    (_Told(Lookup(_DOMAIN, _DATALESS), _AWAY), None),
    (_Told(_AWAY, _AWAY), None),
)


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, "person", "snapshot", "governed"))
    for tenant in look.of_programme(programme):
        policy = look.policy(tenant)
        refuses = policy is not None and policy.recipients.roles == "refuse"
        findings.need(refuses, f"{tenant.id} takes the addresses of roles")
    findings.take(_rehearsed())
    findings.take(_let_through(findings, look, programme))
    return findings.done()


def _rehearsed() -> Iterator[str]:
    """Registration is shown what it must turn down, and a DNS that says each thing that one can say."""
    strict = Wanted(disposable=False, roles=False)
    if not inspect(f"ann@{_DOMAIN}", strict).accepted:
        yield "registration turns down a plain address"
    yield from (f"registration takes {text!a}" for text in _FORMS if inspect(text, strict).accepted)
    yield from (f"registration takes {name}@" for name in _ROLES if inspect(f"{name}@{_DOMAIN}", strict).accepted)
    for told, expected in _ANSWERS:
        found = asyncio.run(mail_host(told, _DOMAIN))
        if (None if isinstance(found, LookupFailed) else found) is not expected:
            yield f"the look at the mail exchanger says {found} where it must say {expected or 'that it cannot say'}"


def _let_through(findings: Findings, look: Look, programme: Programme) -> Iterator[str]:
    people = registered.newest(look, programme)
    findings.seen["recipients_looked_at"] = len(people)
    if not people:
        findings.missing.append("nobody is verified yet")
    for person in people:
        if person.address is None:
            yield f"the address of recipient {person.id} cannot be read"
        elif not inspect(person.address, Wanted(disposable=True, roles=True)).accepted:
            yield f"recipient {person.id} was verified with an address that is none"
        elif address_lists.is_role(person.local):
            yield f"recipient {person.id} was verified with the address of a role"


CONTROL = Control(
    "RCP-3",
    "rcp_3",
    HOUR,
    "Each client's policy must turn the addresses of roles down; registration is shown forms and names that it must "
    "refuse and a DNS that says each thing that one can say; the newest verified recipients' addresses are read again.",
    check,
)
