"""Feedback: is this POST an opt-out? `List-Unsubscribe=One-Click` (RFC 8058 3.2), urlencoded or multipart/form-data."""

import re
from urllib.parse import parse_qsl

_BOUNDARY = re.compile(
    r"boundary=(?:\"(?P<quoted>[^\"]{1,70})\"|(?P<bare>[^\s;,\"]{1,70}))", re.IGNORECASE
)  # RFC 2046 5.1.1
_NAME = re.compile(rb'(?im)^content-disposition:[^\r\n]*[; \t]name="?(?P<name>[^";\r\n]*)"?')
FIELD, VALUE = "List-Unsubscribe", "One-Click"
LIMIT = 8_192  # octets of such a body


def is_one_click(content_type: str, body: bytes) -> bool:
    """Whether the form says exactly that, whatever else it says."""
    media, _, parameters = content_type.partition(";")
    if media.strip().lower() == "application/x-www-form-urlencoded":
        return (FIELD, VALUE) in _urlencoded(body)
    if media.strip().lower() == "multipart/form-data":
        return (FIELD, VALUE) in _multipart(parameters, body)
    return False


def _urlencoded(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("ascii").strip(), max_num_fields=20)
    except ValueError:
        return []


def _multipart(parameters: str, body: bytes) -> list[tuple[str, str]]:
    found = _BOUNDARY.search(parameters)
    if found is None:
        return []
    delimiter = b"--" + (found["quoted"] or found["bare"]).encode("latin-1", "replace")
    return [pair for part in body.split(delimiter)[1:-1] if (pair := _part(part)) is not None]


def _part(part: bytes) -> tuple[str, str] | None:
    head, blank, content = part.partition(b"\r\n\r\n")
    name = _NAME.search(head)
    if not blank or name is None:
        return None
    return name["name"].decode("latin-1"), content.removesuffix(b"\r\n").decode("latin-1").strip()
