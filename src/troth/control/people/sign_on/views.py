"""Signing on, step by step: an address, the firm's provider, its answer, and the way in. All before any sign-in."""

import base64
from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django import forms
from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.csp import CSP
from django.views.decorators.cache import never_cache
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.people import local
from troth.control.people.sign_on import attempts, connection, entering, metadata, openid, saml
from troth.control.people.sign_on.connection import Connection
from troth.control.people.sign_on.identity import Identity
from troth.control.people.sign_on.metadata import Ours
from troth.control.people.sign_on.refusing import NotSignedOn
from troth.keys import places
from troth.mail.address import AddressError, parse_address

type Step = Callable[[HttpRequest, Connection], HttpResponse]
type View = Callable[..., HttpResponseBase]

_MOST = 320  # characters of an address
_XML = "application/samlmetadata+xml"


class Firm(forms.Form):
    """Only the domain is looked at; the address itself is the provider's business."""

    email = forms.CharField(max_length=_MOST, error_messages={"required": "Type your e-mail address."})

    def clean_email(self) -> str:
        typed: str = self.cleaned_data["email"].strip()
        try:
            domain = parse_address(typed).domain
        except AddressError as wrong:
            raise forms.ValidationError(wrong.hint) from None
        self.there = connection.of_domain(domain)
        if self.there is None:
            raise forms.ValidationError(
                f"No firm signs on with addresses of {domain} here. Sign in with your password, or ask an "
                "administrator of your firm."
            )
        return typed


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def firm(request: HttpRequest) -> HttpResponse:
    """GET, POST /sign-in/firm: whose provider it is, by the domain of an address."""
    form = Firm(request.POST or None)
    after = local.wanted(request)
    if request.method == "POST" and form.is_valid() and form.there is not None:
        return _leaving(request, form.there, form.cleaned_data["email"], after)
    return render(request, "people/sign_on/firm.html", {"form": form, "next": after})


def ours(tenant: UUID) -> Ours:
    """What a provider knows us by, for one client alone."""
    base = f"{settings.TROTH_PUBLIC_URL.rstrip('/')}/sign-on/{tenant}"
    return Ours(f"{base}/metadata", f"{base}/acs")


def redirect_uri(tenant: UUID) -> str:
    return f"{settings.TROTH_PUBLIC_URL.rstrip('/')}/sign-on/{tenant}/callback"


def _in_force(step: Step) -> View:
    """A step of a client whose connection is in force; a refusal of it is a page, and an entry of the access log."""

    @wraps(step)
    def view(request: HttpRequest, tenant: UUID) -> HttpResponse:
        there = connection.of_tenant(tenant)
        if there is None:
            raise Http404
        try:
            return step(request, there)
        except NotSignedOn as trouble:
            return entering.refused(request, tenant, trouble)

    return view


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_in_force
def start(request: HttpRequest, there: Connection) -> HttpResponse:
    """GET, POST /sign-on/<tenant>/start: says where it goes; the POST goes there."""
    hint = request.POST.get("hint", "")[:_MOST]
    after = local.wanted(request)
    if request.method != "POST":
        return _leaving(request, there, hint, after)
    begun = attempts.begin(request, there, after)
    terms = there.terms
    if terms.openid is not None:
        attempt = openid.Attempt(begun.state, begun.secret, redirect_uri(there.tenant))
        where = openid.request_url(terms.openid, attempt, hint)
    else:
        assert terms.saml is not None
        where = saml.request_url(terms.saml, ours(there.tenant), begun.state, begun.at)
    response = HttpResponse(status=303, headers={"Location": where})
    attempts.remember(response, begun)
    return _may_leave(request, response, there)


def _leaving(request: HttpRequest, there: Connection, hint: str, after: str) -> HttpResponse:
    host = urlsplit(there.terms.there).netloc
    context = {"tenant": there.tenant, "host": host, "hint": hint, "next": after}
    return _may_leave(request, render(request, "people/sign_on/leaving.html", context), there)


def _may_leave(request: HttpRequest, response: HttpResponse, there: Connection) -> HttpResponse:
    """On this page alone a form may end at this firm's provider."""
    policy = {**settings.SECURE_CSP, "form-action": [CSP.SELF, there.terms.origin]}
    allowed: HttpResponse = csp_override(policy)(lambda _: response)(request)
    return allowed


@never_cache
@require_safe
@_in_force
def callback(request: HttpRequest, there: Connection) -> HttpResponse:
    """GET /sign-on/<tenant>/callback: OpenID Connect's answer. No transaction is open while the provider is asked."""
    terms, state, secret = there.terms, request.GET.get("state", ""), attempts.secret_of(request)
    if terms.openid is None or secret is None:
        raise NotSignedOn("an answer without the browser that asked", "Start again on this page, in one browser.")
    with transaction.atomic():
        after = attempts.answered(state, there, secret)
    answer = {name: request.GET[name] for name in ("code", "error", "iss") if name in request.GET}
    code = openid.code_of(terms.openid, answer)
    client_secret = _client_secret(there)
    database.close()  # back to the others, for as long as the provider takes
    attempt = openid.Attempt(state, secret, redirect_uri(there.tenant))
    person = openid.verified(code, client_secret, terms, attempt)
    return _entered(request, there, person, after)


def _entered(request: HttpRequest, there: Connection, person: Identity, after: str) -> HttpResponse:
    with transaction.atomic():
        return entering.enter(request, there, person, after)


def _client_secret(there: Connection) -> str:
    assert there.terms.openid is not None
    keys = settings.TROTH_KEYS().keyring.tenant(there.tenant, there.keyset)
    sealed = base64.b64decode(there.terms.openid.client_secret_ct)
    secret: bytes = keys.open(sealed, places.sign_on_secret(there.tenant))
    return secret.decode()


@never_cache
@csrf_exempt
@require_POST
@_in_force
def acs(request: HttpRequest, there: Connection) -> HttpResponse:
    """POST /sign-on/<tenant>/acs: SAML's answer, from the provider's page; no cookie of ours comes with it."""
    if there.terms.saml is None:
        raise Http404
    response = saml.opened(request.POST.get("SAMLResponse", ""))
    if not attempts.is_open(response.in_response_to, there):
        raise NotSignedOn(
            "a response to an attempt that is over, or was never begun",
            f"This sign-on was used already, or is older than {attempts.MINUTES} minutes. Start again.",
        )
    person = saml.verified(response, there.terms, ours(there.tenant))
    attempts.answered(response.in_response_to, there, None)
    ticket = attempts.kept(response.in_response_to, there, person)
    where = f"/sign-on/{there.tenant}/finish?{urlencode({'ticket': ticket})}"
    return HttpResponse(status=303, headers={"Location": where})


@never_cache
@require_safe
@_in_force
def finish(request: HttpRequest, there: Connection) -> HttpResponse:
    """GET /sign-on/<tenant>/finish: the browser that began collects what SAML's answer came to."""
    after, person = attempts.collected(request.GET.get("ticket", ""), there, attempts.secret_of(request))
    return entering.enter(request, there, person, after)


@require_safe
def about_us(request: HttpRequest, tenant: UUID) -> HttpResponse:
    """GET /sign-on/<tenant>/metadata: ours, for a client's provider; of the same form for any id, known or not."""
    del request
    return HttpResponse(metadata.write(ours(tenant)), content_type=_XML)
