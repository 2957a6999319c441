"""Templates, read: the list, one of them with its versions, one version, and its preview in a frame of no powers."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.views.decorators.http import require_safe

from troth.control.people.actor import actor_of
from troth.control.people.guard import needs
from troth.control.people.permissions import permission
from troth.control.templates import editing, flags, reading
from troth.control.templates.looking import WAYS
from troth.mail import preview
from troth.mail.render import Compiled, Rendered, RenderError, RenderLimits, TemplateSource
from troth.mail.samples import typical

_LONGEST = 100  # characters of what is looked for, and of a key
_NEWEST = 2**31 - 1


@needs("template:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /templates?q=&after=&before="""
    actor = actor_of(request)
    context: dict[str, Any] = {"section": "templates", "what": "Templates"}
    if actor.scope is None:
        return render(request, "web/choose.html", context)
    given = {name: request.GET.get(name, "").replace("\0", "")[:_LONGEST] for name in ("q", "after", "before")}
    context["page"] = reading.page(actor.scope, given["q"], given["after"], given["before"])
    context["waiting"] = reading.waiting(actor.scope)
    context["drafts"] = reading.drafts(actor.scope)
    writes = permission(actor, "template:propose")
    context["left_out"] = writes is not None and writes.named and not actor.named
    return render(request, "templates/list.html", {**context, "q": given["q"]})


@needs("template:read")
@require_safe
def detail(request: HttpRequest, subject: UUID, number: int | None = None) -> HttpResponse:
    """GET /templates/<subject>, and /templates/<subject>/versions/<number>; `before` pages through the versions."""
    actor = actor_of(request)
    template = reading.access_template(actor, subject)
    version = reading.access_version(actor, subject, number or template.version)
    given = request.GET.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else _NEWEST
    versions = reading.versions(actor, subject, before)
    rendered = _rendered(version)
    context = {
        "section": "templates",
        "template": template,
        "version": version,
        "named": number is not None,
        "sender": reading.sender(actor, version.artefact["category"]),
        "rendered": rendered,
        "variables": _flat(version.artefact["schema"]),
        "versions": versions[: reading.PAGE],
        "older": versions[reading.PAGE - 1].number if len(versions) > reading.PAGE else None,
        "waiting": reading.waiting(actor.scope, subject) if actor.scope else [],
        "drafts": reading.drafts(actor.scope, subject) if actor.scope else [],
        "flags": flags.flags(actor, subject),
        "parts": editing.of_version(template.code, version.artefact),
        "size": len(rendered.html.encode()) if rendered.html else 0,
        "shown": _way(request),
        "ways": WAYS[:3],
        "number_text": str(version.number),
        "test_to": f"/templates/{subject}/versions/{version.number}/test",
        "stop_to": f"/templates/{subject}/versions/{version.number}/stop",
        "retire_to": f"/templates/{subject}/retire",
    }
    return render(request, "templates/one.html", context)


@needs("template:read")
@require_safe
def framed(request: HttpRequest, subject: UUID, number: int) -> HttpResponse:
    """GET /templates/<subject>/versions/<number>/preview: for the frame on that version's page alone."""
    version = reading.access_version(actor_of(request), subject, number)
    html = _rendered(version).html
    if html is None:
        raise Http404
    document, policy = preview.shown(html, dark=_way(request) == "dark")
    headers = {"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-store"}
    return HttpResponse(document, headers=headers, status=HTTPStatus.OK)


def _rendered(version: reading.Version) -> Rendered:
    """With sample values; where those do not fit, the template as it stands says what is wrong in its place."""
    given = version.artefact
    source = TemplateSource(given["subject"], given.get("html"), given.get("text"))
    try:
        samples = given.get("samples") or [typical(given["schema"])]
        return Compiled(source).render(samples[0], RenderLimits())
    except RenderError as trouble:
        return Rendered(source.subject, source.html and f"<p>{escape(trouble.hint)}</p>", source.text)


def _way(request: HttpRequest) -> str:
    """How the mail is looked at: desktop, phone or dark."""
    given = request.GET.get("as", "")
    return given if given in ("phone", "dark") else "desktop"


def _flat(schema: dict[str, Any], path: str = "") -> list[dict[str, Any]]:
    """A line a variable; what is inside of lists and objects follows with its path."""
    lines = []
    for name, one in schema.items():
        where = f"{path}{name}"
        lines.append({"name": where, "required": one.get("required", True), **one})
        inside = one.get("properties") or one.get("items", {}).get("properties")
        lines += _flat(inside, f"{where}.") if inside else []
    return lines
