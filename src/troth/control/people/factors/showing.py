"""People: the pages on which a factor is shown: the second step of signing in, a second factor that a page asks for
later, and the recent proof that a dangerous one wants.
"""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from allauth.account.internal.flows.login import (  # type: ignore[import-untyped]  # allauth ships no types
    perform_login,
    record_authentication,
)
from allauth.account.internal.stagekit import clear_login  # type: ignore[import-untyped]  # the same
from allauth.account.models import Login as Arriving  # type: ignore[import-untyped]  # the same
from allauth.account.stages import LoginStageController  # type: ignore[import-untyped]  # the same
from allauth.mfa.stages import AuthenticateStage  # type: ignore[import-untyped]  # the same
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from troth.control.people import local, page_sessions, throttle
from troth.control.people.actor import Actor
from troth.control.people.factors import attempts, kinds, passkeys, store
from troth.control.people.factors.attempts import Attempt
from troth.control.people.forms import Code, Password
from troth.control.people.guard import needs
from troth.control.people.models import Login

_TYPES = {method: kind for kind, method in kinds.METHODS.items()}
_UNKNOWN = "This passkey is not known here. Sign in with your password."


# ---- signing in


@never_cache
@require_POST
def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    """POST /sign-in/passkey: a passkey alone, which verified its person. Every failure reads the same."""
    if throttle.place_full(request, "passkey"):
        return _not_in(request, f"Too many tries. Wait {throttle.MINUTES} minutes.")
    try:
        shown = passkeys.sign_in(request, request.POST.get("credential", ""))
        user = Login.objects.filter(pk=shown.account).first()
    except passkeys.NotShown:
        user = None
    if user is None or not user.is_active:
        page_sessions.tell(request, "sign-in-failed", "passkey", user.pk if user else None)
        return _not_in(request, _UNKNOWN)
    record_authentication(request, user, "mfa", type=kinds.PASSKEY, passwordless=True)
    response: HttpResponse = perform_login(request, Arriving(user=user, redirect_url=local.wanted(request)))
    return response


def _not_in(request: HttpRequest, fault: str) -> HttpResponse:
    given = {"fault": fault, "next": local.wanted(request)}
    return render(request, "people/passkey_refused.html", given, status=_status(request))


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """GET, POST /second-factor: of somebody who is signing in, or who is in without one and now needs it."""
    actor: Actor | None = request.actor  # type: ignore[attr-defined]  # set by web.middleware
    if actor is not None:
        return _later(request, actor)
    stage = LoginStageController.enter(request, AuthenticateStage.key)
    if stage is None or stage.login.user is None:
        return HttpResponseRedirect("/sign-in")
    if request.method == "POST" and "cancel" in request.POST:
        clear_login(request)
        return HttpResponseRedirect("/sign-in")
    account: UUID = stage.login.user.pk
    shown, page = _show(request, account, "people/second.html", {"arriving": True})
    if not shown:
        return page
    record_authentication(request, stage.login.user, "mfa", type=_TYPES[shown])
    response: HttpResponse = stage.exit()
    return response


def _later(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Of somebody who is in: who has none is shown how to take one up."""
    after = local.wanted(request)
    if actor.session.second_factor_at is not None:
        return HttpResponseRedirect(after)
    if not store.has_second(actor.account_id):
        return render(request, "people/second_missing.html", {"next": after})
    shown, page = _show(request, actor.account_id, "people/second.html", {"next": after})
    if not shown:
        return page
    page_sessions.prove(actor.secret, shown, second=True)
    request.session.cycle_key()
    return HttpResponseRedirect(after)


# ---- a recent proof


@needs("self:read", post="self:write")
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest) -> HttpResponse:
    """GET, POST /prove: by password, app or passkey; then on to where it was asked for."""
    actor: Actor = request.actor  # type: ignore[attr-defined]  # set by web.middleware
    after = local.wanted(request)
    given: dict[str, Any] = {"next": after, "firm": actor.tenant_id if "sign-on" in actor.session.methods else None}
    if Login.objects.get(pk=actor.account_id).has_usable_password():
        given["known"] = form = Password(request.POST if "password" in request.POST else None)
        if form.is_valid():
            tried = attempts.password(request, actor.account_id, form.cleaned_data["password"])
            if tried.method:
                return _proved(actor, "password", after)
            form.add_error("password", tried.fault)
        if form.is_bound:
            asked = {"form": Code(), **_ways(actor.account_id), **given}
            return render(request, "people/prove.html", asked, status=_status(request))
    method, page = _show(request, actor.account_id, "people/prove.html", given)
    return _proved(actor, method, after) if method else page


def _proved(actor: Actor, method: str, after: str) -> HttpResponse:
    page_sessions.prove(actor.secret, method, second=method != "password")
    return HttpResponseRedirect(after)


# ---- both


@never_cache
@require_POST
def options(request: HttpRequest) -> HttpResponse:
    """POST /passkey/options (what=sign-in or show): what the browser asks a passkey for; as JSON, for webauthn.js."""
    if request.POST.get("what") == "sign-in":
        return JsonResponse(passkeys.begin_signing_in(request))
    account = _whose(request)
    if account is None:
        return JsonResponse({"fault": "Sign in first."}, status=403)
    return JsonResponse(passkeys.begin_showing(request, account))


def _whose(request: HttpRequest) -> UUID | None:
    """Whoever is in, or has shown a password and is on the way."""
    actor: Actor | None = request.actor  # type: ignore[attr-defined]  # set by web.middleware
    if actor is not None:
        return actor.account_id
    stage = LoginStageController.enter(request, AuthenticateStage.key)
    user = stage.login.user if stage is not None else None
    return user.pk if user is not None else None


def _show(request: HttpRequest, account: UUID, template: str, given: dict[str, Any]) -> tuple[str, HttpResponse]:
    """The method that was shown, or empty and the page that asks for one."""
    form, attempt = Code(), Attempt()
    if request.method == "POST" and "credential" in request.POST:
        attempt = attempts.passkey(request, account, request.POST["credential"])
    elif request.method == "POST":
        form = Code(request.POST)
        if form.is_valid():
            attempt = attempts.code(request, account, form.cleaned_data["code"])
            if attempt.fault:
                form.add_error("code", attempt.fault)
    if attempt.method:
        return attempt.method, HttpResponse()
    fault = attempt.fault if "credential" in request.POST else ""
    page = {"form": form, "fault": fault, **_ways(account), **given}
    return "", render(request, template, page, status=_status(request))


def _status(request: HttpRequest) -> int:
    """Of a page that asks, or asks again."""
    return HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK


def _ways(account: UUID) -> dict[str, Any]:
    held = store.kinds_of(account)
    return {"app": kinds.TOTP in held, "keys": kinds.PASSKEY in held, "codes": kinds.CODES in held}
