"""Control of EML-2: every outbound message is DKIM-signed with a key of at least 2048 bits."""

from collections.abc import Iterator

from troth.control.trust import domains, fences, headers, measures, sample
from troth.control.trust.control import HOUR, Control
from troth.control.trust.domains import Domain
from troth.control.trust.found import Findings, Found
from troth.control.trust.headers import Block, Signature
from troth.control.trust.look import LOG, Look, Programme
from troth.control.trust.measures import BROKEN
from troth.control.trust.sample import Event
from troth.mail.domain_auth import Readiness
from troth.rules.profile import load_profile

_KEPT = LOG / 3  # retired keys are kept this long


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings, wanted = Findings(), _bits(programme)
    _stands(findings, look)
    for tenant in look.of_programme(programme):
        policy = look.policy(tenant)
        findings.need(policy and policy.domain.dkim_bits >= wanted, f"the policy of {tenant.id} asks for smaller keys")
    for domain in domains.of_programme(look, programme):
        _domain(findings, look, domain, wanted)
    _messages(findings, look, programme, wanted)
    return findings.done()


def _bits(programme: Programme) -> int:
    return load_profile(programme.profile).policy.domain.dkim_bits


def _stands(findings: Findings, look: Look) -> None:
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "dkim_key", "domain_state", "event"))
    findings.take(fences.checks(schema, "dkim_key", "bits >= 2048"))
    findings.take(fences.not_null(schema, "dkim_key", "bits", "public_der", "state"))
    findings.take(fences.checks(schema, "dkim_key", "(state = 'retired') = (private_ct IS NULL)"))
    findings.take(fences.functions(schema, "apply_domain"))
    measures.refused(findings, look, {"dkim-short": BROKEN})


def _domain(findings: Findings, look: Look, domain: Domain, wanted: int) -> None:
    """The key that signs has the size that it says, and the DNS shows that very key."""
    if domain.public_der is None:
        findings.need(not domain.sends, f"{domain.name} has no key")
        return
    size = headers.bits(domain.public_der)
    findings.need(size >= wanted, f"the key of {domain.name} has {size} bits")
    findings.need(domain.bits == size, f"the key of {domain.name} has {size} bits and is recorded with {domain.bits}")
    shown = domains.seen(look).get(domain.id)
    if not domain.sends:
        return
    if isinstance(shown, Readiness):
        findings.need(shown.dkim.ok, f"{domain.name}: {shown.dkim.sentence}")
    else:
        domains.unanswered(findings, look, domain)


def _messages(findings: Findings, look: Look, programme: Programme, wanted: int) -> None:
    keys = domains.keys(look, programme)
    sent = sample.sent(look, programme)
    for event in sent:
        findings.take(f"message {event.message}: {why}" for why in _message(look, event, keys, wanted))
    findings.seen |= {"messages_looked_at": len(sent), "bits": wanted}
    if not sent:
        findings.missing.append("no message was sent in the last 90 days")


type _Keys = dict[tuple[str, str], tuple[int, bytes]]


def _message(look: Look, event: Event, keys: _Keys, wanted: int) -> Iterator[str]:
    """What is wrong with one sent message's signature."""
    if event.why or event.detail is None:
        yield event.why or "it cannot be read"
        return
    recorded = event.detail.get("bits")
    if not isinstance(recorded, int) or recorded < wanted:
        yield f"it was signed with {recorded} bits"
    header = headers.block(event.detail.get("headers"))
    signed = headers.signature(header) if header else None
    if header is None or signed is None:
        yield "it has no DKIM signature"
        return
    if (signed.domain, signed.selector) != (header.from_domain, event.detail.get("selector")):
        yield f"it is signed by {signed.selector} of {signed.domain}, not for {header.from_domain}"
    yield from _verified(header, signed, keys, wanted, recent=event.at > look.now - _KEPT)


def _verified(header: Block, signed: Signature, keys: _Keys, wanted: int, *, recent: bool) -> Iterator[str]:
    """With the key that the domain had; a retired one is kept for 30 days only."""
    key = keys.get((signed.domain, signed.selector))
    if key is None:
        if recent:
            yield f"its key {signed.selector} of {signed.domain} is not known"
    elif headers.bits(key[1]) < wanted:
        yield f"its key has {headers.bits(key[1])} bits"
    elif not header.maybe_cut and not headers.verifies(header, signed, key[1]):
        yield "its DKIM signature does not verify"


CONTROL = Control(
    "EML-2",
    "eml_2",
    HOUR,
    "The database refuses a key below 2048 bits (tried each time); the DNS is asked for each key; and the headers "
    "of sent messages, as they went out, are verified with it.",
    check,
)
