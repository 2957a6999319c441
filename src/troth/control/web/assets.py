"""The pages' style sheet, pictures and scripts, served under names that hold their hash, so that a browser keeps them.

There are few, read once; what is asked for is looked up among their names, so no path leads anywhere else. htmx (2,
under 0BSD) comes whole out of the package django-htmx (MIT), pinned by its hash with everything else we run.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib import resources

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

_TYPES = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml", "js": "text/javascript; charset=utf-8"}
_FOR_GOOD = "public, max-age=31536000, immutable"
_HTMX = ("django_htmx", "static/django_htmx/htmx-2.min.js")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    name: str
    content: bytes
    content_type: str


@cache
def assets() -> dict[str, Asset]:
    """By the plain file name: the asset under its hashed one."""
    found = {}
    for plain, content in _files():
        stem, _, ending = plain.rpartition(".")
        name = f"{stem}.{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
        found[plain] = Asset(name, content, _TYPES[ending])
    return found


def _files() -> Iterator[tuple[str, bytes]]:
    for file in (resources.files("troth.control.web") / "static" / "web").iterdir():
        yield file.name, file.read_bytes()
    package, path = _HTMX
    yield "htmx.js", (resources.files(package) / path).read_bytes()


@cache
def _by_served_name() -> dict[str, Asset]:
    return {asset.name: asset for asset in assets().values()}


def url(name: str) -> str:
    """Where a page finds a file; KeyError for one that is not there."""
    return f"/static/{assets()[name].name}"


@require_safe
def asset(request: HttpRequest, name: str) -> HttpResponse:
    """GET /static/<name>.<hash>.<ending>"""
    del request
    found = _by_served_name().get(name)
    if found is None:
        return HttpResponse("There is no such file.", status=HTTPStatus.NOT_FOUND, content_type="text/plain")
    return HttpResponse(found.content, content_type=found.content_type, headers={"Cache-Control": _FOR_GOOD})
