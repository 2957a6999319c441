"""Access: the pages of a client's sign-on. They ask its provider and the DNS, and so have transactions of their own:
one before, to read, and one after, to write; none is open meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from django.contrib import messages
from django.db import connection as database
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.access.sign_on import form, reading
from troth.control.access.sign_on.form import Sealed, Typed
from troth.control.access.sign_on.reading import InForce
from troth.control.approvals import changes, drafts
from troth.control.approvals.artefacts.domain import name_problem
from troth.control.approvals.changes import Proposal
from troth.control.approvals.drafts import Draft, Edit, Stale
from troth.control.audit.refusals import Invalid, Refused, refusals
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.people.sign_on import domains
from troth.control.people.sign_on.connection import CODE
from troth.control.people.sign_on.views import ours, redirect_uri

_SECTION: dict[str, Any] = {"section": "sign-on", "what": "Sign-on"}
_LONGEST = 2000  # characters of a reason
_BLANK = dict.fromkeys((*form.FIELDS, *form.TICKS), "")
_PROTOCOLS = (
    (form.OPENID, "OpenID Connect", "Microsoft Entra, Google Workspace, Okta, Keycloak and most others"),
    (form.SAML, "SAML 2.0", "for a provider that gives you metadata as XML"),
)
_NAMES = {"protocol": "Protocol", "issuer": "Issuer", "client_id": "Client id", "client_secret": "Client secret",
          "metadata": "Metadata", "domains": "Domains", "spare": "Who may use a password even so",
          "vouches": "Unverified addresses", "enforced": "Single sign-on is required",
          "trusts_second_factor": "Second factor", "reason": "Reason"}  # fmt: skip
# a problem's place in the artefact -> the field of the form
_FIELDS = {"openid.issuer": "issuer", "openid.client_id": "client_id", "domains": "domains", "spare": "spare",
           "reason": "reason", "saml.sso_url": "metadata", "saml.entity_id": "metadata",
           "saml.certificates": "metadata"}  # fmt: skip


@contextmanager
def _within(actor: Actor) -> Iterator[UUID]:
    """A transaction that sees the client's rows."""
    assert actor.scope is not None
    with transaction.atomic():
        scoped(actor.scope)
        yield actor.scope


@needs("sign-on:read")
@require_safe
def shown(request: HttpRequest) -> HttpResponse:
    """GET /sign-on?domain=: what is in force, what a provider must be told, and whose domains are proved."""
    actor = actor_of(request)
    if actor.scope is None:
        return render(request, "web/choose.html", _SECTION)
    asked = request.GET.get("domain", "").strip().lower()[:253]
    faults = _faults(asked) if asked else {}
    return _shown(request, actor, asked, faults)


def _faults(domain: str) -> dict[str, str]:
    found = name_problem("domain", domain)
    return {"domain": found[0].hint} if found else {}


def _shown(
    request: HttpRequest, actor: Actor, asked: str, faults: dict[str, str], *, tried: bool = False
) -> HttpResponse:
    with _within(actor) as tenant:
        now = reading.in_force(tenant)
        context = {
            "now": now,
            "lines": reading.in_words(now, reading.admins(tenant)) if now else [],
            "waiting": reading.waiting(tenant),
            "draft": reading.draft(tenant),
            "domains": reading.of_domains(tenant, now, [asked] if asked and (tried or not faults) else []),
            "ours": ours(tenant),
            "redirect_uri": redirect_uri(tenant),
            "typed": {"domain": asked},
            "faults": faults,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
        return render(request, "access/sign_on/shown.html", {**_SECTION, **context}, status=status)


@needs("sign-on:propose")
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """POST /sign-on/domain: ask the DNS whether a domain's record is there."""
    actor = actor_of(request)
    if actor.scope is None:
        return HttpResponseRedirect("/sign-on")
    asked = request.POST.get("domain", "").strip().lower()[:253]
    faults = _faults(asked)
    if faults:
        return _shown(request, actor, asked, faults)
    database.close()
    if missing := domains.missing(actor.scope, asked):
        return _shown(request, actor, asked, {"domain": missing}, tried=True)
    with _within(actor) as tenant, refusals():
        _prove(actor, tenant, asked)
    messages.success(request, f"{asked} is shown to be yours.", "holds")
    return HttpResponseRedirect(f"/sign-on?{urlencode({'domain': asked})}#domains")


def _prove(actor: Actor, tenant: UUID, domain: str) -> None:
    raw().execute("SELECT troth.sign_on_prove_v1(%s, %s, %s)", (actor.secret, tenant, domain))


@needs("sign-on:propose", fresh=True)
@sensitive_post_parameters("client_secret")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest) -> HttpResponse:
    """GET and POST /sign-on/edit: the form; saved as a draft with the secret sealed, then proposed if asked to."""
    actor = actor_of(request)
    if actor.scope is None:
        return HttpResponseRedirect("/sign-on")
    if request.method != "POST":
        with _within(actor) as tenant:
            now, draft = reading.in_force(tenant), reading.draft(tenant)
            return _form(request, tenant, _first(now, draft), draft, {})
    return _sent(request, actor)


def _sent(request: HttpRequest, actor: Actor) -> HttpResponse:
    typed = form.read(request.POST)
    try:
        with _within(actor) as tenant:
            secret = _save(request, actor, tenant, typed)
            now, draft, at = reading.in_force(tenant), reading.draft(tenant), changes.clock(raw())
    except Stale as stale:
        return _stale(request, actor, typed, stale)
    except Refused as refused:
        with _within(actor) as tenant:
            return _form(request, tenant, typed, reading.draft(tenant), {"": refused.sentence})
    if request.POST.get("act") != "propose":
        messages.success(request, "Saved as a draft; nothing changes by it.", "draft")
        return HttpResponseRedirect("/sign-on/edit")
    database.close()
    artefact, faults = form.artefact(typed, secret, now.terms if now else None, at)
    proved = [] if faults else _proved(tenant, typed)
    if not _reason(request):
        faults["reason"] = "Say why, for the person who approves."
    made = faults or _propose(request, actor, draft, artefact, proved)
    if not isinstance(made, dict):
        messages.success(request, "Proposed: it takes effect when a second person approves it.", "proposed")
        return HttpResponseRedirect(f"/changes/{made.id}")
    with _within(actor):
        return _form(request, tenant, typed, draft, made)


def _save(request: HttpRequest, actor: Actor, tenant: UUID, typed: Typed) -> Sealed | None:
    """As a draft, over what was looked at; raise Stale or Refused. Gives the secret that goes with it."""
    now, draft = reading.in_force(tenant), reading.draft(tenant)
    secret = form.sealed_of(request.POST, _kept(now, draft), tenant, reading.keys(tenant))
    given = request.POST.get("revision", "")
    looked = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0
    content = {"typed": typed, "secret": {"ciphertext": secret.ciphertext, "issuer": secret.issuer} if secret else None}
    subject = changes.subject_of(raw(), reading.KIND, CODE, tenant)
    one = draft.id if draft else None
    drafts.save(raw(), actor.secret, Edit(reading.KIND, tenant, CODE, content, subject, one, looked))
    scoped(tenant)
    return secret


def _proved(tenant: UUID, typed: Typed) -> list[str]:
    """Of the domains that were typed, those whose record the DNS shows now."""
    names = [name for name in form.domains_of(typed)[:20] if not name_problem("domains", name)]
    return [name for name in names if not domains.missing(tenant, name)]


def _propose(request: HttpRequest, actor: Actor, draft: Draft | None, artefact: dict[str, Any],
             proved: list[str]) -> changes.Proposed | dict[str, str]:  # fmt: skip
    """What was proposed, or what is wrong, by field."""
    try:
        with _within(actor) as tenant, refusals():
            for name in proved:
                _prove(actor, tenant, name)
            subject, one = (draft.subject, draft.id) if draft else (None, None)
            proposal = Proposal(reading.KIND, CODE, artefact, _reason(request), tenant, subject, one)
            return changes.propose(raw(), actor.secret, proposal)
    except Invalid as invalid:
        faults: dict[str, str] = {}
        for each in invalid.problems:
            field = _FIELDS.get(each.field, "")
            faults[field] = f"{faults[field]} {each.hint}" if field in faults else each.hint
        return faults
    except Refused as refused:
        return {"": refused.sentence}


def _stale(request: HttpRequest, actor: Actor, typed: Typed, stale: Stale) -> HttpResponse:
    """Both versions: what the other person saved stands beside what was typed."""
    theirs = stale.theirs.content.get("typed", {})
    both = [(_NAMES[name], theirs.get(name) or "empty", typed.get(name) or "empty")
            for name in (*form.FIELDS, *form.TICKS) if theirs.get(name, "") != typed.get(name, "")]  # fmt: skip
    with _within(actor) as tenant:
        return _form(request, tenant, typed, stale.theirs, {"": stale.sentence}, both)


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").replace("\0", "").strip()[:_LONGEST]


def _form(request: HttpRequest, tenant: UUID, typed: Typed, draft: Draft | None, faults: dict[str, str],
          both: list[tuple[str, str, str]] | None = None) -> HttpResponse:  # fmt: skip
    now = reading.in_force(tenant)
    kept = _kept(now, draft)
    context = {
        "typed": {**typed, "reason": _reason(request)},
        "faults": {name: faults[name] for name in ("", *_NAMES) if name in faults},
        "draft": draft,
        "both": both,
        "now": now,
        "protocols": _PROTOCOLS,
        "secret_kept": kept is not None and kept.issuer == typed.get("issuer"),
        "saml_kept": now is not None and now.terms.saml is not None,
        "admins": [("", "Nobody: without the provider nobody gets in"), *reading.admins(tenant)],
        "redirect_uri": redirect_uri(tenant),
        "labels": _NAMES,
    }
    status = HTTPStatus.CONFLICT if both is not None else HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "access/sign_on/edit.html", {**_SECTION, **context}, status=status)


def _first(now: InForce | None, draft: Draft | None) -> Typed:
    if draft is not None:
        return {**_BLANK, **draft.content.get("typed", {})}
    return form.typed_of(now.terms) if now is not None and not now.terms.retired else dict(_BLANK)


def _kept(now: InForce | None, draft: Draft | None) -> Sealed | None:
    """The secret that need not be typed again: the draft's, else that in force."""
    kept = draft.content.get("secret") if draft is not None else None
    if kept:
        return Sealed(kept["ciphertext"], kept["issuer"])
    if now is not None and now.terms.openid is not None:
        return Sealed(now.terms.openid.client_secret_ct, now.terms.openid.issuer)
    return None


@needs("sign-on:propose", fresh=True)
@require_POST
def retire(request: HttpRequest) -> HttpResponse:
    """POST /sign-on/retire: propose to take the connection back."""
    actor = actor_of(request)
    if actor.scope is None:
        return HttpResponseRedirect("/sign-on")
    reason = _reason(request)
    try:
        with _within(actor) as tenant:
            now = reading.in_force(tenant)
            if now is None or now.terms.retired:
                return HttpResponseRedirect("/sign-on")
            terms = msgspec.structs.replace(now.terms, retired=True)
            proposal = Proposal(reading.KIND, CODE, msgspec.to_builtins(terms), reason, tenant)
            made = changes.propose(raw(), actor.secret, proposal)
    except Refused as refused:
        return _shown(request, actor, "", {"reason": refused.sentence})
    messages.success(request, "Proposed: it takes effect when a second person approves it.", "proposed")
    return HttpResponseRedirect(f"/changes/{made.id}")
