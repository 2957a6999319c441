"""Feedback: what a bounce says: of which recipient it is, whether the failure is permanent, whether the address is bad.

Standard notifications (RFC 3464, 3461, 6533) and the forms of the wild. Total and bounded: any octets are read, and
what is no bounce is told apart. Nothing in it is trusted: a bounce changes nothing before its return path's token is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from troth.mail.bounce_json import told_in_json
from troth.mail.bounce_judging import Evidence, judge
from troth.mail.bounce_kind import is_delay, is_feedback, sort
from troth.mail.bounce_letter import Letter, open_letter
from troth.mail.bounce_recipients import Found, in_text, returned_to, segments, without_domain
from troth.mail.bounce_rules import CLASSES
from troth.mail.bounce_status import Told, told
from troth.mail.parts import Part, addresses
from troth.mail.parts import read as read_parts
from troth.mail.reply import Failure

_LEVELS = 2  # of bounces that bring bounces
_SHOWN = 1_000  # characters of a diagnostic text
_message_id_re = re.compile(r"<[^<>\s]{3,900}>")
_stated_id_re = re.compile(r"message-?id:\s*(<[^<>\s]{3,900}>)", re.IGNORECASE)
_meant_re = re.compile(r"^[^\S\n]*original address: ?\S+@", re.IGNORECASE | re.MULTILINE)  # PMDF and its heirs
_PASSING = frozenset({"mailbox", "rate", "tls"})  # kinds that reply.py never calls permanent


@dataclass(frozen=True, slots=True)
class Bounced:
    """One recipient. action: failed, delayed, delivered, relayed, expanded or ""; kind: hard, soft or none.

    permanent: whoever reports it has given up; address_bad: suppress for good; klass: of bounce_classes.toml; status:
    an enhanced status code (RFC 3463) or ""; reply: a reply code or 0; rule: what decided.
    """

    recipient: str
    original_recipient: str = ""
    action: str = ""
    permanent: bool = False
    address_bad: bool = False
    kind: str = "none"
    status: str = ""
    reply: int = 0
    klass: str = ""
    diagnostic: str = ""
    remote_mta: str = ""
    rule: str = ""

    @property
    def failure(self) -> Failure | None:
        """The same in the words of an SMTP reply, for rules.retry; None where nothing failed."""
        if self.kind == "none":
            return None
        klass = CLASSES[self.klass]
        kind, detail = klass.failure, klass.detail
        if kind == "hard" and not self.address_bad:
            kind, detail = "mailbox", "disabled"  # an unknown user that may be known tomorrow
        permanent = self.permanent and kind not in _PASSING
        return Failure(kind, permanent, self.address_bad, detail, f"bounce:{self.rule}")


@dataclass(frozen=True, slots=True)
class Reading:
    """verdict: bounce, delay, delivered, auto-reply, challenge, feedback, none. message_id: the returned message's."""

    verdict: str
    recipients: tuple[Bounced, ...] = ()
    message_id: str = ""
    returned: Part | None = None


def read(letter: bytes | Part) -> Reading:
    """Any letter, in octets or read already."""
    return _read(letter if isinstance(letter, Part) else read_parts(letter), _LEVELS)


def _read(top: Part, levels: int) -> Reading:
    opened = open_letter(top)
    if is_feedback(opened):
        return _reading(opened, "feedback", ())
    stated = [each for text in opened.status for each in told(text)] or told_in_json(opened.notice)
    if stated:
        return _of_fields(opened, stated)
    verdict = sort(opened)
    if verdict not in ("bounce", "delay"):
        return _reading(opened, verdict, ())
    found = _named(opened)
    if not found and opened.returned and levels:
        inner = _read(opened.returned, levels - 1)
        if inner.recipients:
            return inner
    return _of_text(opened, verdict, found or _last_resort(opened))


def _reading(letter: Letter, verdict: str, recipients: Sequence[Bounced]) -> Reading:
    return Reading(verdict, tuple(recipients), _message_id(letter), letter.returned)


def _message_id(letter: Letter) -> str:
    returned = letter.returned.first("message-id") if letter.returned else ""
    found = _message_id_re.search(returned) or None
    if found:
        return found[0]
    stated = _stated_id_re.search("\n".join([*letter.status, letter.notice]))
    return stated[1] if stated else ""


def _of_fields(letter: Letter, stated: list[Told]) -> Reading:
    """By the machine's part, with the people's part where the former says little."""
    found = in_text(letter)
    near = dict(zip((each.address.lower() for each in found), segments(letter, found), strict=True))
    given_up = "delayed" if is_delay(letter) else "failed"
    bounced = [_bounced(letter, each, near, given_up, alone=len(stated) == 1) for each in stated]
    actions = {each.action for each in bounced}
    verdict = "bounce" if "failed" in actions else "delay" if "delayed" in actions else "delivered"
    return _reading(letter, verdict, bounced)


def _bounced(letter: Letter, each: Told, near: dict[str, str], given_up: str, *, alone: bool) -> Bounced:
    action = each.action or given_up
    if action not in ("failed", "delayed"):
        return Bounced(each.recipient, each.original, action, status=each.status, diagnostic=each.diagnostic[:_SHOWN])
    said = near.get(each.recipient.lower()) or near.get(each.original.lower(), "")
    evidence = Evidence(action, each.status, each.diagnostic, said, _around(letter), alone)
    meant = each.original if each.original and _meant_re.search(letter.notice) else each.recipient
    return _judged(evidence, meant, each.original, each.diagnostic or said, each.remote_mta)


def _of_text(letter: Letter, verdict: str, found: list[Found]) -> Reading:
    action = "delayed" if verdict == "delay" else "failed"
    parts = segments(letter, found)
    around, alone = _around(letter), len(found) == 1
    bounced = [
        _judged(Evidence(action, near=near, around=around, alone=alone or _shared(parts)), each.address, "", near, "")
        for each, near in zip(found, parts, strict=True)
    ]
    return _reading(letter, verdict, bounced) if bounced else _reading(letter, "none", ())


def _shared(parts: list[str]) -> bool:
    """Whether the recipients are only listed, so that what is said is said of all of them."""
    return all(len(part.split()) < 4 for part in parts)


def _named(letter: Letter) -> list[Found]:
    """Who it is about: as the header says, else the text."""
    found = in_text(letter)
    header = [each for value in letter.top.all("x-failed-recipients") for each in addresses(value)]
    if header:
        lines = {each.address.lower(): each.line for each in found}
        return [Found(each, 3, lines.get(each.lower(), 0)) for each in header]
    return found


def _last_resort(letter: Letter) -> list[Found]:
    """Whom the returned message went to, where nobody is named."""
    sent = returned_to(letter)
    return [Found(each, 1, 0) for each in sent[:1]] or without_domain(letter)


def _around(letter: Letter) -> str:
    return f"{letter.notice}\n{letter.header('subject')}"


def _judged(evidence: Evidence, recipient: str, original: str, diagnostic: str, remote_mta: str) -> Bounced:
    judged = judge(evidence)
    return Bounced(
        recipient, original, evidence.action, judged.permanent, judged.address_bad,
        "hard" if judged.address_bad else "soft", judged.status, judged.reply, judged.klass.name,
        " ".join(diagnostic.split())[:_SHOWN], remote_mta, judged.rule,
    )  # fmt: skip
