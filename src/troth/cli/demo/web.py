"""Beside the demo's river: HTTP as its two visitors speak it: a client firm's program, and a person's browser."""

import http.client
import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

_PATIENCE = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is the JSON value, or the text where it is none."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        """The problem type's slug, empty for a good answer."""
        return str(self.body["type"]).rpartition("/")[2] if self.status >= 400 and isinstance(self.body, dict) else ""


@dataclass(frozen=True, slots=True)
class Program:
    """A client firm's program: it speaks to the door with its API key."""

    door: str
    key: str = field(repr=False)

    def ask(self, method: str, path: str, body: bytes | None = None, *, idempotency: str | None = None) -> Reply:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        if idempotency:
            headers["Idempotency-Key"] = idempotency
        status, given, octets = _request(f"{self.door}{path}", method, body, headers)
        try:
            return Reply(status, json.loads(octets), given)
        except ValueError:
            return Reply(status, octets.decode(errors="replace"), given)


@dataclass(slots=True)
class Browser:
    """A person's browser: it keeps cookies, and presses a page's button. `trust`: whom it believes over HTTPS."""

    trust: Path | None = None
    _cookies: dict[str, str] = field(default_factory=dict)
    _url: str = ""
    _forms: "_Forms | None" = None

    def open(self, url: str) -> Reply:
        return self._go(url, "GET", None, {})

    def press(self, path: str = "", **typed: str) -> Reply:
        """Send the form of the page that is open (the first, or the one that goes to `path`; rather one that has the
        fields), with what was typed into it; LookupError when it has none.
        """
        forms = [one for one in self._forms.found if one.action.startswith(path)] if self._forms else []
        form = min(forms, key=lambda one: not typed.keys() <= one.fields.keys(), default=None)
        if form is None:
            raise LookupError(f"The page {self._url} has no such form.")
        target = urljoin(self._url, form.action or self._url)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": _origin(self._url)}
        return self._go(target, "POST", urlencode({**form.fields, **typed}, doseq=True).encode(), headers)

    def typed(self, name: str) -> str:
        """What stands in a field of the page that is open; LookupError when there is no such field."""
        for form in self._forms.found if self._forms else []:
            if name in form.fields:
                return form.fields[name][0]
        raise LookupError(f"The page {self._url} has no field {name}.")

    def follow(self, answer: Reply) -> Reply:
        """To where an answer leads; the answer itself when it leads nowhere."""
        place = answer.headers.get("location", "") if 300 <= answer.status < 400 else ""
        return self.open(urljoin(self._url, place)) if place else answer

    def _go(self, url: str, method: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if self._url:
            headers["Referer"] = self._url
        status, given, octets = _request(url, method, body, headers, self.trust)
        for line in given.get("set-cookie", "").splitlines():
            self._cookies.update((name, morsel.value) for name, morsel in SimpleCookie(line).items())
        page = octets.decode(errors="replace")
        self._url, self._forms = url, _Forms(page)
        return Reply(status, page, given)


@dataclass(slots=True)
class _Form:
    """Where it goes to, and what it holds: several values where several boxes of one name are checked."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    """A page's forms that post, with what stands in their fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[_Form] = []
        self._inside = False
        self._name = ""  # of the textarea or select whose words are being read
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = (given.get("method") or "").lower() == "post"
            if self._inside:
                self.found.append(_Form(given.get("action") or ""))
        elif self._inside:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str | None]) -> None:
        fields, name = self.found[-1].fields, given.get("name") or ""
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            fields.setdefault(name, []).append(given.get("value") or "")
        elif tag in ("textarea", "select"):
            self._name = name
            fields[name] = [""] if tag == "textarea" else []
        elif tag == "option" and self._name and ("selected" in given or not fields[self._name]):
            fields[self._name] = [given.get("value") or ""]

    def handle_data(self, data: str) -> None:
        if self._name and self.lasttag == "textarea":
            self.found[-1].fields[self._name][0] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"
        if tag in ("textarea", "select"):
            self._name = ""


def listens(host: str, port: int) -> Callable[[], bool]:
    """Whether somebody takes connections there, for a supervisor to ask."""

    def ready() -> bool:
        try:
            socket.create_connection((host, port), 1).close()
        except OSError:
            return False
        return True

    return ready


def one_click(url: str, trust: Path | None = None) -> int:
    """What a mailbox provider sends when its reader presses Unsubscribe (RFC 8058); gives the status."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return _request(url, "POST", b"List-Unsubscribe=One-Click", headers, trust)[0]


def _connection(parts: SplitResult, trust: Path | None) -> http.client.HTTPConnection:
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE)
    believing = ssl.create_default_context(cafile=trust)
    return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=_PATIENCE, context=believing)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _request(
    url: str, method: str, body: bytes | None, headers: dict[str, str], trust: Path | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers with lower-case names (a cookie a line), and the octets."""
    parts = urlsplit(url)
    there = _connection(parts, trust)
    try:
        there.request(method, f"{parts.path}{'?' if parts.query else ''}{parts.query}" or "/", body, headers)
        answer = there.getresponse()
        found: dict[str, str] = {}
        for name, value in answer.getheaders():
            low = name.lower()
            found[low] = f"{found[low]}{'\n' if low == 'set-cookie' else ', '}{value}" if low in found else value
        return answer.status, found, answer.read()
    finally:
        there.close()
