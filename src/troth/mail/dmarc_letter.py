"""Feedback: the reports in what somebody sent: a letter with them in it, an archive, or the bare file.

Any octets: at least one Document, or Unreadable. What unpacks is bounded by mail.unpacking, letters by mail.parts.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from troth.mail import parts
from troth.mail.dmarc_words import Unreadable
from troth.mail.parts import Part
from troth.mail.unpacking import UNPACKED, Unpackable, packed, unpack

XML, JSON = "xml", "json"
LETTER_SIZE = 30 * 1024 * 1024  # octets: more than any door of ours lets in
_MOST = 20  # documents of one letter, and parts that are looked into
_BOMBS = ("large", "ratio", "nested")  # nobody adds one to a report
_SKIPPED = ("text/html", "text/css", "message/feedback-report", "text/rfc822-headers")
_BARE = ("text/plain", "text/rfc822")  # a report only if it looks like one
_field_re = re.compile(rb"^(?:From |[!-9;-~]{1,76}[ \t]*:)")
_base64_re = re.compile(rb"^[A-Za-z0-9+/=\s]{16,}$")
_NONE = "There is no report in it: no XML of DMARC, no JSON of SMTP TLS, packed or not."
_FAILURE = "It is a DMARC failure report, about a single message: only aggregate reports are read here."


@dataclass(frozen=True, slots=True)
class Document:
    """kind: xml or json; octets: unpacked. Nothing says yet that it is a report."""

    kind: str
    octets: bytes


def documents(octets: bytes) -> tuple[Document, ...]:
    """Those of a file or a letter, in their order; a file's archive may hold several."""
    if not octets.strip():
        raise Unreadable("empty", "It is empty: there is no report in it.")
    if len(octets) > LETTER_SIZE:
        raise Unreadable("large", f"It is larger than {LETTER_SIZE // 1024 // 1024} MB.")
    found = _of_file(octets)
    if found:
        return found
    if _field_re.match(octets.lstrip()[:1_000]):
        return in_letter(parts.read(octets.lstrip()))
    raise Unreadable("not-a-report", _NONE)


def in_letter(letter: Part) -> tuple[Document, ...]:
    """Those of a letter. A part that is a broken archive matters only where no other is a report."""
    found: list[Document] = []
    fault: Unreadable | None = None
    for part in islice(_leaves(letter), _MOST):
        try:
            found += _of_part(part)
        except Unreadable as each:
            if each.word in _BOMBS:
                raise
            fault = fault or each
        if sum(len(each.octets) for each in found) > UNPACKED:
            raise Unreadable("large", f"Its reports are larger than {UNPACKED // 1024 // 1024} MB together.")
    if found:
        return tuple(found[:_MOST])
    if fault is None and any(each.type == "message/feedback-report" for each in letter.walk()):
        fault = Unreadable("failure-report", _FAILURE)
    raise fault or Unreadable("not-a-report", _NONE)


def _leaves(letter: Part) -> Iterator[Part]:
    return (each for each in letter.walk() if not each.parts and each.body and each.type not in _SKIPPED)


def _of_part(part: Part) -> tuple[Document, ...]:
    if part.type in _BARE and packed(part.body):
        return ()
    found = _of_file(part.body)
    if not found and part.type not in _BARE and _base64_re.match(part.body[:10_000]):
        found = _of_file(_unencoded(part.body))
    return found


def _unencoded(octets: bytes) -> bytes:
    """Base64 that its part did not own up to."""
    try:
        return binascii.a2b_base64(octets)
    except binascii.Error:
        return b""


def _of_file(octets: bytes) -> tuple[Document, ...]:
    """Nothing for what is neither, so that a letter may be looked for."""
    try:
        unpacked = unpack(octets)
    except Unpackable as fault:
        raise Unreadable(fault.word, str(fault)) from None
    found = [Document(kind, each) for each in unpacked if (kind := _kind(each))]
    if not found and packed(octets):
        empty = not any(each.strip() for each in unpacked)
        raise Unreadable("empty", "The archive's file is empty.") if empty else Unreadable("not-a-report", _NONE)
    return tuple(found[:_MOST])


def _kind(octets: bytes) -> str:
    begin = octets[:1_000]
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        begin = begin.decode("utf-16", errors="replace").encode()
    begin = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin.startswith(b"<") and not begin.lower().startswith((b"<html", b"<!doctype html")):
        return XML
    return JSON if begin.startswith(b"{") else ""
