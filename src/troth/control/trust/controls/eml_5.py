"""Control of EML-5: a dedicated sending IP whose reputation is actively monitored."""

import asyncio
from datetime import datetime

from troth.control.trust import domains, fences
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.outside.reputation import FRESH, REVERSE, reverse_name
from troth.outside.reputation import Look as Seen

_NEWEST = """
SELECT DISTINCT ON (subject, list) subject, list, at, state, said FROM reputation_look
WHERE subject = ANY(%s) AND at BETWEEN now_v1() - interval '400 days' AND now_v1() + interval '1 minute'
ORDER BY subject, list, at DESC
"""

type _Rows = dict[tuple[str, str], tuple[datetime, str, str]]


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings, addresses = Findings(), look.outside.addresses
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "reputation_look"))
    _set(findings, look, programme)
    with look.of(None) as connection:
        newest = connection.execute(_NEWEST, (list(addresses),)).fetchall()
    rows: _Rows = {(subject, name): (at, state, said) for subject, name, at, state, said in newest}
    for address in addresses:
        _address(findings, look, address, rows)
    for seen in look.once("reverse names", lambda: asyncio.run(_reverse(look))):
        if seen.state == "silent":
            findings.old.append(f"the reverse name of {seen.subject} cannot be looked up now: {seen.said}")
        else:
            findings.need(seen.state == "confirmed", seen.said)
    findings.seen |= {"addresses": len(addresses), "lists": len(look.outside.address_lists)}
    if addresses and not rows:
        findings.missing.append("nothing has been looked up yet")
    return findings.done()


def _set(findings: Findings, look: Look, programme: Programme) -> None:
    """What the settings must name; before a first domain may send, nothing leaves from anywhere."""
    wanted = {
        "no sending address is named (sending_addresses), so nobody's reputation is watched": look.outside.addresses,
        "no DNS list is asked about the sending addresses (address_lists)": look.outside.address_lists,
    }
    sends = any(domain.sends for domain in domains.of_programme(look, programme))
    (findings.wrong if sends else findings.missing).extend(why for why, named in wanted.items() if not named)


def _address(findings: Findings, look: Look, address: str, rows: _Rows) -> None:
    """It was asked about within hours on every list, at least one of which can be believed; none has it."""
    states = []
    for name in (REVERSE, *look.outside.address_lists):
        found = rows.get((address, name))
        if found is None:
            if rows:
                findings.old.append(f"{address} was not looked up: {name}")
            continue
        at, state, said = found
        states.append(state)
        if look.now - at > FRESH:
            findings.old.append(f"{address} was last looked up at {at}: {name}")
        if state in ("listed", "unconfirmed"):
            findings.wrong.append(f"{address}: {name} says {state}: {said}")
    if states and not {"clean", "listed"} & set(states):
        findings.old.append(f"no list can be believed about {address} now")


async def _reverse(look: Look) -> list[Seen]:
    """Asked now, by this check itself."""
    return list(await asyncio.gather(*(reverse_name(look.outside.resolver, each) for each in look.outside.addresses)))


CONTROL = Control(
    "EML-5",
    "eml_5",
    HOUR,
    "The addresses that the settings name are looked up on DNS lists every hour, each list having passed its own test "
    "(RFC 5782), and each answer is kept: the newest are read, and must be fresh and clean; the reverse name of each "
    "is asked for now and must lead back to it.",
    check,
)
