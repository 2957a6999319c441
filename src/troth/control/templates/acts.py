"""Templates: what may be done with one: a test to oneself, a version stopped, all of it retired, two compared."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.audit.refusals import Invalid, Refused
from troth.control.people.actor import actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.templates import editing, reading, testing
from troth.mail.samples import typical

_LONGEST = 2_000  # characters of a reason
_PARTS = ("category", "subject", "preheader", "kind", "source", "layout", "text", "schema")


@needs("message:test")
@require_POST
def test(request: HttpRequest, subject: UUID, number: int) -> HttpResponse:
    """POST /templates/<subject>/versions/<number>/test: this version, with its first sample, to one's own address."""
    actor = actor_of(request)
    template = reading.access_template(actor, subject)
    version = reading.access_version(actor, subject, number)
    samples = version.artefact.get("samples") or [typical(version.artefact["schema"])]
    said = testing.send(actor, f"{template.code}@{number}", samples[0])
    (messages.success if said.taken else messages.error)(request, said.sentence)
    return HttpResponseRedirect(f"/templates/{subject}/versions/{number}")


@needs("version:revoke")
@require_POST
def stop(request: HttpRequest, subject: UUID, number: int) -> HttpResponse:
    """POST /templates/<subject>/versions/<number>/stop: one person's act, at once and for good."""
    actor = actor_of(request)
    version = reading.access_version(actor, subject, number)
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:_LONGEST]
    if not reason:
        messages.error(request, "Nothing was stopped: say why, for whoever looks at this later.")
        return HttpResponseRedirect(f"/templates/{subject}/versions/{number}")
    try:
        changes.revoke(raw(), actor.secret, version.id, reason, actor.scope)
        messages.success(request, f"Version {number} is stopped: no mail of it leaves any more.", "stopped")
    except Refused as refused:
        messages.error(request, refused.sentence)
    finally:
        scoped(actor.scope)
    return HttpResponseRedirect(f"/templates/{subject}/versions/{number}")


@needs("template:propose")
@require_POST
def retire(request: HttpRequest, subject: UUID) -> HttpResponse:
    """POST /templates/<subject>/retire: proposed to a second person."""
    actor = actor_of(request)
    template = reading.access_template(actor, subject)
    version = reading.access_version(actor, subject, template.version)
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:_LONGEST]
    artefact = {**version.artefact, "retired": True}
    try:
        made = changes.propose(
            raw(), actor.secret, Proposal("template", template.code, artefact, reason, actor.scope, subject)
        )
    except Invalid as invalid:
        messages.error(request, " ".join(each.hint for each in invalid.problems))
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, "Proposed: it is retired when a second person has approved that.", "proposed")
        return HttpResponseRedirect(f"/changes/{made.id}")
    finally:
        scoped(actor.scope)
    return HttpResponseRedirect(f"/templates/{subject}")


@needs("template:read")
@require_safe
def compare(request: HttpRequest, subject: UUID) -> HttpResponse:
    """GET /templates/<subject>/compare?a=&b=: any two versions, as pictures side by side and as source."""
    actor = actor_of(request)
    template = reading.access_template(actor, subject)
    chosen = [_number(request.GET.get(name, "")) for name in ("a", "b")]
    numbers = [each.number for each in reading.versions(actor, subject, 2**31 - 1)]
    if None in chosen:
        chosen = [max(1, template.version - 1), template.version]
    one, other = (reading.access_version(actor, subject, number or 0) for number in chosen)
    parts = [_typed(template.code, each) for each in (one, other)]
    context: dict[str, Any] = {
        "section": "templates",
        "template": template,
        "one": one,
        "other": other,
        "pair": [one, other],
        "names": [f"Version {one.number}", f"Version {other.number}"],
        "choices": sorted({*numbers, one.number, other.number}, reverse=True),
        "changed": [(editing.LABELS[name], parts[0][name], parts[1][name]) for name in _PARTS
                    if parts[0][name] != parts[1][name]],
        "digests": one.digest == other.digest,
    }  # fmt: skip
    return render(request, "templates/compare.html", context, status=HTTPStatus.OK)


def _typed(code: str, version: reading.Version) -> dict[str, Any]:
    return editing.of_version(code, version.artefact)


def _number(given: str) -> int | None:
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise Http404
    return int(given)
