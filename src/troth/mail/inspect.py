"""Submission's verdict on an address as it was typed: may it be a recipient, and if not, what would be?

Nothing is looked up: what the DNS says of the domain is asked after this (flow/submission/checking.py).
"""

import unicodedata
from dataclasses import dataclass, replace

from troth.mail import address_lists
from troth.mail.address import Address, AddressError, parse_address
from troth.mail.scripts import is_mixed
from troth.mail.smtp_mailbox import GrammarError, Mailbox, false_a_labels, read_mailbox
from troth.mail.suggesting import suggest

_REFUSED_FORMS = {
    "quoted": "A quoted part before the @ is not accepted; use an address without quotes.",
    "literal": "An address literal in brackets is not accepted; use a domain name.",
    "mixed-script": (
        "A part of the domain mixes scripts whose letters look alike; type it again in one script, or give its xn-- "
        "form if it is meant."
    ),
}
_REFUSED_ROLE = "The address is a role's or a list's, not a person's; register the person's own address."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a policy takes at registration, beyond what can be sent to at all."""

    disposable: bool = False
    roles: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an address is not accepted. code: stable; sentence: for whoever typed it, saying the way out."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """smtp_valid: a Mailbox of RFC 5321 or 6531. normalised: NFC, the domain in U-labels; ascii: None beyond ASCII.

    sendable: the address, where it is accepted.
    """

    smtp_valid: bool
    reasons: tuple[Reason, ...] = ()
    normalised: str | None = None
    ascii: str | None = None
    role: bool = False
    disposable: bool = False
    mixed_script: bool = False
    suggestion: str | None = None
    sendable: Address | None = None

    @property
    def accepted(self) -> bool:
        return not self.reasons


def inspect(text: str, wanted: Wanted) -> Inspection:
    """Judge any text; nothing raises. What is proposed would itself be accepted."""
    found = _judged(text, wanted)
    meant = suggest(text) or _unquoted(text)
    if meant is None or not _judged(meant, wanted).accepted:
        return found
    return replace(found, suggestion=meant)


def _judged(text: str, wanted: Wanted) -> Inspection:
    try:
        box = read_mailbox(text)
    except GrammarError as error:
        return Inspection(smtp_valid=False, reasons=(Reason(_code(error.code), error.hint),))
    shown = box.unicode_domain
    role = not box.literal and address_lists.is_role(box.local)
    disposable = not box.literal and address_lists.disposable().has(box.domain)
    mixed = not box.literal and is_mixed(shown)
    sendable, reasons = _sendable(text, box, mixed=mixed and not text.isascii())
    if disposable and not wanted.disposable:
        reasons.append(Reason("disposable", _disposable_sentence()))
    if role and not wanted.roles:
        reasons.append(Reason("role", _REFUSED_ROLE))
    return Inspection(
        smtp_valid=True, reasons=tuple(reasons), normalised=f"{unicodedata.normalize('NFC', box.local)}@{shown}",
        ascii=f"{box.local}@{box.domain}" if box.local.isascii() else None, role=role, disposable=disposable,
        mixed_script=mixed, sendable=None if reasons else sendable,
    )  # fmt: skip


def _unquoted(text: str) -> str | None:
    """The same mailbox without quotes that it does not need (RFC 5321 4.1.2)."""
    try:
        plain = parse_address(text).addr_spec if text.startswith('"') else ""
    except AddressError:
        return None
    return None if not plain or plain.startswith('"') else plain


def _sendable(text: str, box: Mailbox, *, mixed: bool) -> tuple[Address | None, list[Reason]]:
    """What we send to is narrower than the grammar: see mail/address.py."""
    forms = {"quoted": box.quoted, "literal": box.literal, "mixed-script": mixed}
    reasons = [Reason(code, _REFUSED_FORMS[code]) for code, found in forms.items() if found]
    if (why := false_a_labels(box.domain)) is not None:
        reasons.append(Reason("idna", f"The domain has an xn-- label that is not valid: {why}."))
    if reasons:
        return None, reasons
    try:
        return parse_address(text), reasons
    except AddressError as error:
        return None, [Reason(_code(error.code), error.hint)]


def _disposable_sentence() -> str:
    as_of = address_lists.disposable().as_of
    return f"The domain gives disposable addresses (list of {as_of}); register a lasting address."


def _code(code: str) -> str:
    return code.replace("_", "-")
