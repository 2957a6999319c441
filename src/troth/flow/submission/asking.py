"""Submission, reading: an email of the wire made into what the gate is asked; problems of single values are told here.

What the gate judges (addresses, headers, content, numbers of the policy) is not judged twice.
"""

import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain

from troth.flow.gate.asks import EmailAsked
from troth.flow.submission import wire
from troth.flow.submission.problem import Problem
from troth.mail.letter import File

MAX_RECIPIENTS = 50  # to, cc and bcc together, as in Resend's API; a policy may allow fewer
When = Callable[[str], datetime]

_TYPES = {
    "csv": "text/csv", "gif": "image/gif", "html": "text/html", "ics": "text/calendar", "jpeg": "image/jpeg",
    "jpg": "image/jpeg", "json": "application/json", "pdf": "application/pdf", "png": "image/png",
    "txt": "text/plain", "xml": "application/xml", "zip": "application/zip",
}  # fmt: skip


def asked(email: wire.Email, when: When) -> EmailAsked:
    """`when` reads scheduled_at."""
    to, cc, bcc = _many(email.to), _many(email.cc), _many(email.bcc)
    _check_recipients(to, cc, bcc)
    _check_content(email)
    template = email.template
    return EmailAsked(
        to=to,
        sender=email.sender,
        cc=cc,
        bcc=bcc,
        reply_to=_reply_to(email),
        subject=email.subject,
        html=email.html,
        text=email.text,
        headers=email.headers or {},
        attachments=tuple(_file(file, n) for n, file in enumerate(email.attachments or ())),
        tags=_tags(email.tags or ()),
        template=template.id if template else None,
        variables=(template.variables or {}) if template else None,
        scheduled_at=when(email.scheduled_at) if email.scheduled_at is not None else None,
    )


def _many(value: str | list[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _check_recipients(*fields: tuple[str, ...]) -> None:
    to = fields[0]
    if not to:
        raise Problem("no-recipient", "`to` is empty; put at least one address in it.", "to")
    if (count := sum(map(len, fields))) > MAX_RECIPIENTS:
        sentence = f"The email has {count} recipients; {MAX_RECIPIENTS} is the most. Send several emails."
        raise Problem("too-many-recipients", sentence, "to")


def _check_content(email: wire.Email) -> None:
    if email.template is None:
        _check_raw(email)
        return
    both = next((name for name in ("subject", "html", "text") if getattr(email, name) is not None), None)
    if both:
        sentence = f"`{both}` comes from the approved template; leave it out, or leave `template` out."
        raise Problem("content-conflict", sentence, both)


def _check_raw(email: wire.Email) -> None:
    if email.subject is None:
        raise Problem("missing-field", "`subject` is missing; an email without a template needs one.", "subject")
    if email.html is None and email.text is None:
        raise Problem("missing-field", "`html` and `text` are missing; give one of them, or a template.", "html")


def _reply_to(email: wire.Email) -> tuple[str, ...]:
    if email.reply_to is not None and email.reply_to_camel is not None:
        raise Problem("bad-value", "`reply_to` and `replyTo` are one field; give it once.", "reply_to")
    return _many(email.reply_to if email.reply_to is not None else email.reply_to_camel)


def _tags(tags: Sequence[wire.Tag]) -> dict[str, str]:
    found: dict[str, str] = {}
    for n, tag in enumerate(tags):
        if tag.name in found:
            raise Problem("bad-value", "Two tags have one name; give each name once.", f"tags[{n}].name")
        found[tag.name] = tag.value
    return found


def _file(file: wire.Attachment, n: int) -> File:
    place = f"attachments[{n}]"
    if file.path is not None:
        sentence = "We fetch nothing from addresses that a request names; send the file itself in `content`."
        raise Problem("attachment-path", sentence, f"{place}.path")
    missing = next((name for name in ("filename", "content") if getattr(file, name) is None), None)
    if missing:
        raise Problem("missing-field", f"`{place}.{missing}` is missing; add it.", f"{place}.{missing}")
    assert file.filename is not None
    assert file.content is not None
    return File(
        file.filename,
        file.content_type or _TYPES.get(file.filename.rpartition(".")[2].lower(), "application/octet-stream"),
        _octets(file.content, f"{place}.content"),
        file.content_id or file.inline_content_id,
    )


def _octets(content: str | list[int], place: str) -> bytes:
    if not isinstance(content, str):
        try:
            return bytes(content)
        except ValueError:
            raise Problem("bad-value", f"`{place}` lists octets: whole numbers from 0 to 255.", place) from None
    try:
        return binascii.a2b_base64(content.replace("\r", "").replace("\n", ""), strict_mode=True)
    except ValueError:
        raise Problem("bad-base64", _why_no_base64(content, place), place) from None


def _why_no_base64(content: str, place: str) -> str:
    if content.startswith("data:"):
        return f"`{place}` is a data: address; send only what stands after its comma."
    if any(c in "-_" for c in chain(content[:4096])):
        return f"`{place}` is base64 with - or _ (URL-safe); send plain base64 with + and /."
    return f"`{place}` is not base64; encode the file as RFC 4648, section 4, says, with its padding."
