"""The gate's first look, before any fact: addresses, headers and sizes of what was asked. Nothing here waits or raises
for bad input; what is wrong is carried on as problems for the chain to tell.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from troth.flow.gate.asks import EmailAsked
from troth.keys.blind_index import BlindIndex
from troth.mail.address import AddressError
from troth.mail.headers import HeaderError, check_text, custom_headers
from troth.mail.mailbox import Mailbox, parse_mailbox
from troth.rules.facts import Attachment, FieldProblem

TO, CC, BCC = 1, 2, 3
_LINE_OVERHEAD = 2_048  # headers that Troth writes, signature included


class Addressed(Struct, frozen=True):
    """One recipient as asked. `field` is 1 to, 2 cc, 3 bcc; `index` the blind index, None when the address is bad."""

    field: int
    path: str
    mailbox: Mailbox | None
    index: bytes | None
    problem: FieldProblem | None


class Parsed(Struct, frozen=True):
    """One email, looked at. Sizes in bytes; `total_bytes` is what the message can come to at most, encoded."""

    asked: EmailAsked
    recipients: tuple[Addressed, ...]
    sender: str | None
    total_bytes: int
    variable_bytes: int
    attachments: tuple[Attachment, ...]
    problems: tuple[FieldProblem, ...]
    content_problems: tuple[FieldProblem, ...]

    @property
    def raw(self) -> bool:
        return self.asked.template is None


def parse(asked: EmailAsked, index: BlindIndex) -> Parsed:
    """Look at one email. The same address twice is one recipient, in the first place it was named."""
    sender, sender_problem = _sender(asked.sender)
    problems = (*sender_problem, *_reply_to(asked.reply_to), *_headers(asked), *_tags(asked))
    return Parsed(
        asked,
        _once(_addressed(asked, index)),
        sender,
        _total(asked),
        len(msgspec.json.encode(asked.variables)) if asked.variables else 0,
        tuple(Attachment(len(f.content), f.content_type.partition(";")[0].strip().lower()) for f in asked.attachments),
        problems,
        tuple(_content(asked)),
    )


def _addressed(asked: EmailAsked, index: BlindIndex) -> Iterator[Addressed]:
    for number, name, texts in ((TO, "to", asked.to), (CC, "cc", asked.cc), (BCC, "bcc", asked.bcc)):
        for position, text in enumerate(texts):
            yield _one(number, f"{name}[{position}]", text, index)


def _one(number: int, path: str, text: str, index: BlindIndex) -> Addressed:
    try:
        mailbox = parse_mailbox(text)
    except AddressError as error:
        return Addressed(number, path, None, None, FieldProblem(path, error.code, error.hint))
    return Addressed(number, path, mailbox, index.index(mailbox.address.normal), None)


def _once(addressed: Iterator[Addressed]) -> tuple[Addressed, ...]:
    seen: dict[bytes | str, Addressed] = {}
    for one in addressed:
        seen.setdefault(one.index or one.path, one)
    return tuple(seen.values())


def _sender(text: str | None) -> tuple[str | None, tuple[FieldProblem, ...]]:
    if text is None:
        return None, ()
    try:
        return parse_mailbox(text).address.addr_spec, ()
    except AddressError as error:
        return None, (FieldProblem("from", error.code, error.hint),)


def _reply_to(texts: Sequence[str]) -> Iterator[FieldProblem]:
    for position, text in enumerate(texts):
        try:
            parse_mailbox(text)
        except AddressError as error:
            yield FieldProblem(f"reply_to[{position}]", error.code, error.hint)


def _headers(asked: EmailAsked) -> Iterator[FieldProblem]:
    try:
        custom_headers(asked.headers)
        check_text("subject", asked.subject or "")
    except HeaderError as error:
        place = error.field if error.field == "subject" else "headers"
        yield FieldProblem(place, "header-injection" if error.code == "control" else error.code, error.hint)


def _tags(asked: EmailAsked) -> Iterator[FieldProblem]:
    for name, value in asked.tags.items():
        if not (name.isascii() and 0 < len(name) <= 256 and len(value) <= 256 and value.isprintable()):
            yield FieldProblem("tags", "tag", "A tag's name and value are printable text of at most 256 characters.")
            return


def _content(asked: EmailAsked) -> Iterator[FieldProblem]:
    if asked.template is not None:
        if asked.html is not None or asked.text is not None:
            yield FieldProblem("template", "both", "Send either a template or `html` and `text`, not both.")
        return
    if asked.variables is not None:
        yield FieldProblem("template.variables", "orphan", "Variables go with a template; there is none.")
    if not asked.subject:
        yield FieldProblem("subject", "missing", "An email without a template needs a `subject`.")
    if not (asked.html or asked.text):
        yield FieldProblem("html", "missing", "An email without a template needs `html` or `text`.")


def _total(asked: EmailAsked) -> int:
    bodies = sum(len(part.encode("utf-8", "surrogatepass")) for part in (asked.html, asked.text, asked.subject) if part)
    files = sum(len(f.content) * 4 // 3 + 512 for f in asked.attachments)
    return _LINE_OVERHEAD + bodies * 3 // 2 + files
