"""Feedback, the desks: what a letter to abuse@ or security@ says of itself, as far as it can be believed. Pure.

Nobody has to write well to be heard: whatever cannot be read is left out of the excerpt, and kept whole all the same.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from troth.mail import parts
from troth.mail.address import Address, AddressError, parse_address
from troth.mail.arrived import Arrived
from troth.mail.parts import Part

EXCERPT = 4_000  # characters of the text that stand in the timeline
_LINE = 300
_FIELDS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder")
_NOTICES = frozenset({"message/delivery-status", "message/disposition-notification"})
_FEEDBACK = "message/feedback-report"
_reference_re = re.compile(r"\b(?:ABU|VDP)-[0-9]{4}-[0-9]{4,9}\b", re.IGNORECASE)
_ours_re = re.compile(r"<(?P<id>[0-9a-f]{32})@[A-Za-z0-9.-]{1,255}>")
_message_id_re = re.compile(r"<[!-;=?-~]{1,250}>")
_control_re = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Said:
    """`sender`: From's address, where it is one; `answers`: messages of ours that it says it answers; `reference`: the
    case's, in its subject; `message_id`: its own, fit for In-Reply-To, or "".
    """

    part: Part
    report: bool
    sender: Address | None
    subject: str
    reference: str
    answers: tuple[UUID, ...]
    message_id: str

    def excerpt(self, about: str) -> str:
        """What the timeline shows. `about`: a line on what was found in it."""
        head = (
            f"From: {self.sender}" if self.sender else "From nobody that can be read",
            f"Subject: {self.subject}",
            about,
        )
        text = next((part.text() for part in self.part.walk() if part.type == "text/plain" and not part.parts), "")
        body = _control_re.sub("", text).strip()
        cut = "\n[…]" if len(body) > EXCERPT else ""
        return "\n".join(line for line in head if line) + f"\n\n{body[:EXCERPT]}{cut}"


def read(octets: bytes) -> Said:
    part = parts.read(octets)
    subject = " ".join(_control_re.sub(" ", part.first("Subject")).split())[:_LINE]
    found = _reference_re.search(subject)
    own = _message_id_re.fullmatch(part.first("Message-ID").strip())
    return Said(
        part,
        any(one.type == _FEEDBACK for one in part.walk()),
        _address(part),
        subject,
        found[0].upper() if found else "",
        tuple(_answers((*part.all("In-Reply-To"), *part.all("References")))),
        own[0] if own else "",
    )


def automatic(said: Said, arrived: Arrived) -> bool:
    """Whether no person wrote it; a report in ARF (RFC 5965) is somebody's, however it was sent."""
    if said.report:
        return False
    notice = any(one.type in _NOTICES for one in said.part.parts)
    return arrived.automatic or notice or any(said.part.first(name) for name in _FIELDS)


def _address(part: Part) -> Address | None:
    """The one of From; two or none are nobody."""
    found = parts.addresses(part.first("From"))
    try:
        return parse_address(found[0]) if len(found) == 1 else None
    except AddressError:
        return None


def _answers(values: Iterable[str]) -> list[UUID]:
    return [UUID(found["id"]) for value in values for found in _ours_re.finditer(value[:8_192])][:20]
