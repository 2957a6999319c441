"""Control of EML-7: List-Unsubscribe headers on every message."""

import re

from troth.control.trust import fences, headers, sample, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.headers import Block
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED, refused
from troth.control.trust.sample import Event

_LINK = re.compile(r"<https?://[^<>\s]+/u/[^<>\s/]+>")
_ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058 3.1


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings, schema = Findings(), look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "event", "opt_out"))
    findings.take(fences.functions(schema, "opt_out_v1"))
    refused(findings, look, {"opt-out-delete": DENIED, "event-update": DENIED})
    told_rows.as_told(findings, look, programme, "opt-ins told")
    if not stoppable(findings, look, programme):
        findings.missing.append("no message was sent in the last 90 days")
    return findings.done()


def stoppable(findings: Findings, look: Look, programme: Programme) -> int:
    """Each sent message has what stops the next one; how many were looked at."""
    sent = sample.sent(look, programme)
    for event in sent:
        findings.take(f"message {event.message}: {why}" for why in _message(event))
    findings.seen["messages_looked_at"] = len(sent)
    return len(sent)


def _message(event: Event) -> list[str]:
    if event.why or event.detail is None:
        return [event.why or "it cannot be read"]
    header = headers.block(event.detail.get("headers"))
    if header is None:
        return ["its headers were not kept"]
    return [*_fields(header), *_signed(header)]


def _fields(header: Block) -> list[str]:
    wrong = []
    if not _LINK.search(header.text(b"list-unsubscribe")):
        wrong.append("it has no List-Unsubscribe with a link of ours")
    if header.text(b"list-unsubscribe-post") != _ONE_CLICK:
        wrong.append("it has no List-Unsubscribe-Post for one click")
    return wrong


def _signed(header: Block) -> list[str]:
    """RFC 8058 section 4: the signature covers both, or a mailbox provider believes neither."""
    signature = headers.signature(header)
    covered = set(signature.names) if signature else set()
    if {b"list-unsubscribe", b"list-unsubscribe-post"} <= covered:
        return []
    return ["its signature does not cover List-Unsubscribe and List-Unsubscribe-Post"]


CONTROL = Control(
    "EML-7",
    "eml_7",
    HOUR,
    "The headers of sent messages are read as they went out: each has a List-Unsubscribe link and its one-click "
    "field, both under the signature; and an opt-out, once taken, cannot be removed (tried each time).",
    check,
)
