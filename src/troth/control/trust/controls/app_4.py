"""Control of APP-4: CSRF protection, Content Security Policy and security headers on every web-facing endpoint."""

from collections.abc import Iterator

from troth.control.trust import web_probe
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.web_probe import Answer, Place

# a page of each kind: the way in, a list behind it, what is not there, a recipient's, a file
_PAGES = ("/sign-in", "/password", "/messages", "/nowhere", "/confirm/x", "/livez")
_DOOR = ("/u/x", "/emails", "/nowhere")
_FORMS = ("/sign-in", "/password", "/sign-out", "/scope", "/changes")
_FORM = "application/x-www-form-urlencoded"


def check(look: Look, _: Programme | None) -> Found:
    findings = Findings()
    places = {"pages": (look.outside.pages, _PAGES), "door": (look.outside.door, _DOOR)}
    for name, (place, paths) in places.items():
        if place is None:
            findings.missing.append(f"nobody has said where the {name} listens")
            continue
        look.hurry()
        _probe(findings, place, name, paths)
    if look.outside.pages is not None:
        findings.take(_forged(look.outside.pages))
    return findings.done()


def _probe(findings: Findings, place: Place, name: str, paths: tuple[str, ...]) -> None:
    seen = 0
    for path in paths:
        answer = web_probe.ask(place, "GET", path)
        if answer is None:
            findings.missing.append(f"the {name} cannot be reached just now")
            return
        seen += 1
        findings.take(f"{name} {path}: {why}" for why in _headers(place, answer))
        findings.need(answer.status < 500, f"{name} {path} answers {answer.status}")
    findings.seen[name] = seen


def _headers(place: Place, answer: Answer) -> Iterator[str]:
    headers = answer.headers
    policy = headers.get("content-security-policy", "")
    if headers.get("content-type", "").startswith("text/html"):
        if "default-src 'none'" not in policy or "unsafe-" in policy or "*" in policy:
            yield "its Content-Security-Policy is missing or weak"
        if "frame-ancestors" not in policy:
            yield "it may be framed"
        if "base-uri 'none'" not in policy:
            yield "its base may be moved"
    if headers.get("x-content-type-options") != "nosniff":
        yield "its type may be guessed"
    if place.tls and "max-age" not in headers.get("strict-transport-security", ""):
        yield "it does not insist on HTTPS"
    for cookie in answer.cookies:
        lower = cookie.lower()
        if "httponly" not in lower or "samesite" not in lower or (place.tls and "secure" not in lower):
            yield f"its cookie {cookie.partition('=')[0]} is open"


def _forged(place: Place) -> Iterator[str]:
    """A form from elsewhere, without our token: refused, or sent to the way in."""
    for path in _FORMS:
        forged = web_probe.ask(
            place, "POST", path, b"login=a&password=b", Content_Type=_FORM, Origin="https://elsewhere.example"
        )
        if forged is not None and forged.status not in (302, 403, 404, 405):
            yield f"a form from elsewhere to {path} was answered with {forged.status}"
        if (
            forged is not None
            and forged.status == 302
            and not forged.headers.get("location", "").startswith("/sign-in")
        ):
            yield f"a form from elsewhere to {path} was taken"


CONTROL = Control(
    "APP-4",
    "app_4",
    HOUR,
    "A page of each kind is asked for over the network: its policy, headers and cookies are compared with what they"
    " must be, and forms from elsewhere, without our token, must be refused.",
    check,
)
