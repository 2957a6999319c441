"""Submission's grammar of addresses: is a text a Mailbox that SMTP can carry? (RFC 5321 4.1.2; RFC 6531 3.3)

Wider than what we send to (mail/address.py): quoted local parts, address literals, single labels and UTF-8 are in it.
A domain is taken as people type it: mapped to its A-labels by IDNA 2008 with UTS 46, as in mail/address.py.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import idna

# RFC 6531 3.3: atext =/ UTF8-non-ascii, qtextSMTP =/ UTF8-non-ascii; quoted-pairSMTP stays ASCII
_NON_ASCII = "\x80-\ud7ff\ue000-\U0010ffff"
_ATEXT = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{_NON_ASCII}-]"
_DOT_STRING = rf"{_ATEXT}+(?:\.{_ATEXT}+)*"
_QUOTED_STRING = rf'"(?:[\x20\x21\x23-\x5b\x5d-\x7e{_NON_ASCII}]|\\[\x20-\x7e])*"'
_dot_string_re = re.compile(rf"{_DOT_STRING}\Z")
_quoted_string_re = re.compile(rf"{_QUOTED_STRING}\Z")
_quoted_start_re = re.compile(_QUOTED_STRING)
# sub-domain = Let-dig [Ldh-str] (RFC 5321 4.1.2)
_sub_domain_re = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\Z")
# Snum, 0 to 255 in one to three digits (4.1.3)
_SNUM = r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
_ipv4_re = re.compile(rf"{_SNUM}(?:\.{_SNUM}){{3}}\Z")
_hex_re = re.compile(r"[0-9A-Fa-f]{1,4}\Z")
# General-address-literal = Standardized-tag ":" 1*dcontent (4.1.3)
_general_re = re.compile(r"(?P<tag>(?:[A-Za-z0-9-]*[A-Za-z0-9])):(?P<content>[\x21-\x5a\x5e-\x7e]+)\Z")

MAX_LOCAL, MAX_DOMAIN, MAX_LABEL = 64, 255, 63  # octets: RFC 5321 4.5.3.1.1 and .2, RFC 1035 2.3.4
MAX_MAILBOX = 254  # octets: RFC 5321 4.5.3.1.3 less the two angle brackets
_GROUPS = 8


class GrammarError(ValueError):
    """The text is no Mailbox. code: stable; hint: a sentence for whoever typed it."""

    def __init__(self, code: str, hint: str) -> None:
        super().__init__(hint)
        self.code = code
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Mailbox:
    """local: as written. domain: A-labels in lower case, or the literal with its brackets."""

    local: str
    domain: str
    quoted: bool
    literal: bool

    @property
    def unicode_domain(self) -> str:
        """The domain in U-labels, where all of its A-labels are real ones."""
        return self.domain if self.literal else ".".join(_u_label(label) for label in self.domain.split("."))


def read_mailbox(text: str) -> Mailbox:
    """The one Mailbox that the text is; raises GrammarError, whatever the text holds."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise GrammarError("utf8", "The address is not UTF-8, or holds half of a surrogate pair.") from None
    local, domain = _split(text)
    _check_local(local)
    box = Mailbox(local, *_domain(domain), quoted=local.startswith('"'), literal=domain.startswith("["))
    _check_lengths(box)
    return box


def _split(text: str) -> tuple[str, str]:
    """At the @ that ends a Quoted-string, else at the last one."""
    if not text:
        raise GrammarError("empty", "The address is empty.")
    if text.startswith('"'):
        found = _quoted_start_re.match(text)
        if found is None:
            raise GrammarError("local", "The quoted part before the @ is not closed, or holds what may not be quoted.")
        if text[found.end() : found.end() + 1] != "@":
            raise GrammarError("local", "After the closing quote comes the @, and nothing in between.")
        return found[0], text[found.end() + 1 :]
    local, at, domain = text.partition("@")
    if not at:
        raise GrammarError("no_at", "An address needs an @, as in name@example.com.")
    if "@" in domain and not domain.startswith("["):
        raise GrammarError("two_ats", "The address has more than one @ outside quotes.")
    return local, domain


def _check_local(local: str) -> None:
    if not local:
        raise GrammarError("local", "There is nothing before the @.")
    if not (_quoted_string_re if local.startswith('"') else _dot_string_re).match(local):
        raise GrammarError("local", _why_local(local))
    if len(local.encode()) > MAX_LOCAL:
        raise GrammarError("too_long", f"The part before the @ is longer than {MAX_LOCAL} octets.")


def _why_local(local: str) -> str:
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return "The part before the @ may not begin or end with a dot, or have two dots in a row."
    if any(unicodedata.category(one) == "Cc" for one in local):
        return "The part before the @ holds a control character."
    if any(one.isspace() for one in local):
        return "The part before the @ has a blank; remove it."
    return "The part before the @ has a character that needs quotes, or that is allowed nowhere."


def _domain(text: str) -> tuple[str]:
    if text.startswith("["):
        return (_literal(text),)
    name = text.lower() if text.isascii() else _a_labels(text)
    if not name:
        raise GrammarError("domain", "There is nothing after the @.")
    for label in name.split("."):
        if not _sub_domain_re.match(label):
            raise GrammarError("domain", _why_label(label))
        if len(label) > MAX_LABEL:
            raise GrammarError("too_long", f"A part of the domain is longer than {MAX_LABEL} octets.")
    return (name,)


def _a_labels(text: str) -> str:
    try:
        return idna.encode(text, uts46=True, std3_rules=True, transitional=False).decode().lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise GrammarError("idna", f"The domain is not a valid internationalised name: {first_line(error)}.") from error


def first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0].rstrip(".")


def _why_label(label: str) -> str:
    if not label:
        return "The domain may not begin or end with a dot, or have two dots in a row."
    if label.startswith("-") or label.endswith("-"):
        return "No part of the domain may begin or end with a hyphen."
    return "The domain has a character that is not allowed there; letters, digits, hyphens and dots are."


@lru_cache(4096)
def _u_label(label: str) -> str:
    try:
        return idna.ulabel(label)
    except (idna.IDNAError, UnicodeError):
        return label


def false_a_labels(domain: str) -> str | None:
    """Why an xn-- label is none of IDNA 2008, in a few words, or None; SMTP's grammar takes it either way."""
    try:
        for label in domain.split("."):
            if label.startswith("xn--"):
                idna.ulabel(label)
    except (idna.IDNAError, UnicodeError) as error:
        return first_line(error)
    return None


# ---- address literals (4.1.3) ----


def _literal(text: str) -> str:
    if not text.endswith("]"):
        raise GrammarError("literal", "The address literal's bracket is not closed at the end.")
    inner = text[1:-1]
    if _ipv4_re.match(inner):
        return text
    if inner[:5].lower() == "ipv6:":
        if not _is_ipv6(inner[5:]):
            raise GrammarError("literal", "The literal after IPv6: is not an IPv6 address.")
        return text
    general = _general_re.match(inner)
    if general is None:
        raise GrammarError(
            "literal", "The brackets hold no IPv4 address, no IPv6: and address, and no tag with a colon."
        )
    raise GrammarError("literal_tag", "The literal's tag is not registered: IPv6 is the only one that IANA lists.")


def _is_ipv6(text: str) -> bool:
    """Tell whether eight groups, or fewer with one ::, follow; the last two may be an IPv4 address."""
    groups = list(_groups(text))
    if text.count("::") > 1 or ":::" in text or not all(groups):
        return False
    return len(groups) < _GROUPS if "::" in text else len(groups) == _GROUPS


def _groups(text: str) -> Iterator[bool]:
    """Whether each group that is written is well formed; a lone colon at either end is a group that is not."""
    head, double, tail = text.partition("::")
    parts = [part for part in (head, tail) if part]
    for place, part in enumerate(parts):
        last = place == len(parts) - 1 and not (double and not tail)
        names = part.split(":")
        for number, name in enumerate(names):
            if last and number == len(names) - 1 and "." in name:
                yield from (_ipv4_re.match(name) is not None,) * 2
            else:
                yield _hex_re.match(name) is not None


def _check_lengths(box: Mailbox) -> None:
    """In octets, however the domain is sent: in A-labels, or (RFC 6531) in UTF-8."""
    for domain in (box.domain, box.unicode_domain):
        if len(domain.encode()) > MAX_DOMAIN:
            raise GrammarError("too_long", f"The part after the @ is longer than {MAX_DOMAIN} octets.")
        for local in (box.local, unicodedata.normalize("NFC", box.local)):
            if len(f"{local}@{domain}".encode()) > MAX_MAILBOX:
                raise GrammarError("too_long", f"The address is longer than {MAX_MAILBOX} octets.")
