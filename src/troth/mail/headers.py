"""Delivery, composing: header fields as bytes, and the check of those that a caller asked for.

RFC 5322 2.2 and 3.6, RFC 2047, RFC 2231. Values are what stands after "Name: ", folding included, without the last
CRLF. Soft limit 78, hard limit 998 octets a line.

    HeaderError(ValueError)   code, field, hint; always the caller's fault
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from troth.mail.mailbox import Mailbox
from troth.mail.words import encoded_words, phrase, plain

SOFT, HARD = 78, 998  # octets a line without CRLF, RFC 5322 2.1.1
_ENCODED_LINE = 76  # octets a line that has an encoded-word, RFC 2047 2
MAX_COUNT, MAX_NAME, MAX_VALUE = 40, 64, 2_000  # headers, characters, characters: ours

_name_re = re.compile(r"[\x21-\x39\x3b-\x7e]+\Z")  # field-name, RFC 5322 2.2
_control_re = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_token_re = re.compile(r"[ \t]*[^ \t]+")
_plain_parameter_re = re.compile(r"[A-Za-z0-9 !#$&+.^_`{|}~@()'-]*\Z")

# What Troth writes itself, what only the transport may write, and what would change routing, trust or encryption.
_OURS_AND_THE_TRANSPORTS = """
    from to cc bcc subject date message-id sender reply-to return-path received received-spf delivered-to
    envelope-to x-original-to x-envelope-to apparently-to errors-to return-receipt-to authentication-results
    dkim-signature domainkey-signature x-google-dkim-signature mime-version tls-required x-smtpapi
    x-authentication-warning x-confirm-reading-to disposition-notification-to
"""
_RESERVED = frozenset(_OURS_AND_THE_TRANSPORTS.split())
# Families: the same, and the steering headers of relays (they can rename recipients, switch tracking on, unsign).
_RESERVED_PREFIXES = (
    "arc-", "content-", "dkim-", "list-unsubscribe", "resent-", "x-mailgun-", "x-troth-", "x-ses-", "x-pm-",
    "x-mc-", "x-msys-", "x-mj-", "x-mailin-", "x-sib-", "x-sg-", "downgraded-", "original-",
)  # fmt: skip


class HeaderError(ValueError):
    """A header that cannot be sent; `code` is stable, `field` its name, `hint` says what to do."""

    def __init__(self, code: str, field: str, hint: str) -> None:
        super().__init__(hint)
        self.code = code
        self.field = field
        self.hint = hint


def custom_headers(mapping: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The caller's own headers, checked, in their order; raises HeaderError."""
    if len(mapping) > MAX_COUNT:
        raise HeaderError("too_many", "headers", f"There are more than {MAX_COUNT} headers.")
    seen: set[str] = set()
    for name, value in mapping.items():
        _check_name(name, seen)
        _check_value(name, value)
    return tuple(mapping.items())


def _check_name(name: str, seen: set[str]) -> None:
    shown = ascii(name)[1:-1][:MAX_NAME] if isinstance(name, str) else "headers"
    if not isinstance(name, str) or not _name_re.match(name):
        raise HeaderError("name", shown, "A header's name is printable ASCII without blanks and without a colon.")
    if len(name) > MAX_NAME:
        raise HeaderError("name", shown, f"A header's name has at most {MAX_NAME} characters.")
    low = name.lower()
    if low in _RESERVED or low.startswith(_RESERVED_PREFIXES):
        raise HeaderError("reserved", name, f"The header {name} is written by Troth or the mail system; leave it out.")
    if low in seen:
        raise HeaderError("twice", name, f"The header {name} is given twice.")
    seen.add(low)


def _check_value(name: str, value: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise HeaderError("value", name, f"The header {name} needs a value that is a non-empty string.")
    if len(value) > MAX_VALUE:
        raise HeaderError("value", name, f"The header {name} is longer than {MAX_VALUE} characters.")
    check_text(name, value)


def check_text(name: str, value: str) -> None:
    """No control character, so no new line and no new header; raises HeaderError."""
    if found := _control_re.search(value):
        raise HeaderError("control", name, f"{name} has a control character (U+{ord(found[0]):04X}); remove it.")


def unstructured(name: str, value: str) -> bytes:
    """Free text (RFC 5322 3.6.5); encoded-words where it is not plain ASCII; raises HeaderError on controls."""
    if len(name) + 2 + len(value) <= SOFT and plain(value):
        return value.encode()
    check_text(name, value)
    value = value.strip(" ")
    tokens = _token_re.findall(value)
    if plain(value) and all(len(token) < HARD - MAX_NAME for token in tokens):
        return _fold(len(name) + 2, tokens)
    return "\r\n ".join(encoded_words(value, first=max(_ENCODED_LINE - len(name) - 2, 24))).encode()


def _fold(column: int, tokens: Iterable[str], limit: int = SOFT) -> bytes:
    """Words, each with the blanks before it, put on lines; a line breaks only before a blank (RFC 5322 2.2.3)."""
    parts: list[str] = []
    for token in tokens:
        if parts and column + len(token) > limit:
            parts.append("\r\n")
            column = 0
        parts.append(token)
        column += len(token)
    return "".join(parts).encode()


def mailboxes(name: str, boxes: tuple[Mailbox, ...]) -> bytes:
    """An address list (RFC 5322 3.4); never an encoded-word inside an address."""
    if len(boxes) == 1 and not boxes[0].name:
        return boxes[0].address.addr_spec.encode()
    tokens: list[str] = []
    for box in boxes:
        words = (*phrase(box.name), f"<{box.address}>") if box.name else (box.address.addr_spec,)
        tokens += [f" {word}" for word in words]
        tokens[-1] += ","
    tokens[0] = tokens[0][1:]
    tokens[-1] = tokens[-1][:-1]
    return _fold(len(name) + 2, tokens, _ENCODED_LINE)


def parameter(name: str, value: str) -> tuple[str, ...]:
    """A MIME parameter as `name=value` pieces without semicolons: plain, or RFC 2231 with charset and continuations."""
    if len(value) <= 60 and _plain_parameter_re.match(value):
        return (f'{name}="{value}"',)
    pieces = _percent_pieces(value, 50)
    if len(pieces) == 1:
        return (f"{name}*=utf-8''{pieces[0]}",)
    first, *others = pieces
    return (
        f"{name}*0*=utf-8''{first}",
        *(f"{name}*{number}*={piece}" for number, piece in enumerate(others, start=1)),
    )


def _percent_pieces(value: str, room: int) -> list[str]:
    pieces = [""]
    for character in value:
        # RFC 2231 attribute-char leaves out * ' % and RFC 2045's tspecials; quote() keeps only letters, digits and _.-~
        piece = quote(character, safe="")
        if len(pieces[-1]) + len(piece) > room:
            pieces.append("")
        pieces[-1] += piece
    return pieces
