"""Submission's first question: is this an email address, and how is it written?

Only what RFC 5321 lets a mail server accept and a stranger can reach: no comments, source routes, groups,
address literals or single-label domains. Non-ASCII local parts are refused in words (SMTPUTF8, RFC 6531).

    AddressError(ValueError)   code, hint; always the caller's fault
"""

import re
import unicodedata
from dataclasses import dataclass

import idna

# atext (RFC 5322 3.2.3); Dot-string (RFC 5321 4.1.2)
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_DOT_STRING = rf"{_ATEXT}+(?:\.{_ATEXT}+)*"
# qtextSMTP, quoted-pairSMTP, Quoted-string (RFC 5321 4.1.2)
_QUOTED_STRING = r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"'
# sub-domain (RFC 5321 4.1.2), at most 63 octets (RFC 1035 2.3.4); at least two of them; see _check_domain for the last
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})+"

_local_re = re.compile(rf"(?:{_DOT_STRING}|{_QUOTED_STRING})\Z")
_dot_string_re = re.compile(rf"{_DOT_STRING}\Z")
_domain_re = re.compile(rf"{_DOMAIN}\Z")
_quoted_pair_re = re.compile(r"\\(.)")
_split_re = re.compile(rf"(?P<local>{_QUOTED_STRING}|[^\"@]*)@(?P<domain>.*)\Z", re.DOTALL)

# Cc, Cs, line and paragraph separators, and the bidi controls that make one name look like another.
_unsafe_re = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]"
)

MAX_LOCAL = 64  # octets, RFC 5321 4.5.3.1.1
MAX_ADDRESS = 254  # octets, RFC 5321 4.5.3.1.3 less the two angle brackets
MAX_DOMAIN = 253  # octets, RFC 1035 2.3.4 without the root
MAX_NAME = 256  # characters, ours
_MAX_TEXT = 1_000  # characters, ours: nothing longer is looked at


class AddressError(ValueError):
    """An address that cannot be used; `code` is stable, `hint` is a sentence for whoever typed it."""

    def __init__(self, code: str, hint: str) -> None:
        super().__init__(hint)
        self.code = code
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Address:
    """An addr-spec: `local` a Dot-string or a needed Quoted-string, `domain` a lower-case A-label name."""

    local: str
    domain: str

    def __post_init__(self) -> None:
        _check_local(self.local)
        _check_domain(self.domain)
        if len(self.local) + 1 + len(self.domain) > MAX_ADDRESS:
            raise AddressError("too_long", f"The address is longer than {MAX_ADDRESS} characters.")

    @property
    def addr_spec(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def normal(self) -> str:
        """The form that the blind index is made of; frozen, so suppressions of years ago still match."""
        folded = unicodedata.normalize("NFC", self.addr_spec).casefold()
        return unicodedata.normalize("NFC", folded)

    def __str__(self) -> str:
        return self.addr_spec


def parse_address(text: str) -> Address:
    """`a@b` and nothing else (no name, no blanks around); raises AddressError."""
    _check_text(text)
    found = _split_re.match(text)
    if not found:
        raise _why_no_split(text)
    local, domain = found["local"], found["domain"]
    _check_local(local)
    return Address(_plainest(local), _ascii_domain(domain))


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise AddressError("not_text", "An address must be a string.")
    if not text:
        raise AddressError("empty", "The address is empty.")
    if len(text) > _MAX_TEXT:
        raise AddressError("too_long", f"The address is longer than {MAX_ADDRESS} characters.")
    if unsafe := _unsafe_re.search(text):
        raise AddressError(
            "control", f"The address has a forbidden control character (U+{ord(unsafe[0]):04X}); remove it."
        )


def _why_no_split(text: str) -> AddressError:
    if text.startswith('"'):
        return AddressError("local", "The quoted part before the @ is not closed or has text after its quote.")
    if "@" not in text:
        return AddressError("no_at", "An address needs an @, as in name@example.com.")
    return AddressError(
        "local", 'A double quote may only enclose the whole part before the @, as in "a b"@example.com.'
    )


def _check_local(local: str) -> None:
    if not local:
        raise AddressError("local", "There is nothing before the @.")
    if not local.isascii():
        raise AddressError(
            "smtputf8",
            "The part before the @ has characters outside ASCII; such addresses (SMTPUTF8) are not supported yet.",
        )
    if len(local) > MAX_LOCAL:
        raise AddressError("too_long", f"The part before the @ is longer than {MAX_LOCAL} characters.")
    if not _local_re.match(local):
        raise AddressError("local", _why_bad_local(local))


def _why_bad_local(local: str) -> str:
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return "The part before the @ may not begin or end with a dot, or have two dots in a row."
    if " " in local:
        return "The part before the @ has a blank; remove it."
    return "The part before the @ has a character that is not allowed there."


def _plainest(local: str) -> str:
    """Quotes and backslashes that change nothing are dropped: both spellings are one mailbox (RFC 5321 4.1.2)."""
    if not local.startswith('"'):
        return local
    content = _quoted_pair_re.sub(r"\1", local[1:-1])
    if _dot_string_re.match(content):
        return content
    return '"' + content.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_domain(text: str) -> str:
    """A host name of two labels or more, as its lower-case A-label form; raises AddressError."""
    _check_text(text)
    return _ascii_domain(text)


def _ascii_domain(text: str) -> str:
    if text.startswith("["):
        raise AddressError("literal", "An address literal in brackets is not accepted; use a domain name.")
    if "@" in text:
        raise AddressError("two_ats", "The address has more than one @.")
    domain = text.lower() if text.isascii() else _to_a_labels(text)
    _check_domain(domain)
    return domain


def _to_a_labels(text: str) -> str:
    """IDNA 2008 with UTS 46 mapping, non-transitional (so that ss and sharp s stay two names)."""
    try:
        return idna.encode(text, uts46=True, std3_rules=True, transitional=False).decode().lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressError("idna", f"The domain is not a valid internationalised name: {_first(error)}.") from error


def _first(error: Exception) -> str:
    return str(error).split("\n")[0].rstrip(".")


def _check_domain(domain: str) -> None:
    if len(domain) > MAX_DOMAIN:
        raise AddressError("too_long", f"The domain is longer than {MAX_DOMAIN} characters.")
    if not _domain_re.match(domain):
        raise AddressError("domain", _why_bad_domain(domain))
    if domain[domain.rindex(".") + 1 :].isdigit():
        # RFC 3696 2: no top-level domain is all digits; what looks like this is an IP address.
        raise AddressError("domain", "The last part of the domain is a number; use a domain name, not an IP address.")
    if "xn--" in domain:
        _check_a_labels(domain)


def _check_a_labels(domain: str) -> None:
    try:
        for label in domain.split("."):
            if label.startswith("xn--"):
                idna.ulabel(label)
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressError("idna", f"The domain has an xn-- label that is not valid: {_first(error)}.") from error


def _why_bad_domain(domain: str) -> str:
    if not domain:
        return "There is nothing after the @."
    if "." not in domain:
        return "The domain needs at least two parts, as in example.com."
    labels = domain.split(".")
    if "" in labels:
        return "The domain may not begin or end with a dot, or have two dots in a row."
    if any(len(label) > 63 for label in labels):
        return "A part of the domain is longer than 63 characters."
    if any(label.startswith("-") or label.endswith("-") for label in labels):
        return "No part of the domain may begin or end with a hyphen."
    return "The domain has a character that is not allowed there; letters, digits, hyphens and dots are."
