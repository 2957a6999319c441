"""Submission: a mailbox as people write it, `Name <a@b>`, and as a header carries it.

    mailbox      = addr-spec / [display-name] angle-addr        (RFC 5322 3.4)
    display-name = quoted-string / words of atext, dots and letters of any script

No comments, groups or source routes. A display name stays text: an encoded-word in it is shown, never decoded.
"""

import re
from dataclasses import dataclass

from troth.mail.address import MAX_NAME, Address, AddressError, _unsafe_re, parse_address
from troth.mail.words import phrase

_QUOTED = r'"(?P<quoted>(?:[^"\\]|\\.)*)"'
_BARE = r'(?P<bare>[^"<>@,;:()\[\]\\]*?)'
_mailbox_re = re.compile(rf"(?:{_QUOTED}|{_BARE})[ \t]*<(?P<address>[^<>]*|\"(?:[^\"\\]|\\.)*\"@[^<>]*)>\Z")
_bare_re = re.compile(r'[^"<>@,;:()\[\]\\]*\Z')
_quoted_pair_re = re.compile(r"\\(.)")
_to_quote_re, _ESCAPED = re.compile(r'(["\\])'), r"\\\1"
_MAX_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name (text, may be empty) and an address."""

    name: str
    address: Address

    def __post_init__(self) -> None:
        if len(self.name) > MAX_NAME:
            raise AddressError("name", f"The display name is longer than {MAX_NAME} characters.")
        if unsafe := _unsafe_re.search(self.name):
            raise AddressError(
                "name", f"The display name has a forbidden control character (U+{ord(unsafe[0]):04X}); remove it."
            )

    def header(self) -> str:
        """ASCII, one line, safe in a From or To header."""
        return " ".join((*phrase(self.name), f"<{self.address}>")) if self.name else self.address.addr_spec

    def __str__(self) -> str:
        """What parse_mailbox reads back as the same."""
        if not self.name:
            return self.address.addr_spec
        if _bare_re.match(self.name) and self.name == " ".join(self.name.split()):
            return f"{self.name} <{self.address}>"
        return f'"{_to_quote_re.sub(_ESCAPED, self.name)}" <{self.address}>'


def parse_mailbox(text: str) -> Mailbox:
    """`a@b`, `Name <a@b>`, `"Q, uoted" <a@b>`; blanks around are dropped; raises AddressError."""
    if isinstance(text, str) and len(text) <= _MAX_TEXT and text.endswith((">", "> ", ">\t")):
        return _named(text.strip(" \t"))
    return Mailbox("", parse_address(text.strip(" \t") if isinstance(text, str) else text))


def _named(text: str) -> Mailbox:
    found = _mailbox_re.match(text)
    if not found:
        raise AddressError("mailbox", _why_no_mailbox(text))
    if found["quoted"] is not None:
        name = _quoted_pair_re.sub(r"\1", found["quoted"])
    else:
        name = " ".join(found["bare"].split())
    return Mailbox(name.strip(), parse_address(found["address"]))


def _why_no_mailbox(text: str) -> str:
    if text.count("<") != 1 or text.count(">") != 1:
        return "Write the address once in angle brackets, as in Name <name@example.com>."
    return 'Put a name with any of " , ; : @ ( ) [ ] \\ in double quotes, as in "Doe, Jo" <jo@example.com>.'
