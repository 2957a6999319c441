"""People: the pages on which a person takes up a factor, names it, makes new recovery codes, or gives one up.

All want a recent proof; where the account has a second factor, they want a session that showed it, so that a stolen
password adds none. What was changed is told by mail.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from troth.control.audit.asking import row
from troth.control.people import local, noticing, page_sessions
from troth.control.people.actor import Actor, actor_of
from troth.control.people.factors import codes, kinds, passkeys, store, totp
from troth.control.people.forms import Code, Name
from troth.control.people.guard import needs
from troth.control.people.nudging import needed
from troth.keys import places

type View = Callable[..., HttpResponse]

_ADDRESS = "SELECT address_ct FROM account WHERE id = %s"
_WRONG = "This code is not right. Type the six digits that the app shows now; is your phone's clock right?"
_NOT_MADE = "No passkey was added: it was cancelled, took longer than five minutes, or is on this device already."
_ONE_APP = "You have an authenticator app already. Remove it first, then add another."
_GOES = {
    kinds.TOTP: "The codes of this app serve no more.",
    kinds.PASSKEY: "This passkey serves no more; remove it on the device, too.",
}


def of_ones_own(view: View) -> View:
    """Where the account has a second factor, this session must have shown it."""

    @wraps(view)
    def guarded(request: HttpRequest, **given: Any) -> HttpResponse:
        actor = actor_of(request)
        if actor.session.second_factor_at is None and store.has_second(actor.account_id):
            return HttpResponseRedirect(local.with_next("/second-factor", request.path))
        return view(request, **given)

    return guarded


# ---- an authenticator app


@needs("self:read", post="self:write", fresh=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@of_ones_own
def add_app(request: HttpRequest) -> HttpResponse:
    """GET, POST /account/factors/app: a secret as a picture, and its first code. Looking keeps nothing."""
    actor = actor_of(request)
    if kinds.TOTP in store.kinds_of(actor.account_id):
        messages.info(request, _ONE_APP)
        return HttpResponseRedirect("/account")
    label = _address(actor.account_id)
    form = Code(request.POST or None)
    kept = totp.offered(actor.account_id, request.POST.get("offer", ""), label)
    if kept is not None and form.is_valid():
        if totp.take_up(actor.account_id, kept, form.cleaned_data["code"]):
            return _taken_up(request, actor, "totp", "An authenticator app was added")
        form.add_error("code", _WRONG)
    elif request.method == "POST" and kept is None:
        form = Code()
        messages.warning(request, "That picture was too old: here is a new one. Remove the entry that you made of it.")
    offer = kept or totp.offer(actor.account_id, label)
    return render(
        request,
        "people/app.html",
        {"offer": offer, "form": form, "next": local.wanted(request)},
        status=_status(request),
    )


# ---- passkeys


@needs("self:read", post="self:write", fresh=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@of_ones_own
def add_passkey(request: HttpRequest) -> HttpResponse:
    """GET, POST /account/factors/passkey"""
    actor, form, fault = actor_of(request), Name(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        try:
            name = passkeys.add(
                request, actor.account_id, request.POST.get("credential", ""), form.cleaned_data["name"]
            )
        except passkeys.NotShown:
            fault = _NOT_MADE
        except store.Taken:
            fault = f"You have {passkeys.MOST} passkeys: remove one first."
        else:
            return _taken_up(request, actor, "passkey", "A passkey was added", f"The passkey “{name}” was added")
    return render(
        request,
        "people/passkey.html",
        {"form": form, "fault": fault, "next": local.wanted(request)},
        status=_status(request),
    )


@needs(post="self:write", fresh=True)
@require_POST
@of_ones_own
def passkey_options(request: HttpRequest) -> HttpResponse:
    """POST /account/factors/passkey/options: what the browser makes a passkey from; as JSON, for webauthn.js."""
    account = actor_of(request).account_id
    return JsonResponse(passkeys.begin_adding(request, account, _address(account)))


@needs("self:read", post="self:write", fresh=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@of_ones_own
def rename(request: HttpRequest, factor: int) -> HttpResponse:
    """GET, POST /account/factors/<id>/name"""
    one = _mine(actor_of(request).account_id, factor, {kinds.PASSKEY})
    form = Name(request.POST if request.method == "POST" else {"name": one.document["name"]})
    if request.method == "POST" and form.is_valid():
        passkeys.rename(one.account, one.id, form.cleaned_data["name"])
        return HttpResponseRedirect("/account")
    return render(request, "people/rename.html", {"form": form}, status=_status(request))


# ---- both


@needs("self:read", post="self:write", fresh=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@of_ones_own
def remove(request: HttpRequest, factor: int) -> HttpResponse:
    """GET, POST /account/factors/<id>/remove: the last one stays where the role needs one."""
    actor = actor_of(request)
    one = _mine(actor.account_id, factor, set(kinds.SECOND))
    last = sum(each.kind in kinds.SECOND for each in store.held(actor.account_id)) == 1
    if last and needed(actor):
        messages.warning(request, "Your role needs a second factor: add another before you remove this one.")
        return HttpResponseRedirect("/account")
    named = f"The passkey “{one.document['name']}”" if one.kind == kinds.PASSKEY else "The authenticator app"
    if request.method == "POST":
        with store.locked(actor.account_id, one.kind, one.id) as held:
            if held is not None:
                held.remove()
        if last:
            codes.drop(actor.account_id)
        what = "A passkey was removed" if one.kind == kinds.PASSKEY else "The authenticator app was removed"
        noticing.changed(request, actor.account_id, what, f"{named} was removed")
        messages.success(request, f"{named} was removed.")
        return HttpResponseRedirect("/account")
    words = {"what": _GOES[one.kind], "who": _left_with(last=last), "undo": "You can add it again."}
    given = {"title": f"Remove {named[0].lower()}{named[1:]}", "button": "Remove it", "stop": True, "back": "/account"}
    return render(request, "web/form/confirm.html", {**given, **words})


@needs("self:read", post="self:write", fresh=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@of_ones_own
def new_codes(request: HttpRequest) -> HttpResponse:
    """GET, POST /account/factors/codes: ten new ones, shown this once."""
    actor = actor_of(request)
    if not store.has_second(actor.account_id):
        messages.info(request, "Recovery codes stand in for a second factor: add one first.")
        return HttpResponseRedirect("/account")
    if request.method == "POST":
        noticing.changed(request, actor.account_id, "New recovery codes were made")
        return _codes_page(request, actor, "")
    return render(request, "people/new_codes.html")


def _taken_up(request: HttpRequest, actor: Actor, method: str, what: str, detail: str = "") -> HttpResponse:
    """A factor that was taken up has been shown, too. With the first one come recovery codes, once."""
    page_sessions.prove(actor.secret, method, second=True)
    request.session.cycle_key()
    noticing.changed(request, actor.account_id, what, detail)
    if kinds.CODES not in store.kinds_of(actor.account_id):
        return _codes_page(request, actor, what)
    messages.success(request, f"{detail or what}.")
    after = local.wanted(request)
    return HttpResponseRedirect(after if after != "/" else "/account")


def _codes_page(request: HttpRequest, actor: Actor, before: str) -> HttpResponse:
    after = local.wanted(request)
    given = {"codes": codes.made(actor.account_id), "before": before, "next": after if after != "/" else "/account"}
    return render(request, "people/codes.html", given)


def _status(request: HttpRequest) -> int:
    """Of a page that asks, or asks again."""
    return HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK


def _left_with(*, last: bool) -> str:
    if last:
        return "You: afterwards your password alone lets anybody in who has it, and your recovery codes are gone, too."
    return "You: your other factors go on as they are."


def _mine(account: UUID, factor: int, which: set[str]) -> store.Factor:
    """Another's reads as one that is not there."""
    found = next((one for one in store.held(account) if one.id == factor and one.kind in which), None)
    if found is None:
        raise Http404
    return found


def _address(account: UUID) -> str:
    """As app and device show whose it is."""
    found = row(_ADDRESS, account)
    if found is None:
        raise Http404
    address: bytes = settings.TROTH_KEYS().operator.open(bytes(found[0]), places.account(account, "address"))
    return address.decode()
