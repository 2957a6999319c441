"""Recipients: hands the sending door's public paths on to it, where no proxy stands in front of both.

An unsubscribe link must answer a POST itself (RFC 8058 section 3.1 allows no redirect), and it begins with public_url
as every link does. Behind a proxy that sends /u/ and /assets/ to the door, nothing comes through here.
"""

import http.client
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from troth.control.recipients.views import broken

_PATIENCE = 15.0  # seconds
_MOST = 65_536  # octets of a body; an unsubscribe form has a few dozen
_UP = ("Content-Type", "Accept", "User-Agent")
_COOKIE = "troth_own"  # of a recipient's own page; the pages' own cookies stay here
_NOT_DOWN = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"})


@csrf_exempt  # a mailbox provider's one-click POST has no cookie; the token in the path is the right
def to_door(request: HttpRequest, token: str = "") -> HttpResponse:
    """The door's answer, whatever it is; 503 when it gives none."""
    del token
    length = request.headers.get("Content-Length") or "0"
    if not (length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= _MOST):
        return HttpResponse(status=http.client.REQUEST_ENTITY_TOO_LARGE)
    door = urlsplit(settings.TROTH_DOOR_URL)
    there = http.client.HTTPConnection(door.hostname or "", door.port, timeout=_PATIENCE)
    try:
        headers = {name: request.headers[name] for name in _UP if name in request.headers}
        if _COOKIE in request.COOKIES:
            headers["Cookie"] = f"{_COOKIE}={request.COOKIES[_COOKIE]}"
        headers["X-Forwarded-For"] = _told(request)
        there.request(request.method or "GET", request.get_full_path(), request.body or None, headers)
        answer = there.getresponse()
        response = HttpResponse(answer.read(), status=answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _NOT_DOWN:
                response[name] = value
    except (OSError, http.client.HTTPException):
        return broken(request)
    else:
        return response
    finally:
        there.close()


def _told(request: HttpRequest) -> str:
    """Where it came from, as the door reads it where it trusts this process (flow/submission/peer.py)."""
    before = request.headers.get("X-Forwarded-For", "")
    return f"{before}, {request.META['REMOTE_ADDR']}".removeprefix(", ")
