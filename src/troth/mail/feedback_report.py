"""Feedback: what a feedback report says: who complained of which message, in which way. Pure, total, bounded.

ARF (RFC 5965, 6591, 6650) and what is sent in its place, read by what a letter has inside, whoever sent it
(feedback_report_forms.py). Nothing in it is trusted: a report changes nothing before its loop's signature and our own
token are verified.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from troth.mail import feedback_report_words as words
from troth.mail.feedback_report_forms import Block, Returned, blocks
from troth.mail.parts import Part, addresses
from troth.mail.parts import read as read_parts

NONE = "none"
_RECIPIENTS = 100  # of one report
_LISTED = 50  # values of a field that may occur often
_VALUE = 2_000  # characters of a value
_BROKEN = ("bodyhash", "signature")  # RFC 6591 3.3: what came back is not what was signed, so its header names nobody
_NOTHING = Returned()
_STATED = (
    "original-rcpt-to",
    "x-hmxmroriginalrecipient",
    "original-recipient",
    "removal-recipient",
    "x-original-rcpt-to",
)
_DELIVERED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-rcpt-to")


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """One report. feedback_type: IANA's words, "none" for a letter that is no report. recipients: () where redacted.

    format: "arf: <User-Agent>", "microsoft-jmrp (no ARF part)", "xarf", "spamcop", "DMARC failure report", "text", ...;
    recipient_source: the field that named them; fields: the machine-readable block as it came.
    """

    feedback_type: str
    format: str
    recipients: tuple[str, ...] = ()
    recipient_source: str = ""
    source_ip: str = ""
    mail_from: str = ""
    message_id: str = ""
    reported_domains: tuple[str, ...] = ()
    arrival_date: datetime | None = None
    incidents: int = 1
    fields: tuple[tuple[str, str], ...] = ()
    returned: Returned = _NOTHING

    @property
    def found(self) -> bool:
        return self.feedback_type != NONE

    def first(self, name: str) -> str:
        """A field of the machine-readable block; names are case-insensitive."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), "")[:_VALUE]

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value[:_VALUE] for key, value in self.fields if key.lower() == name.lower())[:_LISTED]


def read(source: bytes | Part) -> FeedbackReport:
    """The letter's report, the first if it has several."""
    return reports(source)[0]


def reports(source: bytes | Part) -> tuple[FeedbackReport, ...]:
    """Every report of a letter; one that says "none" for a letter that is none."""
    part = read_parts(source) if isinstance(source, bytes) else source
    found = tuple(_report(block) for block in blocks(part))
    return found or (FeedbackReport(NONE, NONE),)


def describe(octets: bytes) -> list[dict[str, object]]:
    """`troth inspect feedback`: an object for each recipient of each report, at least one."""
    return [_told(report, recipient) for report in reports(octets) for recipient in report.recipients or ("",)]


def _report(block: Block) -> FeedbackReport:
    kind = words.kind(block.kind) or "other"
    recipients, source = _recipients(block, kind)
    return FeedbackReport(
        kind,
        block.form,
        recipients,
        source,
        words.ip(block.first("source-ip") or block.first("source")) or words.ip(block.subject),
        _one(block.first("original-mail-from") or block.returned.first("return-path")),
        _bare_id(block.returned.first("message-id") or block.first("message-id") or block.first("original-message-id")),
        _domains(block),
        _arrival(block),
        _incidents(block.first("incidents")),
        block.fields,
        block.returned,
    )


def _recipients(block: Block, kind: str) -> tuple[tuple[str, ...], str]:
    """Who is named, and where: first what the report states, then the returned message's To, last what it says of its
    delivery, which may be an earlier hop's (a list's). What a text quotes of a forgery names nobody.
    """
    for name, values in _places(block, kind):
        named = tuple(dict.fromkeys(a for value in values for a in addresses(_untyped(value)) if words.told(a)))
        if named:
            return named[:_RECIPIENTS], name
    return (), ""


def _places(block: Block, kind: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in _STATED:
        yield name, block.all(name)
    quoted = kind == "auth-failure" and block.returned.at >= 0
    if not quoted and block.first("auth-failure").strip().lower() not in _BROKEN:
        yield "to", block.returned.all("to")
        for name in _DELIVERED:
            yield name, block.returned.all(name)[:1]


def _untyped(value: str) -> str:
    """Without the address type that RFC 3464's fields have: "rfc822; user@example.com"."""
    kind, semicolon, rest = value.partition(";")
    return rest if semicolon and kind.strip().lower() in ("rfc822", "utf-8", "smtp") else value


def _one(value: str) -> str:
    found = addresses(value[:_VALUE])
    return found[0] if found else ""


def _bare_id(value: str) -> str:
    return value.strip()[:_VALUE].strip("<> \t")


def _domains(block: Block) -> tuple[str, ...]:
    stated = [value.strip().lower().rstrip(".") for value in block.all("reported-domain") if value.strip()]
    if not stated:
        stated = [_one(block.returned.first("from")).rpartition("@")[2].lower()]
    return tuple(dict.fromkeys(d[:255] for d in stated if d))[:_LISTED]


def _arrival(block: Block) -> datetime | None:
    for name in ("arrival-date", "received-date", "date"):
        if when := words.moment(block.first(name)):
            return when
    return None


def _incidents(said: str) -> int:
    digits = said.strip()[:9]
    return max(int(digits), 1) if digits.isascii() and digits.isdigit() else 1


def _told(report: FeedbackReport, recipient: str) -> dict[str, object]:
    arrived = report.arrival_date
    return {
        "feedback_type": report.feedback_type,
        "recipient": recipient,
        "format": report.format,
        "recipient_source": report.recipient_source,
        "user_agent": report.first("user-agent"),
        "version": report.first("version"),
        "source_ip": report.source_ip,
        "source_port": report.first("source-port"),
        "original_mail_from": report.mail_from,
        "original_envelope_id": report.first("original-envelope-id"),
        "original_message_id": report.message_id,
        "original_subject": report.returned.first("subject")[:_VALUE],
        "reported_domain": list(report.reported_domains),
        "reported_uri": list(report.all("reported-uri")),
        "reporting_mta": report.first("reporting-mta"),
        "arrival_date": arrived.isoformat() if arrived else "",
        "incidents": report.incidents,
        "authentication_results": list(report.all("authentication-results")),
        **{name.replace("-", "_"): report.first(name) for name in _AUTHENTICATION},
    }


# RFC 6591 3.1 to 3.3, RFC 7489 7.3.1
_AUTHENTICATION = (
    "auth-failure", "delivery-result", "identity-alignment", "dkim-domain", "dkim-identity", "dkim-selector",
    "dkim-selector-dns", "dkim-adsp-dns", "dkim-canonicalized-header", "dkim-canonicalized-body", "spf-dns",
)  # fmt: skip
