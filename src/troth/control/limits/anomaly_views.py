"""Unusual volumes, for people: the curve, the band and the moment, what is held and its clock, and what is to become of
it. A look is one person's act; letting go and refusing are changes that a second person approves.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.audit.refusals import Refused
from troth.control.limits import anomaly_acts
from troth.control.limits import anomaly_reading as reading
from troth.control.limits.anomaly_acts import LONGEST
from troth.control.limits.anomaly_reading import Anomaly
from troth.control.people.actor import actor_of, raw, scoped
from troth.control.people.guard import needs

_SECTION: dict[str, Any] = {"section": "anomalies"}
_FIRST = UUID(int=0)
# what a person may propose: the word in the address, the act on held mail, whether the pause ends, title and button
_WAYS: dict[str, tuple[str | None, bool, str, str]] = {
    "lift": (None, True, "Let the client send again", "Propose it"),
    "release": ("release", False, "Let held mail go", "Propose it"),
    "release-all": ("release", True, "Let the client send again, and all held mail go", "Propose it"),
    "refuse": ("refuse", False, "Refuse held mail", "Propose the refusal"),
}
_UNDO = {
    None: "Another stop, which one person starts.",
    "release": "Nothing: what was sent is sent. Until its time comes, each can be cancelled by the program.",
    "refuse": "Nothing: a refused message is cancelled for good, and its program is told.",
}


@needs("home:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /anomalies?before=: what waits for a look, how near the threshold is, and 50 of what was found before."""
    actor, before = actor_of(request), _before(request)
    waiting, found = reading.anomalies(is_open=True), reading.anomalies(is_open=False, before=before)
    past = found[: reading.PAGE]
    clients = reading.clients()
    mine = clients[0] if actor.scope is not None and clients else None
    now = reading.now()
    context = {
        "now": now,
        "open": [(each, each.late(now), each.left(now)) for each in waiting[: reading.PAGE]],
        "open_more": len(waiting) > reading.PAGE,
        "behind": reading.behind(),
        "past": past,
        "older": f"?{urlencode({'before': past[-1].at.isoformat()})}" if len(found) > reading.PAGE else "",
        "newer": "/anomalies" if before else "",
        "clients": clients if actor.scope is None else [],
        "client": mine,
        "curve": reading.watched_curve(mine, [each.at for each in (*waiting, *found)])
        if mine and mine.limit is not None
        else None,
    }
    return render(request, "limits/anomalies.html", {**_SECTION, **context})


def _before(request: HttpRequest) -> datetime | None:
    """The moment that the address names; None for none, or what is no moment."""
    try:
        found = datetime.fromisoformat(request.GET.get("before", ""))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


@needs("home:read")
@require_safe
def detail(request: HttpRequest, anomaly: UUID) -> HttpResponse:
    """GET /anomalies/<anomaly>?after=: one of them, with the mail that it holds, 50 a page."""
    return _detail(request, reading.access_anomaly(anomaly), {}, {})


def _detail(request: HttpRequest, found: Anomaly, typed: dict[str, str], faults: dict[str, str]) -> HttpResponse:
    held, now = reading.held(found, _after(request)), reading.now()
    page = held[: reading.PAGE]
    context = {
        "anomaly": found,
        "now": now,
        "late": found.late(now),
        "left": found.left(now),
        "curve": reading.found_curve(found),
        "groups": reading.groups(found),
        "held": page,
        "older": f"?after={page[-1].id}" if len(held) > reading.PAGE else "",
        "newer": f"/anomalies/{found.id}" if request.GET.get("after") else "",
        "outcomes": reading.outcomes(found),
        "looks": reading.looks(found),
        "here": actor_of(request).scope == found.tenant,
        "typed": typed,
        "faults": faults,
        "most": LONGEST,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "limits/anomaly.html", {**_SECTION, **context}, status=status)


def _after(request: HttpRequest) -> UUID:
    return next(iter(_ids([request.GET.get("after", "")])), _FIRST)


@needs("release:propose")
@require_POST
def look(request: HttpRequest, anomaly: UUID) -> HttpResponse:
    """POST /anomalies/<anomaly>/look: this person has looked, and leaves it as it is."""
    actor, found = actor_of(request), _own(request, anomaly)
    words = _words(request, "found")
    faults = _faults("found", words, "Say what you found, for those who decide about it.")
    if not faults:
        try:
            anomaly_acts.look(raw(), actor.secret, found.tenant, found.id, words)
        except Refused as refused:
            faults = {"": refused.sentence}
        finally:
            scoped(actor.scope)
    if faults:
        return _detail(request, found, {"found": words}, faults)
    messages.success(request, "Your look is recorded. What was stopped stays so until two people let it go.")
    return HttpResponseRedirect(f"/anomalies/{found.id}")


@needs("release:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, anomaly: UUID, way: str) -> HttpResponse:
    """GET and POST /anomalies/<anomaly>/<way>: the consequence in words, then a proposal that a second person approves.

    Of held mail: `message`, `template` and `category` choose a part, each as often as wanted; none of them is all.
    """
    if way not in _WAYS:
        raise Http404
    actor, found = actor_of(request), _own(request, anomaly)
    act, lift, title, button = _WAYS[way]
    given = request.POST if request.method == "POST" else request.GET
    part, wrong = _part(given) if act else ({}, "")
    words = _words(request, "reason")
    faults = _faults("reason", words, "Say why, for the person who approves it.") if request.method == "POST" else {}
    faults |= {"": wrong} if wrong else {}
    if request.method == "POST" and not faults:
        artefact: dict[str, Any] = {name: ids for name, ids in part.items() if ids}
        artefact |= {"held": act, "lift": lift} if act else {}
        try:
            proposal = Proposal("release", str(found.pause), artefact, words.strip(), found.tenant, found.pause)
            made = changes.propose(raw(), actor.secret, proposal)
        except Refused as refused:
            faults = {"": refused.sentence}
        else:
            messages.success(request, "Proposed. It takes effect when a second person approves it.")
            return HttpResponseRedirect(f"/changes/{made.id}")
        finally:
            scoped(actor.scope)
    return render(request, "limits/decide.html", {
        **_SECTION, "title": title, "typed": {"reason": words}, "faults": faults, "most": LONGEST,
        "action": request.path, "back": f"/anomalies/{found.id}", "button": button, "stop": act == "refuse",
        "chosen": bool(given.get("chosen")) or bool(wrong),
        "part": [(field, one) for name, field in _PARTS for one in part.get(name, [])],
        "what": _consequence(found, act, part, lift=lift), "who": found.client, "undo": _UNDO[act],
        "when": "Not yet: your proposal opens a change, and nothing moves until a second person approves it.",
    }, status=HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK)  # fmt: skip


_PARTS = (("messages", "message"), ("templates", "template"), ("categories", "category"))


def _part(given: QueryDict) -> tuple[dict[str, list[str]], str]:
    """The ids by the artefact's lists, and what is wrong with them: what cannot be read is never taken for `all`."""
    part = {name: [str(one) for one in _ids(given.getlist(field))] for name, field in _PARTS}
    if any(len(part[name]) != len(given.getlist(field)) for name, field in _PARTS):
        return part, "Some of what was chosen is not held mail: go back and choose again."
    if given.get("chosen") and not any(part.values()):
        return part, "No message was chosen: go back and choose some, or decide about all of them."
    return part, ""


def _own(request: HttpRequest, anomaly: UUID) -> Anomaly:
    """Acts are for where the person looks: staff choose the client first."""
    found = reading.access_anomaly(anomaly)
    if found.tenant != actor_of(request).scope:
        raise Http404
    return found


def _words(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "")[: LONGEST + 1]


def _faults(name: str, words: str, empty: str) -> dict[str, str]:
    if not words.strip():
        return {name: empty}
    return {name: f"{LONGEST:,} characters are the most: shorten it."} if len(words) > LONGEST else {}


def _ids(given: list[str]) -> list[UUID]:
    """Those of the address that are ids; a page has 50."""
    found = []
    for each in given[:500]:
        try:
            found.append(UUID(each))
        except ValueError:
            continue
    return found


def _consequence(found: Anomaly, act: str | None, part: dict[str, list[str]], *, lift: bool) -> str:
    """What becomes of which mail, and of the pause."""
    waiting = reading.outcomes(found)["wait"]
    if not any(part.values()):
        which = f"All {waiting:,} messages that wait" if waiting != 1 else "The one message that waits"
    else:
        groups = [g for g in reading.groups(found) if str(g.template_id) in part["templates"]
                  or str(g.category_id) in part["categories"]]  # fmt: skip
        n = len(part["messages"]) + sum(g.n for g in groups)
        which = "The one message that you chose" if n == 1 else f"The {n:,} messages that you chose"
    is_one = which.startswith("The one")
    says = {
        None: "",
        "release": f"{which} {'goes' if is_one else 'go'}, as the hourly limits let {'it' if is_one else 'them'}; "
        "suppression, stops and lifetimes are looked at once more.",
        "refuse": f"{which} {'is' if is_one else 'are'} cancelled and never sent; the client’s programs are told.",
    }[act]
    ends = {
        (True, None): "The pause ends, and mail goes as before. Mail that is held stays held.",
        (True, "release"): "The pause ends, and mail goes as before.",
    }.get((lift, act), "The pause itself goes on.")
    return f"{says} {ends}".strip()
