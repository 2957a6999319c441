"""Submission, reading: the wire types in the shape of Resend's API, and what is wrong with other shapes.

A body is read twice: strict_json knows JSON, msgspec knows these types. Its sentences name a path and two types; here
they become problems, each with its field and the way out.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from troth.flow.submission.problem import Problem


class _Wire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Unknown fields are refused: a slip in a name must not be a silent loss."""


class Attachment(_Wire, frozen=True, kw_only=True):
    """`content` is base64 or a list of octets. `path` is Resend's and refused: we fetch nothing."""

    filename: str | None = None
    content: str | list[int] | None = None
    content_type: str | None = None
    content_id: str | None = None
    inline_content_id: str | None = None
    path: str | None = None


class Tag(_Wire, frozen=True, kw_only=True):
    name: str
    value: str


class Template(_Wire, frozen=True, kw_only=True):
    id: str
    variables: dict[str, Any] | None = None


class Email(_Wire, frozen=True, kw_only=True):
    """One email. Null is as good as left out, but for `to`."""

    to: str | list[str]
    sender: str | None = msgspec.field(default=None, name="from")
    cc: str | list[str] | None = None
    bcc: str | list[str] | None = None
    reply_to: str | list[str] | None = None
    reply_to_camel: str | list[str] | None = msgspec.field(default=None, name="replyTo")
    subject: str | None = None
    html: str | None = None
    text: str | None = None
    headers: dict[str, str] | None = None
    attachments: list[Attachment] | None = None
    tags: list[Tag] | None = None
    template: Template | None = None
    scheduled_at: str | None = None


class Reschedule(_Wire, frozen=True, kw_only=True):
    """`id` stands in the path; Resend's Python client repeats it here."""

    scheduled_at: str
    id: str | None = None


class Agreement(_Wire, frozen=True, kw_only=True):
    """What a vendor signed: the document's SHA-256 in hex, what it is called, the day of signing."""

    sha256: str
    reference: str
    signed_at: str


class Consent(_Wire, frozen=True, kw_only=True):
    """What the recipient agreed to (kind express), or what follows from dealings with them (implied): the wording that
    they read, how they answered, from which address, and when. category: a code; left out, it is for all of them.
    """

    kind: str
    wording: str
    how: str
    basis: str = ""
    category: str | None = None
    source: str | None = None
    given_at: str | None = None
    expires_at: str | None = None


class Recipient(_Wire, frozen=True, kw_only=True):
    """`name` is taken for the caller's convenience and not kept: nothing of ours needs it."""

    email: str
    name: str | None = None
    timezone: str | None = None
    pathway: str | None = None
    employer: str | None = None
    agreement: Agreement | None = None
    consent: Consent | None = None


_email = msgspec.json.Decoder(Email)
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_reschedule = msgspec.json.Decoder(Reschedule)
_recipient = msgspec.json.Decoder(Recipient)


def email(body: bytes | msgspec.Raw) -> Email:
    return _shaped(_email.decode, body, Email)


def reschedule(body: bytes) -> Reschedule:
    return _shaped(_reschedule.decode, body, Reschedule)


def recipient(body: bytes | msgspec.Raw) -> Recipient:
    return _shaped(_recipient.decode, body, Recipient)


def batch(body: bytes) -> list[msgspec.Raw]:
    """A bare array; its emails are read one by one, so that each is told its own mistake."""
    return _shaped(_raws.decode, body, list)


def _shaped[T](decode: Callable[[bytes | msgspec.Raw], T], body: bytes | msgspec.Raw, shape: type[Any]) -> T:
    try:
        return decode(body)
    except msgspec.ValidationError as error:
        raise _problem(str(error), shape) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem("malformed-json", "A string holds half of a surrogate pair; send whole characters.") from None


# ---- msgspec's sentences ----

_AT = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")
_EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`")
_WORDS: Mapping[str, str] = {
    "str": "a string", "array": "a list", "object": "an object", "int": "a whole number", "float": "a number",
    "bool": "true or false", "null": "null",
}  # fmt: skip
_PARTS: Mapping[str, type[msgspec.Struct]] = {
    "attachments": Attachment,
    "tags": Tag,
    "template": Template,
    "agreement": Agreement,
    "consent": Consent,
}


_DONE: Mapping[type[Any], str] = {Recipient: "registered", Reschedule: "changed"}


def _problem(said: str, shape: type[Any]) -> Problem:
    found = _AT.fullmatch(said)
    assert found is not None
    what, path = found["what"], (found["path"] or "").replace("[...]", "").lstrip(".")
    if unknown := _UNKNOWN.fullmatch(what):
        return _unknown(unknown["name"], path, shape)
    if missing := _MISSING.fullmatch(what):
        place = _join(path, missing["name"])
        return Problem("missing-field", f"`{place}` is missing; add it.", place)
    if expected := _EXPECTED.fullmatch(what):
        return _wrong_type(expected["wanted"], expected["got"], path)
    return Problem("bad-value", f"{_named(path)} has a value out of range.", path or None)


def _unknown(name: str, path: str, shape: type[Any]) -> Problem:
    shown = name[:64]
    near = difflib.get_close_matches(name[:64], _known(path, shape), n=1, cutoff=0.6)
    way_out = f"Did you mean `{near[0]}`?" if near else f"Remove it; nothing was {_DONE.get(shape, 'sent')}."
    return Problem(
        "unknown-field", f"`{_join(path, shown)}` is not a field of this request. {way_out}", _join(path, shown)
    )


def _known(path: str, shape: type[Any]) -> list[str]:
    part = _PARTS.get(re.split(r"[.\[]", path, maxsplit=1)[0], shape)
    return [name for name in _fields(part) if name != "replyTo"]


@lru_cache
def _fields(shape: type[Any]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(shape))


def _wrong_type(wanted: str, got: str, path: str) -> Problem:
    kinds = [_WORDS.get(kind, kind) for kind in wanted.split(" | ") if kind != "null"]
    sentence = f"{_named(path)} must be {' or '.join(kinds)}, not {_WORDS.get(got, got)}."
    return Problem("bad-type", sentence, path or None)


def _named(path: str) -> str:
    return f"`{path}`" if path else "The body"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
