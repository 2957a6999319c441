"""Feedback: the forms in which a report of feedback comes, each brought to ARF's shape: a block of fields, and the
message that came back. Pure, total, bounded.

In this order: a part message/feedback-report, wherever it stands; Microsoft's header field without such a part; the
same block in a text or in a letter whose boundaries are broken; xARF; people's words around a returned message.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from troth.mail import feedback_report_words as words
from troth.mail.feedback_report_returned import Returned, in_text, of_parts
from troth.mail.feedback_report_xarf import xarf
from troth.mail.parts import Part, fields_of

__all__ = ["Block", "Returned", "blocks"]

_REPORTS = 50  # of one letter
_TEXT = 262_144  # characters of a text that are looked at
_FIELDS = 500
_JMRP = "X-HmXmrOriginalRecipient"
_KNOWN = frozenset({
    "feedback-type", "user-agent", "version", "source-ip", "original-mail-from", "original-rcpt-to", "arrival-date",
    "received-date", "reported-domain", "reporting-mta", "incidents", "original-envelope-id", "auth-failure",
    "reported-uri",
    "authentication-results", "abuse-type", "delivery-result",
})  # fmt: skip
_block_re = re.compile(r"^[> \t]{0,8}feedback-type[ \t]*:", re.IGNORECASE | re.MULTILINE)
_blank_re = re.compile(r"\n[> \t]*\n")
_quote_re = re.compile(r"^>[> ]*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """kind: as it said; form: which shape it had; subject: the letter's own."""

    kind: str
    form: str
    fields: tuple[tuple[str, str], ...]
    returned: Returned
    subject: str = ""

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.fields if key.lower() == name)


def blocks(root: Part) -> tuple[Block, ...]:
    """Every report in a letter."""
    found = tuple(islice(_machine(root, root.first("Subject")), _REPORTS))
    if found:
        return found
    one = _microsoft(root) or _in_texts(root) or _xarf(root) or _in_words(root)
    return (one,) if one else ()


# ---- a part of its own (RFC 5965 2)


def _machine(part: Part, subject: str) -> Iterator[Block]:
    """Depth first; what is inside a returned message is no report of its own."""
    at = next((n for n, child in enumerate(part.parts) if _is_machine(child)), None)
    if at is not None:
        fields = _fields(part.parts[at])
        rest = (*part.parts[at + 1 :], *part.parts[:at])
        yield _arf(fields, of_parts(rest), subject, _saying(part, subject))
        for child in part.parts[at + 1 :]:  # several in one multipart/mixed
            if _is_machine(child):
                later = part.parts[part.parts.index(child) + 1 :]
                yield _arf(_fields(child), of_parts(later), subject, "")
        return
    if not part.parts and _is_machine(part):
        yield _arf(_fields(part), Returned(), subject, "")
    for child in part.parts:
        yield from _machine(child, subject)


def _is_machine(part: Part) -> bool:
    """The media type, or in a part without one the block itself."""
    if part.type.endswith("/feedback-report"):
        return True
    return part.type in ("application/octet-stream", "message/rfc822") and not part.parts and _is_block(_fields(part))


def _fields(part: Part) -> tuple[tuple[str, str], ...]:
    """The block, also where a reader took it for a message of its own."""
    inside = part.parts[0].fields if part.parts else ()
    return (inside or fields_of(part.text()[:_TEXT].lstrip()))[:_FIELDS]


def _is_block(fields: tuple[tuple[str, str], ...]) -> bool:
    names = {name.lower() for name, _ in fields}
    return "feedback-type" in names and len(names & _KNOWN) > 1


def _arf(fields: tuple[tuple[str, str], ...], returned: Returned, subject: str, otherwise: str) -> Block:
    block = Block("", "arf", fields, returned, subject)
    agent = block.first("user-agent").strip()[:200]
    kind = block.first("feedback-type") or ("auth-failure" if block.first("auth-failure") else "")
    return Block(kind or otherwise, f"arf: {agent}" if agent else "arf", fields, returned, subject)


def _saying(part: Part, subject: str) -> str:
    text = next((child.text() for child in part.parts if child.type == "text/plain"), "")
    said = words.saying(f"{subject}\n{text}")
    return said[0] if said else ""


# ---- Microsoft's JMRP: the message as an attachment, with the recipient in a field of its header


def _microsoft(root: Part) -> Block | None:
    """In a part below: a field of the letter's own header may be anybody's, who wrote it above what was signed."""
    for part in islice(root.walk(), 1, None):
        if part.first(_JMRP):
            returned = Returned(part.fields, part, whole=True)
            fields = tuple((_JMRP, value) for value in part.all(_JMRP))
            return Block("abuse", "microsoft-jmrp (no ARF part)", fields, returned, root.first("Subject"))
    return None


# ---- ARF's block where no part is: in a text, or in octets whose boundaries are broken


def _in_texts(root: Part) -> Block | None:
    for part in root.walk():
        if not part.parts and part.type.startswith("text/"):
            found = _in_text(part.text()[:_TEXT], root)
            if found:
                return found
    return None


def _in_text(text: str, root: Part) -> Block | None:
    start = _block_re.search(text)
    if start is None:
        return None
    before = text.rfind("\n\n", 0, start.start()) + 1
    after = _blank_re.search(text, start.start())
    end = after.start() if after else len(text)
    fields = fields_of(_quote_re.sub("", text[before:end].lstrip("\n")))[:_FIELDS]
    if not _is_block(fields):
        return None
    returned = of_parts(root.parts)
    return _arf(fields, returned if returned.fields else in_text(text[end:]), root.first("Subject"), "")


# ---- others'


def _xarf(root: Part) -> Block | None:
    found = xarf(root)
    if found is None:
        return None
    kind, fields, returned = found
    return Block(kind, "xarf", fields[:_FIELDS], returned, root.first("Subject"))


def _in_words(root: Part) -> Block | None:
    """A person's or a small provider's: its words tell what it is, and a message came back with it."""
    texts = [part.text()[:_TEXT] for part in islice(_own_texts(root), 5)]
    said = words.saying("\n".join((root.first("Subject"), *texts)))
    if said is None:
        return None
    returned = of_parts(root.parts)
    for text in texts:
        returned = returned if returned.fields else in_text(text)
    if not returned.fields:
        return None
    kind, form = said
    return Block(kind, form, tuple(_labelled(texts)), returned, root.first("Subject"))


def _own_texts(part: Part) -> Iterator[Part]:
    """The letter's own texts: not those of the message that came back."""
    if part.type in ("text/plain", "text/html") and not part.parts:
        yield part
    if part.type.startswith("multipart/"):
        for child in part.parts:
            yield from _own_texts(child)


_ARF_NAMES = {
    "source_ip": "Source-IP", "reported_domain": "Reported-Domain", "arrival_date": "Arrival-Date",
    "recipient": "Original-Rcpt-To", "mail_from": "Original-Mail-From", "message_id": "Message-ID",
}  # fmt: skip
_label_re = re.compile(
    r"^[ \t*>-]{0,12}(?P<name>[A-Za-z][A-Za-z _-]{1,40}?)[ \t]{0,8}[:=][ \t]{0,20}(?P<value>\S[^\n]{0,500})",
    re.MULTILINE,
)


def _labelled(texts: list[str]) -> Iterator[tuple[str, str]]:
    """Up to the message that came back, whose header is no label of the report."""
    for text in texts:
        until = in_text(text).at
        for found in islice(_label_re.finditer(text, 0, until if until >= 0 else len(text)), _FIELDS):
            if field := words.label(found["name"]):
                yield _ARF_NAMES[field], found["value"].strip()
