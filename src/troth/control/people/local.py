"""People: where somebody is taken after they have shown who they are: a page of ours, whatever the address asks for."""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

_LONGEST = 2000  # characters


def path(given: str) -> str:
    """The path itself, or the first page: never another host, scheme, or what a browser could read as one."""
    kept = (
        given.startswith("/")
        and len(given) <= _LONGEST
        and given.isprintable()
        and url_has_allowed_host_and_scheme(given, allowed_hosts=None)
    )
    return given if kept else "/"


def wanted(request: HttpRequest) -> str:
    """What `next` of a form or an address asks for."""
    return path(request.POST.get("next") or request.GET.get("next") or "/")


def with_next(page: str, after: str) -> str:
    """A page's address that leads on to another."""
    return page if after == "/" else f"{page}?{urlencode({'next': after})}"
