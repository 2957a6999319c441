"""Claims: what the controls of the laws on email share: who sends it and how it is stopped, in messages as sent."""

from typing import LiteralString

from troth.control.trust import fences, headers, rehearsal, sample
from troth.control.trust.found import Findings
from troth.control.trust.headers import Block
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import weigh
from troth.control.trust.sample import Event
from troth.rules.checks import sender_identified

_FACT: LiteralString = "SELECT * FROM privacy_fact_v1(%s, %s)"
_SENDERS: LiteralString = """
SELECT artefact::jsonb ->> 'name', artefact::jsonb ->> 'postal_address' FROM snapshot
WHERE kind = 'tenant' AND subject = %s
"""
_WORDS = {
    "sent-on-consent": "messages went out on consent that did not hold",
    "opt-outs": "opt-outs were told and not carried out",
    "senders": "clients have another name or postal address than was approved, or none",
}
_EYES = ("privacy_fact_v1", "opt_out_v1", "opt_in_v1", "opted_out", "one_wish_at_a_time", "insert_only")


def stands(findings: Findings, look: Look, *functions: str) -> None:
    """What opt-outs and consent rest on is as shipped."""
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, "opt_out", "opt_in", "consent", "event", "tenant"))
    findings.take(fences.functions(look.schema, *_EYES, *functions))
    findings.take(fences.checks(look.schema, "tenant", "postal_address <> ''", "name <> ''"))
    findings.need(
        rehearsal.position(sender_identified.check) >= 0, "the gate's chain does not look at who sends the message"
    )


def counted(findings: Findings, look: Look, programme: Programme, fact: str) -> int:
    return weigh(findings, look, look.counted(fact, _FACT, programme), fact, _WORDS[fact])


def said(findings: Findings, look: Look, programme: Programme) -> int:
    """Each sent message says who sent it, as approved, in its header and under its content; how many were looked at."""
    sent = sample.sent(look, programme)
    senders = {line for tenant in look.of_programme(programme) for line in _lines(look, tenant)}
    for event in sent:
        findings.take(f"message {event.message}: {why}" for why in _who(event, senders))
    findings.seen["messages_looked_at"] = len(sent)
    return len(sent)


def _lines(look: Look, tenant: Tenant) -> list[str]:
    """How this client's mail may name it: each version that was approved."""

    def read() -> list[str]:
        with look.of(tenant.id) as connection:
            found = connection.execute(_SENDERS, (tenant.id,)).fetchall()
        return [f"{' '.join(name.split())}, {' '.join(address.split())}" for name, address in found if name and address]

    lines: list[str] = look.once(("senders", tenant.id), read)
    return lines


def _who(event: Event, senders: set[str]) -> list[str]:
    if event.why or event.detail is None:
        return [event.why or "it cannot be read"]
    header = headers.block(event.detail.get("headers"))
    wrong = []
    if header is None or not _from(header):
        wrong.append("it has no From with a name and an address")
    if event.detail.get("sender") not in senders:
        wrong.append("the name and postal address under it are no approved ones")
    return wrong


def _from(header: Block) -> bool:
    """RFC 5322 3.6.2: one From, a name before the address."""
    value = header.text(b"from")
    return bool(value.partition("<")[0].strip(' "')) and bool(header.from_domain)
