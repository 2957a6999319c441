"""Beside the demo's river: what strangers write to us, as their servers do: notifications of mail that was taken and
not delivered (RFC 3464), a loop's report (RFC 5965), letters, reports of DMARC (RFC 7489) and of TLS (RFC 8460).
"""

import base64
import gzip
import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from troth.control.tenants.sending_domains import key_record
from troth.mail.dkim import Signer
from troth.mail.mime import Assembled, date_value

SELECTOR = "mta1"
_BOUNDARY = "=_stranger_7f3a"


@dataclass(frozen=True, slots=True)
class Signers:
    """One key for all of the demo's receivers; each signs as its own domain."""

    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048), repr=False)

    def record(self, domain: str) -> tuple[str, str]:
        """The name and the text of its TXT record."""
        public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"{SELECTOR}._domainkey.{domain}", key_record(public)

    def sign(self, letter: "Letter") -> bytes:
        """Its octets, signed by its sender's domain."""
        domain = letter.sender.rpartition("@")[2]
        return Signer(domain, SELECTOR, self.key).sign(Assembled(letter.headers, letter.body)) + letter.octets


@dataclass(frozen=True, slots=True)
class Letter:
    """`sender` as From has it; `more`: further headers."""

    sender: str
    to: str
    subject: str
    type: str
    body: bytes = field(repr=False)
    more: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        told = {"From": f"<{self.sender}>", "To": f"<{self.to}>", "Subject": self.subject, "Content-Type": self.type}
        plain = tuple((name.encode(), value.encode()) for name, value in told.items())
        return (*plain, *self.more, (b"MIME-Version", b"1.0"))

    @property
    def octets(self) -> bytes:
        return b"".join(b"%s: %s\r\n" % each for each in self.headers) + b"\r\n" + self.body


def not_delivered(path: str, recipient: str, status: str, words: str, returned: bytes) -> Letter:
    """A receiver's notification that it took a message and could not deliver it. `path`: the message's return path."""
    domain = recipient.rpartition("@")[2]
    told = (
        f"Reporting-MTA: dns; mx.{domain}\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\nAction: failed\r\n"
        f"Status: {status}\r\nDiagnostic-Code: smtp; {words}\r\n"
    )
    said = f"Your message could not be delivered to <{recipient}>:\r\n{words}\r\n"
    parts = _parts(
        ("text/plain; charset=utf-8", said.encode()),
        ("message/delivery-status", told.encode()),
        ("text/rfc822-headers", returned.partition(b"\r\n\r\n")[0] + b"\r\n"),
    )
    kind = f'multipart/report; report-type=delivery-status; boundary="{_BOUNDARY}"'
    subject = "Undelivered Mail Returned to Sender"
    return Letter(f"MAILER-DAEMON@mx.{domain}", path, subject, kind, parts, ((b"Auto-Submitted", b"auto-replied"),))


def spam(sender: str, to: str, path: str, returned: bytes) -> Letter:
    """A provider's report that its reader pressed "this is spam". It gives back the message, and names nobody."""
    told = f"Feedback-Type: abuse\r\nUser-Agent: Saltmarket-Loop/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <{path}>\r\n"
    parts = _parts(
        ("text/plain; charset=utf-8", b"A reader marked the message below as spam.\r\n"),
        ("message/feedback-report", told.encode()),
        ("message/rfc822", returned),
    )
    kind = f'multipart/report; report-type=feedback-report; boundary="{_BOUNDARY}"'
    return Letter(sender, to, "A complaint about your mail", kind, parts)


def letter(sender: str, to: str, at: datetime, subject: str, words: str, about: bytes = b"") -> Letter:
    """A person's, written then, with a mail of ours attached where there is one."""
    more = ((b"Message-ID", b"<%s>" % _mark(sender, to).encode()), (b"Date", date_value(at)))
    if not about:
        return Letter(sender, to, subject, "text/plain; charset=utf-8", words.encode(), more)
    parts = _parts(("text/plain; charset=utf-8", words.encode()), ("message/rfc822", about))
    return Letter(sender, to, subject, f'multipart/mixed; boundary="{_BOUNDARY}"', parts, more)


def answered(one: Letter) -> str:
    """What stands in In-Reply-To of an answer."""
    return next((value.decode() for name, value in one.more if name == b"Message-ID"), "")


@dataclass(frozen=True, slots=True)
class Source:
    """Messages of one address, as a receiver saw them. `selector`: the key that signed; "" for a stranger's."""

    ip: str
    count: int
    selector: str = ""


def dmarc(to: str, domain: str, day: date, sources: Sequence[Source], sender: str) -> Letter:
    """What a receiver saw in a day of mail that said to be from a domain."""
    org, begin = sender.rpartition("@")[2], _unix(day)
    meta = (
        f"<report_metadata><org_name>{org}</org_name><email>{sender}</email><report_id>{begin}-1</report_id>"
        f"<date_range><begin>{begin}</begin><end>{begin + 86_399}</end></date_range></report_metadata>"
        f"<policy_published><domain>{domain}</domain><adkim>r</adkim><aspf>r</aspf><p>reject</p><sp>reject</sp>"
        "<pct>100</pct></policy_published>"
    )
    rows = "".join(_record(domain, each) for each in sources)
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<feedback>{meta}{rows}</feedback>\n'
    name = f"{org}!{domain}!{begin}!{begin + 86_399}.xml.gz"
    return _report(sender, to, f"Report Domain: {domain} Submitter: {org}", "application/gzip", name, xml)


def tls(to: str, domain: str, day: date, good: int, failed: int, sender: str) -> Letter:
    """How many sessions of a day with our server were encrypted; what failed met a certificate that had run out."""
    org = sender.rpartition("@")[2]
    failure = {
        "result-type": "certificate-expired", "receiving-mx-hostname": "mail.troth.test",
        "failed-session-count": failed,
    }  # fmt: skip
    policy = {"policy-type": "no-policy-found", "policy-domain": domain}
    summary = {"total-successful-session-count": good, "total-failure-session-count": failed}
    report = {
        "organization-name": org, "contact-info": sender, "report-id": f"{day}-1@{org}",
        "date-range": {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"},
        "policies": [{"policy": policy, "summary": summary, "failure-details": [failure] if failed else []}],
    }  # fmt: skip
    name, subject = f"{org}!{domain}!{day}.json.gz", f"Report Domain: {domain} Submitter: {org}"
    return _report(sender, to, subject, "application/tlsrpt+gzip", name, json.dumps(report))


def _record(domain: str, seen: Source) -> str:
    result, disposition = ("pass", "none") if seen.selector else ("fail", "reject")
    signed = f"<dkim><domain>{domain}</domain><selector>{seen.selector}</selector><result>pass</result></dkim>"
    return (
        f"<record><row><source_ip>{seen.ip}</source_ip><count>{seen.count}</count><policy_evaluated>"
        f"<disposition>{disposition}</disposition><dkim>{result}</dkim><spf>{result}</spf></policy_evaluated></row>"
        f"<identifiers><header_from>{domain}</header_from></identifiers><auth_results>{signed if seen.selector else ''}"
        f"<spf><domain>bounce.{domain}</domain><result>{result}</result></spf></auth_results></record>"
    )


def _report(sender: str, to: str, subject: str, kind: str, name: str, text: str) -> Letter:
    packed = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    lines = "\r\n".join(textwrap.wrap(packed, 76))
    head = (
        (b"Content-Transfer-Encoding", b"base64"),
        (b"Content-Disposition", f'attachment; filename="{name}"'.encode()),
    )
    return Letter(sender, to, subject, f'{kind}; name="{name}"', f"{lines}\r\n".encode(), head)


def _parts(*parts: tuple[str, bytes]) -> bytes:
    mark = _BOUNDARY.encode()
    shown = b"".join(b"--%s\r\nContent-Type: %s\r\n\r\n%s\r\n" % (mark, kind.encode(), body) for kind, body in parts)
    return shown + b"--%s--\r\n" % mark


def _mark(sender: str, to: str) -> str:
    return f"{to.partition('@')[0]}.1@{sender.rpartition('@')[2]}"


def _unix(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400
