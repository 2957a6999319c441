"""The child that asks: the pages' whole WSGI stack in one process, fed with lines of JSON from standard input.

Each asked request runs in a transaction that is rolled back afterwards, so that no answer changes the next one.
"""

import hashlib
import io
import json
import logging
import os
import re
import secrets
import string
import sys
from contextlib import ExitStack
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from wsgiref.util import setup_testing_defaults

from troth.cli import wiring
from troth.cli.pages import handed
from troth.control.wsgi import make_application
from troth.settings import load

_CSRF = "__Host-troth_csrf"
_SESSION = "__Host-troth_session"
# what differs from answer to answer: the form's token, and the page asked for where a form or link leads back to it
_ONCE = re.compile(rb'(name="csrfmiddlewaretoken" value=|nonce=|name="next" value=|href="/sign-in)"[^"]*"')
_TOKEN = "".join(secrets.choice(string.ascii_letters) for _ in range(32))


class Asker:
    def __init__(self) -> None:
        given = load(os.environ, Path.cwd())
        conninfos = [wiring.conninfo(given, role) | {"options": "-c lock_timeout=5s"} for role in ("control", "signin")]
        self.application = make_application(conninfos[0], conninfos[1], handed(given))
        _keep_connections()
        self.host = urlsplit(given.public_url).netloc

    def do(self, order: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = getattr(self, order.pop("do"))(**order)
        return found

    def routes(self) -> dict[str, Any]:
        """Every page of urls.py: its name and address, what its mark needs, and whether the middleware lets anybody in."""
        from troth.control import urls
        from troth.control.people.guard import needs_of
        from troth.control.web import middleware

        found = []
        for each in urls.urlpatterns:
            needs, kind = needs_of(each.callback), "outside" if each.name in middleware.OUTSIDE else ""
            mark = [needs.get, needs.post, needs.fresh] if needs else None
            kind = kind or ("open" if each.name in middleware.OPEN else "")
            found.append({"name": each.name, "route": str(each.pattern), "mark": mark, "kind": kind})
        return {"routes": found}

    def path(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        from django.urls import reverse

        return {"path": reverse(name, kwargs=args)}

    def sign_in(self, login: str, password: str) -> dict[str, Any]:
        """The cookies that a browser has afterwards."""
        return self._call("POST", "/sign-in", {}, {"login": login, "password": password})

    def choose(self, cookies: dict[str, str], client: str) -> dict[str, Any]:
        """The cookies of the same person who looks at that client, beside those given."""
        from django.contrib.sessions.backends.db import SessionStore

        looking = SessionStore()
        looking.update(SessionStore(cookies[_SESSION]).load())
        looking["scope"] = client
        looking.save()
        return {"cookies": {**cookies, _SESSION: looking.session_key}}

    def resolves(self, path: str) -> dict[str, Any]:
        from django.urls import Resolver404, resolve

        try:
            return {"name": resolve(path).url_name}
        except Resolver404:
            return {"name": ""}

    def ask(
        self, cookies: dict[str, str], method: str, path: str, body: dict[str, str], seek: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """`seek`: words; the answer says which of them the page has."""
        from django.db import transaction

        with ExitStack() as stack:
            for alias in ("default", "signin"):
                stack.enter_context(transaction.atomic(using=alias))
            answer = self._call(method, path, cookies, body, seek)
            for alias in ("default", "signin"):
                transaction.set_rollback(True, using=alias)
        return answer

    def _call(
        self, method: str, path: str, cookies: dict[str, str], body: dict[str, str], seek: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        content = urlencode(body).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_HOST": self.host, "wsgi.url_scheme": "https", "HTTPS": "on",
            "REMOTE_ADDR": "127.0.0.1", "wsgi.input": io.BytesIO(content), "CONTENT_LENGTH": str(len(content)),
            "CONTENT_TYPE": "application/x-www-form-urlencoded", "HTTP_ORIGIN": f"https://{self.host}",
            "HTTP_X_CSRFTOKEN": _TOKEN, "HTTP_COOKIE": "; ".join(f"{k}={v}" for k, v in {**cookies, _CSRF: _TOKEN}.items()),
        }  # fmt: skip
        setup_testing_defaults(environ)
        got: list[Any] = []
        result = self.application(environ, lambda status, headers, _=None: got.extend((status, headers)))
        try:
            text = b"".join(result)
        finally:
            result.close()
        headers = {name.lower(): value for name, value in got[1]}
        set_there = SimpleCookie()
        for name, value in got[1]:
            if name.lower() == "set-cookie":
                set_there.load(value)
        digest = hashlib.sha256(_ONCE.sub(b"", text)).hexdigest()
        return {
            "status": int(got[0].split()[0]), "location": headers.get("location", ""), "digest": digest, "size": len(text),
            "cookies": {name: one.value for name, one in set_there.items()}, "found": [each for each in seek if each.encode() in text], "asks": b"Choose a client first" in text, "start": text[:200].decode(errors="replace"),
        }  # fmt: skip


def _keep_connections() -> None:
    """A request begins and ends in our transaction, in which Django would close its connection."""
    from django.core import signals
    from django.db import close_old_connections

    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)


def main() -> None:
    logging.basicConfig(level=logging.ERROR)  # the traces of what breaks, to the log
    asker, answers = Asker(), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a page prints is not an answer
    for line in sys.stdin:
        answers.write(json.dumps(asker.do(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
