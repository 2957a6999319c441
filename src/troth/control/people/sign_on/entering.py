"""Signing on: what an identity opens: a session of the account that has that address, or a place among those who wait.

Accounts are looked for in this client alone: never staff, never another client's.
"""

from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter  # type: ignore[import-untyped]  # allauth ships no types
from allauth.account.internal.flows.login import (  # type: ignore[import-untyped]  # the same
    get_authentication_records,
    perform_login,
    record_authentication,
)
from allauth.account.models import Login as Entering  # type: ignore[import-untyped]  # the same
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from troth.control.audit.asking import row
from troth.control.people import page_sessions, throttle
from troth.control.people.models import Login
from troth.control.people.sign_on import arrivals, connection
from troth.control.people.sign_on.connection import Connection
from troth.control.people.sign_on.identity import Identity
from troth.control.people.sign_on.refusing import NotSignedOn

METHOD = "socialaccount"  # allauth's word for it; the adapter's is sign-on
_HOOK: dict[str, Any] = {"email_verification": "none", "signal_kwargs": {}, "signup": False, "email": None}


def enter(request: HttpRequest, there: Connection, person: Identity, after: str) -> HttpResponse:
    """The way in, or a page that says who can open it."""
    layers = settings.TROTH_KEYS().secrets.blind_index().all_layers(person.address.normal)
    account = _account(there.tenant, [index for _, index in layers])
    if account is None:
        now = row("SELECT troth.now_v1()")
        assert now is not None
        arrivals.note(there, person, layers[0][1], now[0])
        _told(request, there.tenant, "no access yet")
        return render(request, "people/sign_on/arrived.html", {"firm": there.name}, status=403)
    return _let_in(request, account, after, second=person.second and there.terms.trusts_second_factor)


def refused(request: HttpRequest, tenant: UUID, trouble: NotSignedOn) -> HttpResponse:
    """Nothing was opened; the client's record of sign-ins tells why."""
    _told(request, tenant, trouble.why)
    context = {"sentence": trouble.sentence, "tenant": tenant}
    return render(request, "people/sign_on/refused.html", context, status=403)


def instead(request: HttpRequest, user: AbstractBaseUser) -> HttpResponse | None:
    """For the adapter, before a password or a passkey opens anything: where a firm enforces sign-on, neither does.
    It is asked after they were found right, so that nobody else learns of it.
    """
    if any(one["method"] == METHOD for one in get_authentication_records(request, user)):
        return None
    found = row("SELECT troth.sign_on_enforced_v1(%s)", user.pk)
    if not found or not found[0]:
        return None
    page_sessions.tell(request, "sign-on-refused", "a password or passkey where sign-on is enforced", user.pk)
    tenant = row("SELECT tenant_id FROM troth.login_view_v1(%s, NULL)", user.pk)
    there = connection.of_tenant(tenant[0]) if tenant and tenant[0] else None
    request.session.flush()  # what was shown so far opens nothing
    return render(request, "people/sign_on/instead.html", {"tenant": there.tenant if there else None}, status=403)


def _account(tenant: UUID, indexes: list[bytes]) -> UUID | None:
    found = row("SELECT troth.sign_on_account_v1(%s, %s)", tenant, indexes)
    return found[0] if found else None


def _let_in(request: HttpRequest, account: UUID, after: str, *, second: bool) -> HttpResponse:
    """Where the provider's second factor is not trusted, our own is asked for, from whoever has one."""
    held = page_sessions.secret_of(request)
    if held is not None and page_sessions.seen(held) is not None:
        page_sessions.end(held)  # whoever signs on again has one session of this browser, not two
    request.session.flush()  # nothing that was begun before signing on goes on after it
    user = Login.objects.get(pk=account)
    record_authentication(request, user, method=METHOD, second=second)
    response: HttpResponse
    if second:
        adapter = get_adapter(request)
        adapter.login(request, user)
        response = adapter.post_login(request, user, redirect_url=after, **_HOOK)
    else:
        response = perform_login(request, Entering(user=user, redirect_url=after, **_HOOK))
    return response


def _told(request: HttpRequest, tenant: UUID, why: str) -> None:
    """An entry of the client's access log; a place that makes hundreds of them fills no log."""
    if throttle.place_full(request, "sign-on refused"):
        return
    row("SELECT troth.sign_on_refused_v1(%s, %s, %s, %s)", tenant, why, *page_sessions.origin(request))
