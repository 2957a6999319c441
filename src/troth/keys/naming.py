"""Feedback, the desks of abuse@ and security@: which message of ours a letter, or what is pasted into a form, is about:
by the tokens that only we can have made, wherever they stand in it. Pure.
"""

import quopri
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from troth.keys.installation import InstallationSecrets, Purpose
from troth.mail.own_link import PURPOSE as OWN_PAGE
from troth.mail.own_link import token_of
from troth.mail.parts import Part
from troth.mail.tokens import read_token, verp_read

MOST = 50  # candidates that are looked at
OCTETS = 2_097_152  # of text that is searched
_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)  # an old report is a report: the signature counts, the expiry does not

_verp_re = re.compile(r"(?<![A-Za-z0-9])(?P<local>[bB][A-Za-z0-9][A-Za-z2-7]{56})(?=[@=])")
_link_re = re.compile(r"/(?P<page>[ur])/(?P<token>[A-Za-z0-9_-]{27,120})")
_stop_re = re.compile(r"(?<![A-Za-z0-9])(?P<local>stop\+[A-Za-z2-7]{27,59})(?=@)", re.IGNORECASE)
_message_id_re = re.compile(r"<(?P<id>[0-9a-f]{32})@(?P<domain>[A-Za-z0-9.-]{1,255})>")


@dataclass(frozen=True, slots=True)
class Named:
    """`how`: return-path, opt-out, own-page: signed; message-id: ours only if the store has it under `domain`."""

    message: UUID
    how: str
    domain: str = ""

    @property
    def signed(self) -> bool:
        return self.how != "message-id"


def in_letter(secrets: InstallationSecrets, part: Part) -> tuple[Named, ...]:
    """In its header, its text, and what is attached or forwarded, the signed ones first."""
    return in_text(secrets, "\n".join(_texts(part)))


def in_text(secrets: InstallationSecrets, text: str) -> tuple[Named, ...]:
    """In pasted source, too: soft line ends and =3D (RFC 2045 6.7) are undone beside the text as it stands."""
    found: dict[UUID, Named] = {}
    for one in sorted(_all(secrets, text[:OCTETS]), key=lambda named: not named.signed):
        found.setdefault(one.message, one)
    return tuple(found.values())


def _texts(part: Part) -> Iterator[str]:
    for one in part.walk():
        yield "\n".join(f"{name}: {value}" for name, value in one.fields)
        if not one.parts and (one.type.startswith(("text/", "message/")) or one.type == "application/octet-stream"):
            yield one.text()


def _all(secrets: InstallationSecrets, text: str) -> Iterator[Named]:
    looked: set[tuple[str, str]] = set()
    for how, token, read in _candidates(secrets, text):
        if (how, token) in looked:
            continue
        if len(looked) >= MOST:
            return
        looked.add((how, token))
        try:
            yield Named(read(token), how, token.partition("@")[2] if how == "message-id" else "")
        except ValueError:  # a TokenError among them
            continue


type _Candidate = tuple[str, str, Callable[[str], UUID]]


def _candidates(secrets: InstallationSecrets, text: str) -> Iterator[_Candidate]:
    verp, links = secrets.token_keys(Purpose.VERP), secrets.token_keys(Purpose.UNSUBSCRIBE)
    texts = (text, quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace"))
    for each in texts:
        for one in _verp_re.finditer(each):
            yield "return-path", one["local"], lambda token: verp_read(verp, token, _LONG_AGO)
        for one in _link_re.finditer(each):
            how, purpose = ("opt-out", "unsubscribe") if one["page"] == "u" else ("own-page", OWN_PAGE)
            yield how, one["token"], _reader(links, purpose)
        for one in _stop_re.finditer(each):
            yield "opt-out", token_of(one["local"]) or "", _reader(links, "unsubscribe")
    for each in texts:
        for one in _message_id_re.finditer(each):
            yield "message-id", f"{one['id']}@{one['domain'].lower()}", lambda token: UUID(token[:32])


def _reader(keys: Sequence[bytes], purpose: str) -> Callable[[str], UUID]:
    return lambda token: UUID(bytes=read_token(keys, purpose, token, _LONG_AGO))
