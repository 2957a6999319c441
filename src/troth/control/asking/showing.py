"""Asking, for anybody: whose page it is, by its programme's code and the host that was asked for; how it is drawn."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import render

from troth.control.audit.asking import row, rows

_ONE = "SELECT id, code, name, lower(domain) FROM troth.programme WHERE code = %s"
_BY_ID = "SELECT id, code, name, lower(domain) FROM troth.programme WHERE id = %s"
_DOMAINS = "SELECT lower(domain) FROM troth.programme"


@dataclass(frozen=True, slots=True)
class Whose:
    """A programme, as its public pages name it."""

    id: UUID
    code: str
    name: str
    domain: str

    @property
    def trust(self) -> str:
        """Where its trust centre is."""
        return f"/trust/{self.code}"


def whose(request: HttpRequest, code: str) -> Whose:
    """Http404 for one that is not there, or at the host of another."""
    found = row(_ONE, code[:40])
    host, _ = split_domain_port(request.get_host())  # in lower case, without the dot of the root
    if found is None or (host != found[3] and host in {domain for (domain,) in rows(_DOMAINS)}):
        raise Http404
    return Whose(*found)


def by_id(programme: UUID) -> Whose:
    found = row(_BY_ID, programme)
    if found is None:
        raise Http404
    return Whose(*found)


def page(
    request: HttpRequest, name: str, of: Whose | None, status: HTTPStatus = HTTPStatus.OK, **given: Any
) -> HttpResponse:
    response = render(
        request, f"asking/{name}.html", {"who": of or {"name": "Troth"}, "of": of, **given}, status=status
    )
    response["Cache-Control"] = "no-store"
    return response
