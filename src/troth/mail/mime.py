"""Delivery, composing: a message becomes headers and body, and the bytes are read again before anyone may have them.

RFC 5322, RFC 2045 to 2047, RFC 2231, RFC 8058. The body is 7-bit whatever the text is, so that no hop rewrites it
and breaks the signature.

    AssemblyError(RuntimeError)   the bytes are not what was meant: our fault, never sent
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from troth.mail.attachment import Attachment, MimeError, attachment_part
from troth.mail.bodies import HARD, BodyError, paired, short_lines, text_body
from troth.mail.headers import mailboxes, unstructured
from troth.mail.mailbox import Mailbox
from troth.mail.outgoing import Outgoing
from troth.mail.plain import plain_text

__all__ = ["Assembled", "AssemblyError", "Attachment", "MimeError", "Outgoing", "assemble", "verify_bytes"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# At most one of each (RFC 5322 3.6, RFC 2045 3, RFC 8058 3.1)
SINGLE = frozenset(
    b"""from sender reply-to to cc bcc message-id in-reply-to references subject date mime-version content-type
    content-transfer-encoding list-unsubscribe list-unsubscribe-post return-path feedback-id""".split()
)
_OURS = frozenset(
    b"""from to cc reply-to subject date message-id list-unsubscribe list-unsubscribe-post mime-version content-type
    content-transfer-encoding""".split()
)
_field_name_re = re.compile(rb"[\x21-\x39\x3b-\x7e]+\Z")

type Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Assembled:
    """headers: (name, value with its folding) in order, on the wire `name: value CRLF`; body: ends with CRLF."""

    headers: tuple[Header, ...]
    body: bytes


class AssemblyError(RuntimeError):
    """The assembled bytes break a promise; the message names it, and quotes no content."""


def assemble(outgoing: Outgoing) -> Assembled:
    """The message's bytes, verified; raises MimeError and HeaderError for bad content, AssemblyError for our faults."""
    content_headers, body = _content(outgoing)
    headers: list[Header] = [(b"From", _constant_boxes("From", (outgoing.from_,)))]
    if outgoing.to:
        headers.append((b"To", mailboxes("To", outgoing.to)))
    if outgoing.cc:
        headers.append((b"Cc", mailboxes("Cc", outgoing.cc)))
    if outgoing.reply_to:
        headers.append((b"Reply-To", _constant_boxes("Reply-To", outgoing.reply_to)))
    headers.append((b"Subject", _subject(outgoing.subject)))
    headers.append((b"Date", date_value(outgoing.date)))
    headers.append((b"Message-ID", b"<%s>" % outgoing.message_id.encode()))
    headers += _unsubscribe(outgoing)
    allowed = _OURS
    if outgoing.headers or outgoing.extra:
        added = [(name.encode(), unstructured(name, value)) for name, value in (*outgoing.headers, *outgoing.extra)]
        headers += added
        allowed = _OURS | {name.lower() for name, _ in added}
    headers += content_headers
    assembled = Assembled(tuple(headers), body)
    verify_bytes(assembled.headers, body, allowed)
    return assembled


# The same for every message of a template or sender: encoded once.
_subject = lru_cache(maxsize=2_048)(lambda subject: unstructured("Subject", subject))


@lru_cache(maxsize=1_024)
def _constant_boxes(name: str, boxes: tuple[Mailbox, ...]) -> bytes:
    return mailboxes(name, boxes)


def date_value(when: datetime) -> bytes:
    """RFC 5322 3.3, in UTC."""
    at = when.astimezone(UTC)
    return (
        f"{_DAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month - 1]} {at.year:04} "
        f"{at.hour:02}:{at.minute:02}:{at.second:02} +0000"
    ).encode()


def _unsubscribe(outgoing: Outgoing) -> list[Header]:
    """One-click (RFC 8058) needs the https address; mailto alone is RFC 2369's."""
    url, mailto = outgoing.list_unsubscribe_url, outgoing.list_unsubscribe_mailto
    links = [f"<{link}>" for link in (url, mailto) if link]
    if not links:
        return []
    headers = [(b"List-Unsubscribe", ",\r\n ".join(links).encode())]
    if url:
        headers.append((b"List-Unsubscribe-Post", b"List-Unsubscribe=One-Click"))
    return headers


def _content(outgoing: Outgoing) -> tuple[list[Header], bytes]:
    """The MIME headers of the message and its body; a tree only as deep as the message needs."""
    shown = outgoing.html is not None  # without HTML nothing can show a picture: it is a file like any other
    inline = [one for one in outgoing.attachments if one.inline and shown]
    other = [one for one in outgoing.attachments if not (one.inline and shown)]
    try:
        kind, encoding, body = _readable(outgoing, inline)
    except BodyError as error:
        raise MimeError("body", "html", str(error)) from error
    if other:
        parts = [_part(kind, encoding, body), *map(attachment_part, other)]
        kind, encoding, body = _multipart(b"mixed", outgoing.message_id, parts)
    headers = [(b"MIME-Version", b"1.0"), (b"Content-Type", kind)]
    if encoding:
        headers.append((b"Content-Transfer-Encoding", encoding))
    return headers, body


def _readable(outgoing: Outgoing, inline: list[Attachment]) -> tuple[bytes, bytes, bytes]:
    """Text, or text and HTML as alternatives, the HTML with its pictures: (content type, encoding, body)."""
    if outgoing.html is None:
        return _leaf(b"plain", outgoing.text or "")
    text = outgoing.text if outgoing.text is not None else plain_text(outgoing.html)
    rich = _leaf(b"html", outgoing.html)
    if inline:
        rich = _multipart(b"related", outgoing.message_id, [_part(*rich), *map(attachment_part, inline)])
    return _multipart(b"alternative", outgoing.message_id, [_part(*_leaf(b"plain", text)), _part(*rich)])


def _leaf(subtype: bytes, text: str) -> tuple[bytes, bytes, bytes]:
    encoding, body = text_body(text)
    return b"text/%s; charset=utf-8" % subtype, encoding, body


def _part(kind: bytes, encoding: bytes, body: bytes) -> bytes:
    if not encoding:
        return b"Content-Type: %s\r\n\r\n%s" % (kind, body)
    return b"Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n%s" % (kind, encoding, body)


def _multipart(subtype: bytes, message_id: str, parts: list[bytes]) -> tuple[bytes, bytes, bytes]:
    """RFC 2046 5.1. The boundary is unknown to whoever wrote the content: it hangs on the message's random id."""
    digest = sha256(b"boundary\0%s\0%s" % (subtype, message_id.encode())).hexdigest()
    boundary = b"=_" + digest[:32].encode()  # "=_" can be in no quoted-printable or base64 body (RFC 2045 6.7)
    line = b"--" + boundary
    body = b"%s\r\n%s\r\n%s--\r\n" % (line, (b"\r\n%s\r\n" % line).join(parts), line)
    if body.count(line) != len(parts) + 1:
        raise AssemblyError("a boundary occurs inside a part")
    related = b'; type="text/html"' if subtype == b"related" else b""
    return b'multipart/%s;\r\n boundary="%s"%s' % (subtype, boundary, related), b"", body


def verify_bytes(headers: tuple[Header, ...], body: bytes, allowed_names: frozenset[bytes]) -> None:
    """Reads the bytes as a receiver would and raises AssemblyError when they say anything that was not meant.

    allowed_names in lower case. Called by `assemble` on every message.
    """
    head = b"".join([b"%s: %s\r\n" % header for header in headers])
    _check_lines(head)
    _check_lines(body)
    names = [name.lower() for name, _ in headers]
    if _read_names(head) != names:
        raise AssemblyError("the header reads back as other fields than were written")
    _check_names(names, allowed_names)


def _check_lines(data: bytes) -> None:
    if not data.isascii() or b"\0" in data:
        raise AssemblyError("an octet is NUL or over 127")
    if data and not data.endswith(b"\r\n"):
        raise AssemblyError("the last line has no CRLF")
    if not paired(data):
        raise AssemblyError("a CR or LF stands alone")
    if not short_lines(data, HARD + 1):  # and the CR
        raise AssemblyError(f"a line is over {HARD} octets")


def _read_names(head: bytes) -> list[bytes]:
    """The field names, in lower case, that a receiver sees (RFC 5322 2.2)."""
    names: list[bytes] = []
    for line in head.split(b"\r\n")[:-1]:
        if line[:1] in (b" ", b"\t"):
            if not names or not line.strip():
                raise AssemblyError("a folded line is empty or belongs to no field")
            continue
        name, colon, _ = line.partition(b":")
        if not colon or not _field_name_re.match(name):
            raise AssemblyError("a line of the header is no field")
        names.append(name.lower())
    return names


def _check_names(names: list[bytes], allowed: frozenset[bytes]) -> None:
    seen = set(names)
    if not seen <= allowed:
        raise AssemblyError("a header is there that was not meant")
    if len(seen) != len(names) and any(names.count(name) > 1 for name in SINGLE):
        raise AssemblyError("a header that may stand once stands twice")
    if b"from" not in seen or b"date" not in seen:
        raise AssemblyError("From or Date is missing")
