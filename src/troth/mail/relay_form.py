"""Feedback: the fields of a webhook's form, urlencoded or multipart/form-data (RFC 7578): bounded, files passed over.

A name may stand more than once: the older Mailgun webhooks mix a message's custom variables with their own fields.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from troth.mail import relay_facts as say
from troth.mail.relay_json import BodyError

_MOST = 500  # fields
_boundary_re = re.compile(r"boundary=(?:\"(?P<quoted>[^\"]{1,70})\"|(?P<bare>[^\s;,\"]{1,70}))", re.IGNORECASE)
_name_re = re.compile(rb'(?im)^content-disposition:[^\r\n]*[; \t]name="(?P<name>[^"\r\n]{0,200})"(?P<more>[^\r\n]*)')
# Fields of the older webhooks' own, which are no custom variables. Source: Mailgun's user manual.
_OWN = frozenset({
    "event", "recipient", "domain", "message-headers", "code", "error", "notification", "campaign-id", "campaign-name",
    "tag", "tags", "mailing-list", "timestamp", "token", "signature", "reason", "description", "ip", "country",
    "region", "city", "user-agent", "device-type", "client-type", "client-name", "client-os", "url", "h", "body-plain",
    "body-html", "body-mime", "stripped-text", "stripped-html", "stripped-signature", "attachment-count", "subject",
    "sender", "from", "message-id", "mx-host", "content-id-map", "attachments", "severity",
})  # fmt: skip
_ONCE = _OWN - {"tag", "tags"}


class Fields:
    """Names with all their values, in order."""

    __slots__ = ("_values",)

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs[:_MOST]:
            self._values.setdefault(name, []).append(value)

    @classmethod
    def read(cls, content_type: str, octets: bytes) -> "Fields":
        """BodyError for what is neither kind of form."""
        media, _, parameters = content_type.partition(";")
        if media.strip().lower() == "application/x-www-form-urlencoded":
            try:
                return cls(parse_qsl(octets.decode(), keep_blank_values=True, max_num_fields=_MOST, errors="replace"))
            except ValueError:
                raise BodyError(f"The body is no form of at most {_MOST} fields.") from None
        found = _boundary_re.search(parameters)
        if media.strip().lower() != "multipart/form-data" or found is None:
            raise BodyError("The body is neither JSON nor a form.")
        return cls(_parts((found["quoted"] or found["bare"]).encode("latin-1", "replace"), octets))

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(self._values.get(name, ()))

    def last(self, name: str) -> str:
        """The last value, without NUL; "" where there is none."""
        return self._values.get(name, [""])[-1].replace("\0", "")

    def tags(self) -> tuple[str, ...]:
        """As the events tell them, else as the message's header had them."""
        return say.texts([*self.all("tag"), *self.all("tags")] or [*self.all("X-Mailgun-Tag"), *self._header_tags()])

    def _header_tags(self) -> list[str]:
        return [value for name, value in self._headers() if name.lower() == "x-mailgun-tag"]

    def message_id(self) -> str:
        named = next((value for name, value in self._headers() if name.lower() == "message-id"), "")
        return say.text(self.last("Message-Id") or self.last("message-id") or named, 998)

    def variables(self) -> Mapping[str, Any]:
        """Custom variables: the message's own header where it is given, else the fields that nobody else names."""
        for name, value in self._headers():
            if name.lower() == "x-mailgun-variables":
                return say.object_of(value)
        own = {name: values for name, values in self._values.items() if name.lower() not in _OWN}
        own |= {name: values[:-1] for name, values in self._values.items() if name in _ONCE and len(values) > 1}
        return {name: say.text(values[0]) for name, values in own.items() if not name.startswith("X-Mailgun-")}

    def _headers(self) -> list[tuple[str, str]]:
        """`message-headers`: a list of name and value, as JSON text."""
        found = _json(self.last("message-headers"))
        pairs = [each for each in say.listed(found, 200) if isinstance(each, list) and len(each) == 2]
        return [(say.text(name), say.text(value, 4_000)) for name, value in pairs]


def _json(text: str) -> object:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _parts(boundary: bytes, octets: bytes) -> list[tuple[str, str]]:
    found = []
    for part in octets.split(b"--" + boundary, _MOST + 2)[1:-1]:
        head, blank, content = part.partition(b"\r\n\r\n")
        name = _name_re.search(head[:4_000])
        if blank and name is not None and b"filename" not in name["more"].lower():
            text = content.removesuffix(b"\r\n").decode("utf-8", "replace")
            found.append((name["name"].decode("utf-8", "replace"), text))
    return found
