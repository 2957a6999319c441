"""People: one's own account: how one signs in, where one is signed in, and a new password."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.audit.asking import row
from troth.control.people import browsers, links, noticing, page_sessions
from troth.control.people.actor import Actor, actor_of
from troth.control.people.factors import attempts, codes, kinds, store
from troth.control.people.forms import ChangePassword
from troth.control.people.guard import needs
from troth.control.people.models import Login
from troth.keys import places

_PASSWORD_SET = "SELECT set_at FROM login WHERE account_id = %s"  # noqa: S105 - a query
_ADDRESS = "SELECT address_ct FROM account WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere that one is signed in. `how`: in words."""

    id: UUID
    device: str
    address: str
    opened_at: datetime
    seen_at: datetime | None
    expires_at: datetime
    how: str
    this_one: bool


@needs("self:read")
@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """GET /account"""
    actor = actor_of(request)
    held = store.held(actor.account_id)
    found = row(_PASSWORD_SET, actor.account_id)
    given = {
        "section": "account",
        "password_set": found[0] if found else None,
        "app": next((one for one in held if one.kind == kinds.TOTP), None),
        "keys": [one for one in held if one.kind == kinds.PASSKEY],
        "codes": codes.left(held),
        "has_codes": any(one.kind == kinds.CODES for one in held),
        "bare": not any(one.kind in kinds.SECOND for one in held),
        "places": [_place(one) for one in page_sessions.mine(actor.secret)],
    }
    return render(request, "people/account.html", given)


@needs(post="self:write")
@require_POST
def end_one(request: HttpRequest, session: UUID) -> HttpResponse:
    """POST /account/sessions/<id>/end: another's, and one that is over, read as what is not there."""
    secret = actor_of(request).secret
    if session not in {found[0] for found in page_sessions.mine(secret)}:
        raise Http404
    page_sessions.end(secret, session)
    messages.success(request, "That session has ended.")
    return HttpResponseRedirect("/account#sessions")


@needs(post="self:write")
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """POST /account/sessions/end"""
    actor = actor_of(request)
    page_sessions.end_all(actor.secret, actor.account_id)
    messages.success(request, "Every session but this one has ended.")
    return HttpResponseRedirect("/account#sessions")


@needs("self:read", post="self:write", fresh=True)
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """GET, POST /account/password: a new one ends every other session."""
    actor = actor_of(request)
    form = ChangePassword(request.POST or None, address=_address(actor.account_id))
    if request.method == "POST" and form.is_valid():
        tried = attempts.password(request, actor.account_id, form.cleaned_data["current"])
        if tried.method:
            _change(request, actor, form.hashed())
            messages.success(request, "Your password was changed, and every other session has ended.")
            return HttpResponseRedirect("/account")
        form.add_error("current", tried.fault)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "people/password.html", {"form": form, "section": "account"}, status=status)


def _change(request: HttpRequest, actor: Actor, hashed: str) -> None:
    """By the one way in which a password is set: a link, made and used at once. Whoever did it stays in, in a session
    anew: the change ended them all.
    """
    secret = links.secret_of(links.make(links.maker(), actor.account_id, "reset").path.rpartition("/")[2])
    assert secret is not None
    links.use(secret, hashed)
    user = Login.objects.get(pk=actor.account_id)
    update_session_auth_hash(request, user)
    second = actor.session.second_factor_at is not None
    page_sessions.open_session(request, actor.account_id, list(actor.session.methods), second=second)
    noticing.changed(request, actor.account_id, "Your password was changed")


def _place(found: tuple[object, ...]) -> Place:
    session, _, opened, seen, expires, methods, detail, this_one = cast("tuple[Any, ...]", found)
    told = page_sessions.told(detail)
    how = " and ".join(kinds.WORDS.get(one, one) for one in methods)
    device = browsers.in_words(told.get("agent", "")) if told else "Command line"
    return Place(session, device, told.get("address", ""), opened, seen, expires, how, this_one)


def _address(account: UUID) -> str:
    """For the rule that a password is not one's address."""
    found = row(_ADDRESS, account)
    assert found is not None
    address: bytes = settings.TROTH_KEYS().operator.open(bytes(found[0]), places.account(account, "address"))
    return address.decode()
