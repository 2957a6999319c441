"""Control of RCP-2: throw-away addresses are turned down before anything is sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, time

from troth.control.trust import fences, registered
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.mail import address_lists
from troth.mail.inspect import Wanted, inspect

_SAMPLE, _LEAST = 100, 5_000
_OLD, _TOO_OLD = 60, 90  # days
_KNOWN = ("mailinator.com", "guerrillamail.com", "yopmail.com")  # in every list of the kind


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, "person", "snapshot", "governed"))
    for tenant in look.of_programme(programme):
        policy = look.policy(tenant)
        refuses = policy is not None and policy.recipients.disposable == "refuse"
        findings.need(refuses, f"{tenant.id} takes disposable addresses")
    findings.take(_list(findings, look))
    findings.take(_let_through(findings, look, programme))
    return findings.done()


def _list(findings: Findings, look: Look) -> Iterator[str]:
    """Whether the list is one, is fresh, and turns down what is on it."""
    shipped = address_lists.disposable()
    age = shipped.age(look.now.date())
    findings.seen |= {"list": len(shipped.names), "list_of": str(shipped.as_of), "list_age_days": age}
    if len(shipped.names) < _LEAST:
        yield f"the list holds {len(shipped.names)} names only"
    if age > _TOO_OLD:
        yield f"the list is {age} days old: install a newer version"
    elif age > _OLD:
        findings.old.append(f"the list is {age} days old: install a newer version")
    step = max(1, len(shipped.names) // _SAMPLE)
    for name in (*_KNOWN, *sorted(shipped.names)[::step]):
        reasons = {reason.code for reason in inspect(f"ann@sub.{name}", Wanted()).reasons}
        if "disposable" not in reasons:
            yield f"registration does not turn {name} down"


def _let_through(findings: Findings, look: Look, programme: Programme) -> Iterator[str]:
    """Who was verified after the list's day has no address of it."""
    shipped = address_lists.disposable()
    since = datetime.combine(shipped.as_of, time.max, UTC)
    people = registered.newest(look, programme)
    findings.seen["recipients_looked_at"] = len(people)
    if not people:
        findings.missing.append("nobody is verified yet")
    for person in people:
        if person.address is None:
            yield f"the address of recipient {person.id} cannot be read"
        elif person.verified_at > since and shipped.has(person.domain):
            yield f"recipient {person.id} was verified with a disposable address"


CONTROL = Control(
    "RCP-2",
    "rcp_2",
    HOUR,
    "Each client's policy must turn disposable addresses down; the list of them that ships with this version must be "
    "fresh, and registration is shown a hundred of its names; the newest verified recipients have no address of it.",
    check,
)
