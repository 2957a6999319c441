"""The letter: all that composing a message needs, as the gate seals it and the worker opens it. Shape only."""

from uuid import UUID

import msgspec


class HeaderMailbox(msgspec.Struct, frozen=True, array_like=True):
    """One mailbox of To or Cc. `sealed` is the whole mailbox under that person's own key, so that erasing the person
    erases it from everybody else's letters too.
    """

    person: UUID
    sealed: bytes


class File(msgspec.Struct, frozen=True, array_like=True):
    """An attachment. `content_id` makes it inline (RFC 2392)."""

    filename: str
    content_type: str
    content: bytes
    content_id: str | None = None


class Letter(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message to one recipient, before rendering: `variables` for a template, else subject and bodies."""

    sender: str
    forward_path: str
    to: tuple[HeaderMailbox, ...] = ()
    cc: tuple[HeaderMailbox, ...] = ()
    reply_to: tuple[str, ...] = ()
    subject: str | None = None
    html: str | None = None
    text: str | None = None
    variables: dict[str, object] | None = None
    headers: dict[str, str] = {}
    attachments: tuple[File, ...] = ()
    tags: dict[str, str] = {}


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Letter)


def encode(letter: Letter) -> bytes:
    """MessagePack: attachments stay octets."""
    return _ENCODER.encode(letter)


def decode(data: bytes) -> Letter:
    """The inverse; msgspec.DecodeError for anything else."""
    return _DECODER.decode(data)
