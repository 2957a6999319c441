"""Feedback: the machine's part of a bounce: fields of a delivery status notification (RFC 3464, 6533, 3461 xtext)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from troth.mail.parts import addresses, fields_of

RECIPIENTS = 100  # of one letter
_VALUE = 4_000
_blank_re = re.compile(r"\n[ \t]*\n")
_escaped_re = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_imcea_re = re.compile(r"IMCEA\w{0,12}-(?P<text>[^@\s]{1,300})@", re.IGNORECASE)
_plus_re = re.compile(r"\+([0-9A-Fa-f]{2})")
_x400_re = re.compile(r"/?RFC-?822=(?P<local>[^/()\s]+)\(a\)(?P<domain>[^/\s]+)", re.IGNORECASE)
_foreign_re = re.compile(r"\s*(?:x-?400|x-?500|x-notes|notes)\s*;", re.IGNORECASE)
# RFC 3464 2.3.3, and the words that some put in its place.
_ACTIONS = {
    "failed": "failed", "failure": "failed", "fail": "failed", "error": "failed", "expired": "failed",
    "deferred": "delayed", "delayed": "delayed", "delay": "delayed", "delivered": "delivered",
    "deliverable": "delivered", "relayed": "relayed", "expanded": "expanded", "success": "delivered",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What the fields say of one recipient; "" for what they do not say. status: as written, comment included."""

    recipient: str
    original: str = ""
    action: str = ""
    status: str = ""
    diagnostic: str = ""
    remote_mta: str = ""


def told(text: str) -> list[Told]:
    """Of each recipient, in order; fields that stand outside of any recipient's group belong to the nearest."""
    found = [each for each in (_told(group) for group in _groups(text)) if each]
    return found[:RECIPIENTS]


def _groups(text: str) -> Iterator[dict[str, str]]:
    """A group begins with a recipient's field after another's, or after an empty line."""
    group: dict[str, str] = {}
    for block in _blank_re.split(text):
        fields = fields_of(block)
        if group.get("*") and any(name.lower() in _NAMING for name, _ in fields):
            yield group
            group = {}
        for name, value in fields:
            key = name.lower()
            if key in group and key in _NAMING:
                yield group
                group = {}
            group.setdefault(key, value[:_VALUE])
            if key in _NAMING:
                group["*"] = "named"
    yield group


_NAMING = frozenset({"final-recipient", "original-recipient", "x-actual-recipient"})


def _told(group: dict[str, str]) -> Told | None:
    final, original = address(group.get("final-recipient", "")), address(group.get("original-recipient", ""))
    foreign = _foreign_re.match(group.get("final-recipient", "")) is not None
    recipient = (original if foreign else final) or final or original or address(group.get("x-actual-recipient", ""))
    if not recipient:
        return None
    words = group.get("action", "").lower().split()
    action = _ACTIONS.get(words[0].strip("();,."), "") if words else ""
    diagnostic = group.get("diagnostic-code", "")
    more = group.get("x-400-supplementary-info") or group.get("x400-supplementary-info", "")
    return Told(
        recipient, original, action, group.get("status", ""), _after_type(diagnostic) + (f" {more}" if more else ""),
        _after_type(group.get("remote-mta", "")),
    )  # fmt: skip


def _after_type(value: str) -> str:
    """Without the type before the semicolon (RFC 3464 2.1.2)."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon and re.fullmatch(r"\s*[\w-]{1,64}\s*", kind) else value.strip()


def address(value: str) -> str:
    """The mailbox of an address field, typed or not; "" where it holds none."""
    plain = _after_type(value) if ";" in value else value.strip()
    plain = _escaped_re.sub(lambda one: _character(one[1]), plain)
    if found := _x400_re.search(plain):
        return f"{found['local']}@{found['domain']}"
    if found := _imcea_re.match(plain):
        return _unwrapped(found["text"]) or plain
    listed = addresses(plain) or addresses(value)
    return listed[0] if listed and not is_cut(listed[0]) else ""


def is_cut(mailbox: str) -> bool:
    """An address that an archive or a form has shortened is nobody's: jo...@example.com."""
    return mailbox.rpartition("@")[0].endswith(("...", "…"))


def _character(digits: str) -> str:
    """RFC 6533 3."""
    code = int(digits, 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "�"


def _unwrapped(text: str) -> str:
    """An address that Exchange wrapped into a local part: +40 for @, _ for /."""
    plain = _plus_re.sub(lambda one: chr(int(one[1], 16)), text)
    listed = addresses(plain.replace("_", " ") if plain.count("@") > 1 else plain)
    return listed[0] if listed else ""
