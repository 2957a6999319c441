"""Four eyes, the pages: the queue, what waits for this person first; and one change, as a person wants to see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.approvals import pictures, queue, reading, wording
from troth.control.approvals.pictures import template
from troth.control.approvals.reading import Seen, seat
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed, permission
from troth.control.tenants import menu as clients
from troth.mail import preview

_FRAMED = {"X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-store"}
_WAYS = (("", "Desktop"), ("phone", "Phone"), ("dark", "Dark"))
_SCOPES = 300  # clients in the filter

type Beside = Callable[[Actor, Seen], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Stand:
    """What this person may do about a change. `why_not`: why an approval is not theirs to give; empty when it is."""

    approve: bool
    why_not: str
    withdraw: bool
    reject: bool
    comment: bool
    ask: bool
    approvers: tuple[tuple[UUID, str, str], ...]
    asked: tuple[tuple[UUID, str], ...]

    @property
    def anything(self) -> bool:
        return self.approve or self.withdraw or self.reject


@needs("change:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /changes?kind=&state=&client=&author=&before="""
    actor, asked = actor_of(request), queue.read(request.GET)
    waiting = queue.open_ones(actor, asked)
    shown = waiting[: queue.MOST_OPEN]
    context = {
        "section": "changes",
        "asked": asked,
        "mine": [each for each in shown if each.mine],
        "own": [each for each in shown if each.wrote],
        "others": [each for each in shown if not each.mine and not each.wrote],
        "more": len(waiting) > queue.MOST_OPEN,
        "most": queue.MOST_OPEN,
        "decided": queue.decided(actor, asked),
        "kinds": [
            ("", "Every kind"),
            *((name, many) for name, (_, many) in wording.KINDS.items() if name != "genesis"),
        ],
        "states": [("", "Every state"), *((name, name.capitalize()) for name in wording.STATES.values())],
        "authors": [("", "Everybody"), *queue.authors(actor, asked)],
        "scopes": _scopes(actor),
    }
    return render(request, "approvals/list.html", context)


def _scopes(actor: Actor) -> list[tuple[str, str]]:
    """Staff who look at no client in particular choose one here."""
    if actor.scope is not None or not actor.staff:
        return []
    return [("", "Every client"), *((str(each.id), each.name) for each in clients.named("", 0, _SCOPES))]


@needs("change:read")
@require_safe
def detail(request: HttpRequest, change: UUID, beside: Beside | None = None) -> HttpResponse:
    """GET /changes/<change>?as= `beside`: what another room shows of a change, with its template."""
    actor = actor_of(request)
    try:
        seen = reading.access_change(actor, change)
    except Http404:
        return _elsewhere(request, actor, change)
    return shown(request, actor, seen, beside=beside(actor, seen) if beside else None)


def _elsewhere(request: HttpRequest, actor: Actor, change: UUID) -> HttpResponse:
    """Staff who follow a link look at that client first; for anybody else there is nothing."""
    found = queue.place(actor, change) if actor.staff else None
    if found is None or found[0] is None:
        raise Http404
    context = {"section": "changes", "tenant": found[0], "name": found[1]}
    return render(request, "approvals/elsewhere.html", context)


def shown(
    request: HttpRequest,
    actor: Actor,
    seen: Seen,
    *,
    faults: dict[str, str] | None = None,
    act: str = "",
    beside: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page; with faults, as it answers a form that was refused. `act`: whose form stays open."""
    stand = stands(actor, seen)
    way = request.GET.get("as", "")
    context: dict[str, Any] = {
        "section": "changes",
        "seen": seen,
        "stand": stand,
        "picture": pictures.drawn(seat(actor, seen.tenant), seen),
        "progress": progress(seen),
        "history": reading.steps(actor, seen),
        "left": max(seen.expires_at - seen.now, timedelta(0)),
        "missing": seen.wanted - seen.given,
        "too_few": seen.open and len(stand.approvers) < seen.wanted - seen.given,
        "to_ask": [(str(one), name, role) for one, name, role in stand.approvers
                   if one not in {account for account, _ in stand.asked}],
        "whose": wording.approvers(
            seen.kind, actor.profile if seen.tenant else "", client=seen.tenant is not None, house=seen.house_alone
        ),
        "way": way if way in dict(_WAYS) else "",
        "ways": [(f"?as={name}" if name else "?", told, name == way) for name, told in _WAYS],
        "faults": faults or {},
        "typed": {name: request.POST.get(name, "")[:4000] for name in ("words", "why", "note")},
        "open_ask": act == "ask",
        "open_close": act == "close",
        "beside": beside,
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "approvals/one.html", context, status=status)


def stands(actor: Actor, seen: Seen) -> Stand:
    at = seat(actor, seen.tenant)
    right = allowed(at, f"{seen.kind}:approve")
    why = _why_not(at, seen, right=right)
    own = seen.proposer_human == actor.human_id
    known = tuple(reading.approvers(actor, seen)) if seen.open else ()
    return Stand(
        approve=seen.open and not why,
        why_not=why,
        withdraw=seen.open and own,
        reject=seen.open and right and not own,
        comment=allowed(at, "change:comment"),
        ask=seen.open and (right or actor.human_id in seen.authors),
        approvers=tuple(each for each in known if each[0] != actor.account_id),
        asked=tuple(reading.asked(actor, seen)),
    )


def _why_not(at: Actor, seen: Seen, *, right: bool) -> str:
    """In words, as the database would refuse it."""
    if seen.proposer_human == at.human_id:
        return "You proposed this, so a second person must approve it: the database refuses yours, whatever your role."
    if at.human_id in seen.authors:
        return "You wrote on this draft, so somebody who did not must approve it: the database refuses yours."
    if at.human_id in {human for human, _ in seen.approvals}:
        return "You have approved this already; it waits for somebody else."
    if seen.house_alone and not at.staff:
        return "The list of suppressions is one for all clients, so somebody of the operator approves this."
    if not right:
        return f"Your role here, {at.role}, may look at this, and not decide it."
    return ""


def second_factor_first(actor: Actor, seen: Seen) -> bool:
    """Whether the decision needs a session with a second factor, and this one has none."""
    cell = permission(seat(actor, seen.tenant), f"{seen.kind}:approve")
    return cell is not None and cell.second and actor.session.second_factor_at is None


def progress(seen: Seen) -> list[tuple[str, ...]]:
    """The stepper: how far it is."""
    second = "Second person" if seen.wanted == 1 else f"{seen.given} of {seen.wanted} approvals"
    start = [("Draft", "done")] if seen.draft else []
    if seen.open:
        return [*start, ("Proposed", "done"), (second, "now", "proposed"), ("In force", "ahead")]
    if seen.state == 2:
        return [*start, ("Proposed", "done"), ("Approved", "done"), ("In force", "done")]
    return [*start, ("Proposed", "done"), (seen.word.capitalize(), "now", seen.shape)]


@needs("change:read")
@require_safe
def picture(request: HttpRequest, change: UUID, side: str) -> HttpResponse:
    """GET /changes/<change>/picture/<side>: one of a template's two mails, for a frame that has no powers."""
    seen = reading.access_change(actor_of(request), change)
    artefact = {"before": seen.before, "after": seen.artefact}.get(side)
    if seen.kind != "template" or artefact is None:
        raise Http404
    html = template.drawn(artefact).html
    if html is None:
        raise Http404
    document, policy = preview.shown(html, dark=request.GET.get("as") == "dark")
    return HttpResponse(document, headers={**_FRAMED, "Content-Security-Policy": policy})
