"""Delivery, composing: an opened letter becomes the octets of one SMTP envelope, signed. It runs in threads (the RSA
signature lets go of the GIL) and reads nothing but what it is handed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from troth.flow.delivery.materials import SigningKey, Template
from troth.flow.delivery.smtp_types import Envelope
from troth.flow.delivery.work import Composed, Facts, Hindrance, Work
from troth.keys import ids, places
from troth.keys.keyring import PersonKey
from troth.mail.attachment import Attachment, MimeError
from troth.mail.footer import Footer, under
from troth.mail.headers import HeaderError
from troth.mail.letter import HeaderMailbox, Letter
from troth.mail.mailbox import Mailbox, parse_mailbox
from troth.mail.mime import assemble
from troth.mail.outgoing import Outgoing
from troth.mail.own_link import mail_address, own_link
from troth.mail.relay_header import RelayHeader
from troth.mail.render import Rendered, RenderError, RenderLimits
from troth.mail.tokens import make_token, verp_make
from troth.mail.wire import dot_stuff, wire
from troth.rules.states import Kind

BOUNCES_AFTER = timedelta(days=14)  # how long after its lifetime a bounce of it is still believed
OPT_OUT_FOR = timedelta(days=366)
LIMITS = RenderLimits()
_AUTO = (("Auto-Submitted", "auto-generated"),)  # RFC 3834: no answering machine should reply

type Render = Callable[[Template, dict[str, object]], Rendered]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the installation puts on every message. Keys are the newest of their purpose; `links` starts every link;
    `mail_to`: the domain whose mail we take, None where we take none, and then no opt-out by mail is offered; `relay`:
    what the relay wants, so that its webhooks name the message.
    """

    cell: str
    links: str
    return_path: str | None
    verp_key: bytes
    unsubscribe_key: bytes
    mail_to: str | None = None
    relay: RelayHeader = field(default_factory=RelayHeader)


@dataclass(frozen=True, slots=True)
class Ingredients:
    """All that one message is made of. `people`: keys of the others in its header; the erased are missing."""

    letter: Letter
    template: Template | None
    signing: SigningKey
    people: Mapping[UUID, PersonKey]


# Senders are few and mailboxes are parsed slowly.
_sender = lru_cache(maxsize=2_048)(parse_mailbox)


def render_here(template: Template, variables: dict[str, object]) -> Rendered:
    """In this process: a bomb that lint missed may end it, and then the next worker renders in a child."""
    return template.compiled().render(variables, LIMITS)


def compose(work: Work, with_: Ingredients, stamp: Stamp, now: datetime, render: Render) -> Composed | Hindrance:
    """The envelope, or what the content's own fault is. Anything else that is raised is a fault of ours."""
    try:
        return _compose(work, with_, stamp, now, render)
    except RenderError as error:
        return _hindrance(error)
    except (MimeError, HeaderError) as error:
        return Hindrance(Kind.FAILED, "cannot-render", error.hint)


def _hindrance(error: RenderError) -> Hindrance:
    if error.kind == "killed":
        return Hindrance(Kind.HELD, "poison", error.hint)
    if error.kind == "limit":
        return Hindrance(Kind.HELD, "render-limit", error.hint)
    return Hindrance(Kind.FAILED, "cannot-render", error.hint)


def _compose(work: Work, with_: Ingredients, stamp: Stamp, now: datetime, render: Render) -> Composed:
    letter, signing = with_.letter, with_.signing
    sender = _sender(letter.sender)
    message_id = f"{work.claimed.message_id.hex}@{sender.address.domain}"
    path = signing.return_path or stamp.return_path or sender.address.domain
    footer = _footer(work, stamp)
    content = under(_content(with_, render), footer)
    assembled = assemble(_outgoing(work, with_, stamp, now, content, sender, message_id))
    ends = work.claimed.lifetime_ends + BOUNCES_AFTER
    local = verp_make(stamp.verp_key, work.claimed.message_id, ends, stamp.cell, work.attempt)
    octets = stamp.relay.lines(local) + wire(signing.signer.sign(assembled), assembled)
    envelope = Envelope(
        work.claimed.message_id,
        f"{local}@{path}".encode(),
        letter.forward_path.encode(),
        dot_stuff(octets),
        len(octets),
    )
    header = octets[: octets.index(b"\r\n\r\n")]
    facts = Facts(message_id, len(octets), signing.signer.selector, signing.bits, header, footer.sender)
    return Composed(envelope, facts)


def _content(with_: Ingredients, render: Render) -> Rendered:
    letter = with_.letter
    if with_.template is None:
        return Rendered(letter.subject or "", letter.html, letter.text)
    return render(with_.template, letter.variables or {})


def _outgoing(
    work: Work,
    with_: Ingredients,
    stamp: Stamp,
    now: datetime,
    content: Rendered,
    sender: Mailbox,
    message_id: str,
) -> Outgoing:
    letter = with_.letter
    token = _opt_out(work, stamp)
    return Outgoing(
        message_id=message_id,
        date=_date(work, now),
        from_=sender,
        to=_boxes(work, letter.to, with_.people),
        cc=_boxes(work, letter.cc, with_.people),
        reply_to=tuple(_sender(text) for text in letter.reply_to),
        subject=content.subject,
        html=content.html,
        text=content.text,
        attachments=tuple(
            Attachment(f.filename, f.content_type, f.content, f.content_id, inline=f.content_id is not None)
            for f in letter.attachments
        ),
        headers=tuple(letter.headers.items()),
        list_unsubscribe_url=f"{stamp.links}/u/{token}",
        list_unsubscribe_mailto=f"mailto:{mail_address(token, stamp.mail_to)}" if stamp.mail_to else None,
        extra=() if any(name.lower() == "auto-submitted" for name in letter.headers) else _AUTO,
    )


def _opt_out(work: Work, stamp: Stamp) -> str:
    """Names the message alone, so that it fits a local part; whoever holds it may opt its recipient out."""
    message = work.claimed.message_id
    return make_token(stamp.unsubscribe_key, "unsubscribe", message.bytes, ids.time_of(message) + OPT_OUT_FOR)


def _footer(work: Work, stamp: Stamp) -> Footer:
    """Who sends it, as approved by now, and the way to the recipient's own page."""
    message = work.claimed.message_id
    link = own_link(stamp.links, stamp.unsubscribe_key, message, ids.time_of(message) + OPT_OUT_FOR)
    return Footer(work.loaded.tenant_name, work.loaded.postal_address, link)


def _date(work: Work, now: datetime) -> datetime:
    """When it was asked for or meant for: the same at every attempt, and never in the future."""
    made, meant = ids.time_of(work.claimed.message_id), work.loaded.scheduled_at
    return meant if meant is not None and made < meant <= now else made


def _boxes(work: Work, sealed: tuple[HeaderMailbox, ...], people: Mapping[UUID, PersonKey]) -> tuple[Mailbox, ...]:
    place = places.mailbox(work.claimed.email_id)
    found = []
    for box in sealed:
        key = work.key if box.person == work.claimed.person_id else people.get(box.person)
        if key is not None:
            found.append(parse_mailbox(key.open(box.sealed, place).decode()))
    return tuple(found)
