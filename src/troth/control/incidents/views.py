"""Cases, for people: a list of what they may see, one with its clocks and its timeline, steps, papers, its record."""

import json
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.audit.refusals import Refused
from troth.control.incidents import acts, asked, explaining, forms, pattern, reading, record, words
from troth.control.incidents.acts import Asked
from troth.control.incidents.reading import PAGE, Case
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs
from troth.keys.errors import Undecryptable
from troth.rules import cases

_SECTION: dict[str, Any] = {"section": "incidents"}
_SHOWN = 200_000  # octets of a paper on the page; the file has all


@needs("incident:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /incidents?kind=&state=&mine=&overdue=&q=&before=: the newest first, 50 a page."""
    actor, filters = actor_of(request), asked.read(request.GET)
    found = reading.listed(actor, filters)
    page = found[:PAGE]
    context = {
        "lines": page,
        "now": reading.now(),
        "filters": filters,
        "any": asked.query(filters) != "",
        "typed": request.GET.get("q", "")[:40],
        "kinds": words.KINDS.items() if actor.staff else (),
        "states": [("unclosed", "Not closed"), *((key, said) for key, (_, said) in words.STATES.items()), ("", "All")],
        "older": f"/incidents?{asked.query(filters, page[-1])}" if len(found) > PAGE else "",
        "newer": "/incidents" if filters.before else "",
    }
    return render(request, "incidents/list.html", {**_SECTION, **context})


@needs("incident:read")
@require_safe
def detail(request: HttpRequest, case: UUID) -> HttpResponse:
    """GET /incidents/<case>: what it is, what is owed, what was done, and what may be done now."""
    actor = actor_of(request)
    found = reading.access_case(actor, case)
    if found.page != request.path:
        return HttpResponseRedirect(found.page)
    return render(request, "incidents/case.html", {**_SECTION, **shown(actor, found)})


def shown(actor: Actor, case: Case) -> dict[str, Any]:
    """What the parts of a case's page need (templates/incidents/_*.html), for other rooms' pages of cases, too."""
    entries = reading.entries(actor, case)
    return {
        "case": case,
        "now": reading.now(),
        "clocks": explaining.explained(actor, case, reading.clocks(actor, case.id)),
        "entries": entries,
        "more": len(entries) == reading.MOST,
        "pattern": pattern.incidents(actor, case),
        "papers": reading.papers(actor, case.id) if case.papers else [],
        "steps": forms.steps(actor, case),
        "said": next((each.said for each in entries if each.kind == "resolve"), None) if case.outcome else None,
    }


@needs("incident:act")
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, case: UUID, name: str) -> HttpResponse:
    """GET and POST /incidents/<case>/<step>: what it means, in words; then it is taken."""
    actor = actor_of(request)
    found = reading.access_case(actor, case)
    if not found.acts or name not in words.STEPS:
        raise Http404
    if name not in cases.steps(found.kind, found.state):
        messages.info(request, f"{found.reference} is {words.STATES[found.state][1].lower()} by now.")
        return HttpResponseRedirect(found.page)
    form = forms.form(actor, found, name)
    typed = {field: request.POST.get(field, "").replace("\0", "") for field in ("value", "words")}
    if request.method != "POST":
        return _ask(request, found, form, {"value": found.severity if name == "severity" else "", "words": ""}, {})
    faults = forms.faults(form, typed["value"], typed["words"])
    if not faults:
        once = acts.once(request.POST.get("once", ""))
        try:
            acts.take(actor, found, Asked(name, typed["value"] if form.choices else "", typed["words"], once))
        except Refused as refused:
            faults = {"": refused.sentence}
        else:
            messages.success(request, words.done(name, found.reference, typed["value"] if form.choices else ""))
            return HttpResponseRedirect(found.page)
    return _ask(request, found, form, typed, faults)


def _ask(
    request: HttpRequest, case: Case, form: forms.StepForm, typed: dict[str, str], faults: dict[str, str]
) -> HttpResponse:
    context = {"case": case, "form_of": form, "typed": typed, "faults": faults, "most": acts.LONGEST,
               "title": f"{form.title}: {case.reference}", "what": form.consequence, "back": case.page,
               "button": form.button, "stop": form.name == "close",
               "hidden": {"once": acts.once(request.POST.get("once", ""))},
               "told_first": _told_first(request, case, form)}  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "incidents/step.html", {**_SECTION, **context}, status=status)


def _told_first(request: HttpRequest, case: Case, form: forms.StepForm) -> bool:
    """Whether the database will refuse it until client success was told."""
    if form.name not in ("resolve", "close"):
        return False
    return any(each.name == "told" and not each.met_at for each in reading.clocks(actor_of(request), case.id))


@needs(post="incident:paper")
@require_POST
def paper(request: HttpRequest, case: UUID, paper: UUID) -> HttpResponse:
    """POST /incidents/<case>/papers/<paper>: an original as it came, shown as text or given as a file; an entry."""
    actor = actor_of(request)
    found = reading.access_case(actor, case)
    one = next((each for each in reading.papers(actor, case) if each.id == paper), None)
    if one is None:
        raise Http404
    try:
        octets = acts.paper(actor, paper)
    except Undecryptable:
        messages.error(request, "This paper cannot be opened: what lies there is not what was kept.")
        return HttpResponseRedirect(found.page)
    if request.POST.get("as") == "file":
        given = {"Content-Disposition": f'attachment; filename="{found.reference}-{one.kind}.txt"'}
        return HttpResponse(octets, content_type="application/octet-stream", headers=given)
    text = octets[:_SHOWN].decode(errors="replace")
    context = {"case": found, "paper": one, "text": text, "size": len(octets), "cut": len(octets) > _SHOWN}
    return render(request, "incidents/paper.html", {**_SECTION, **context})


@needs("incident:read")
@require_safe
def record_json(request: HttpRequest, case: UUID) -> HttpResponse:
    """GET /incidents/<case>/record.json: the case as this person sees it, each entry with its place in the ledger."""
    actor = actor_of(request)
    found = reading.access_case(actor, case)
    text = json.dumps(record.of(actor, found), indent=2, ensure_ascii=False)
    given = {"Content-Disposition": f'attachment; filename="{found.reference}.json"'}
    return HttpResponse(text, content_type="application/json", headers=given)
