"""Submission and composing: an attachment, checked where it is made, and its MIME part."""

import re
import unicodedata
from dataclasses import dataclass

from troth.mail.bodies import base64_body
from troth.mail.headers import parameter

MAX_FILENAME = 200  # octets of UTF-8

# type/subtype (RFC 6838 4.2), parameter token (RFC 2045 5.1)
_type_re = re.compile(r"(?P<type>[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126})\Z")
_parameter_re = re.compile(
    r"(?P<name>[A-Za-z0-9!#$%&'*+.^_`{|}~-]+)=(?P<value>[A-Za-z0-9!#$%&'*+.^_`{|}~-]+|\"[^\"\\\r\n]*\")\Z"
)
_content_id_re = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]{1,200}\Z")
# Controls, bidi controls and invisible marks: a name must be what it looks like. Separators: it is a name, not a path.
_bad_name_re = re.compile(
    "[\x00-\x1f\x7f-\x9f/\\\\\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)


class MimeError(ValueError):
    """A message part that cannot be sent; `code` is stable, `field` its place, `hint` says what to do."""

    def __init__(self, code: str, field: str, hint: str) -> None:
        super().__init__(hint)
        self.code = code
        self.field = field
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Attachment:
    """filename: a name, no path; content: octets; inline: shown by the HTML as cid:content_id."""

    filename: str
    content_type: str
    content: bytes
    content_id: str | None = None
    inline: bool = False

    def __post_init__(self) -> None:
        check_filename(self.filename)
        media_type(self.content_type)
        if self.content_id is not None and not _content_id_re.match(self.content_id):
            raise MimeError("content_id", "attachments", "A content id is ASCII without blanks and angle brackets.")
        if self.inline and self.content_id is None:
            raise MimeError("content_id", "attachments", "An inline attachment needs a content id.")


def check_filename(name: str) -> None:
    """Raises MimeError on what a reader's machine could take for something else."""
    if not isinstance(name, str) or not name.strip(" ."):
        raise MimeError("filename", "attachments", "An attachment needs a file name.")
    if found := _bad_name_re.search(name):
        what = f"U+{ord(found[0]):04X}"
        raise MimeError("filename", "attachments", f"The file name has a forbidden character ({what}); remove it.")
    if len(name.encode()) > MAX_FILENAME:
        raise MimeError("filename", "attachments", f"The file name is longer than {MAX_FILENAME} bytes.")
    if name != name.strip(" ") or name.endswith("."):
        raise MimeError(
            "filename", "attachments", "The file name may not begin or end with a blank, or end with a dot."
        )


def media_type(content_type: str) -> tuple[str, ...]:
    """`type/subtype` and, for a calendar, `method=...`; a charset or name is left out; raises MimeError."""
    first, *rest = [piece.strip(" ") for piece in content_type.split(";")] if isinstance(content_type, str) else [""]
    if not _type_re.match(first):
        raise MimeError("content_type", "attachments", "A content type is type/subtype, as in application/pdf.")
    low = first.lower()
    if low.startswith(("multipart/", "message/")):
        raise MimeError("content_type", "attachments", f"An attachment may not be of the type {low}.")
    kept = [_known_parameter(piece, low) for piece in rest if piece]
    return (low, *(piece for piece in kept if piece))


def _known_parameter(piece: str, low: str) -> str:
    found = _parameter_re.match(piece)
    name = found["name"].lower() if found else ""
    if found and name == "method" and low == "text/calendar" and found["value"].isalpha():
        return f"method={found['value']}"
    if name in ("charset", "name"):
        return ""
    raise MimeError(
        "content_type", "attachments", "A content type's only parameters are charset, name and a calendar's method."
    )


def attachment_part(attachment: Attachment) -> bytes:
    """Headers, blank line and body of its MIME part."""
    name = unicodedata.normalize("NFC", attachment.filename)
    kind = "inline" if attachment.inline else "attachment"
    lines = [
        "Content-Type: " + ";\r\n ".join(media_type(attachment.content_type)),
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: " + ";\r\n ".join((kind, *parameter("filename", name))),
    ]
    if attachment.content_id is not None:
        lines.append(f"Content-ID: <{attachment.content_id}>")
    return "\r\n".join((*lines, "", "")).encode() + base64_body(attachment.content)
