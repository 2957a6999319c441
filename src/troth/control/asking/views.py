"""Asking, for staff: what strangers asked of the trust centres, by when it is owed an answer, and answering it."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from troth.control.asking import acts, reading
from troth.control.asking.reading import PAGE, STATES, Asked
from troth.control.audit.refusals import Refused
from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed

_SECTION: dict[str, Any] = {"section": "asked", "what": "Questions from outside"}
_LONGEST, _QUESTION = 4_000, 1_000


@dataclass(frozen=True, slots=True)
class Act:
    """One act: its page's title, what follows from it, its button, and the fields that it asks for (name -> most)."""

    title: str
    consequence: str
    button: str
    done: str
    fields: Mapping[str, int]
    outcome: str = ""
    stop: bool = False


_ACTS = {
    "answer": Act(
        "Answer", "What you write is mailed to whoever asked, as it stands. It cannot be taken back.",
        "Send the answer", "Your answer waits to be sent", {"words": _LONGEST}, "answered",
    ),
    "grant": Act(
        "Grant the documents", "A link to the documents that you choose is mailed; it works for seven days, and each "
        "taking is on record. What was taken cannot be taken back.", "Grant them", "The documents are granted",
        {"words": _LONGEST}, "granted",
    ),
    "refuse": Act(
        "Refuse the documents", "What you write is mailed to whoever asked, as the reason. It cannot be taken back.",
        "Refuse", "The request is refused", {"words": _LONGEST}, "refused", stop=True,
    ),
    "put-aside": Act(
        "Put aside without an answer", "Nobody is written to. The evidence of the claim TRC-2 says how many were put "
        "aside.", "Put it aside", "It is put aside", {"words": _LONGEST}, "put-aside", stop=True,
    ),
    "publish": Act(
        "Show the answer to everybody", "These words stand on the programme’s public page of questions. Write them "
        "anew: leave out who asked, and what only they may know.", "Publish", "It is public",
        {"question": _QUESTION, "answer": _LONGEST},
    ),
    "unpublish": Act("Take the answer from the public page", "It is gone from the page at once.", "Take it away",
                     "It is not public any more", {}, stop=True),
}  # fmt: skip
_SAY = {
    "words": "Write it: this is what is read later.",
    "question": "Write the question as everybody may read it.",
    "answer": "Write the answer as everybody may read it.",
}


@needs("asking:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /desk/questions?state=&before="""
    state = request.GET.get("state", "waiting")
    state = state if state in STATES else "waiting"
    lines = reading.listed(actor_of(request), state, _uuid(request.GET.get("before", "")))
    older = f"/desk/questions?state={state}&before={lines[PAGE - 1].id}" if len(lines) > PAGE else ""
    context = {"lines": lines[:PAGE], "older": older, "state": state, "states": STATES.items()}
    return render(request, "asking/list.html", {**_SECTION, **context})


@needs("asking:read")
@require_safe
def detail(request: HttpRequest, asked: UUID) -> HttpResponse:
    """GET /desk/questions/<asked>: what was asked, by whom and what came of it; that it was read is an entry."""
    actor = actor_of(request)
    found = reading.access_asked(actor, asked)
    acts_now = [(name, _ACTS[name].title) for name in _open(actor, found)]
    return render(request, "asking/one.html", {**_SECTION, "asked": found, "acts": acts_now})


@needs("asking:act")
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, asked: UUID, name: str) -> HttpResponse:
    """GET and POST /desk/questions/<asked>/<act>: what it means, in words; then it is done."""
    actor = actor_of(request)
    found = reading.access_asked(actor, asked)
    if name not in _open(actor, found):
        raise Http404
    one = _ACTS[name]
    typed = {
        field: request.POST.get(field, "").replace("\0", "").strip()[: most + 1] for field, most in one.fields.items()
    }
    chosen = request.POST.getlist("pieces")
    faults = _faults(name, typed, chosen) if request.method == "POST" else {}
    if request.method == "POST" and not faults:
        try:
            _do(actor, found, name, {**typed, "once": request.POST.get("once", "")}, chosen)
        except Refused as refused:
            faults = {"": refused.sentence}
        else:
            messages.success(request, f"{found.reference}: {one.done}.", extra_tags="kept")
            return HttpResponseRedirect(f"/desk/questions/{found.id}")
    return _ask(request, found, name, typed if request.method == "POST" else _begun(name, found), faults)


def _do(actor: Actor, found: Asked, name: str, typed: Mapping[str, str], chosen: list[str]) -> None:
    if name == "publish":
        acts.publish(actor, found, typed)
    elif name == "unpublish":
        acts.unpublish(actor, found)
    else:
        acts.decide(actor, found, _ACTS[name].outcome, typed, chosen)


def _ask(
    request: HttpRequest, found: Asked, name: str, typed: Mapping[str, str], faults: Mapping[str, str]
) -> HttpResponse:
    one = _ACTS[name]
    chosen = request.POST.getlist("pieces")
    context = {
        "asked": found, "name": name, "typed": typed, "faults": faults, "most": _LONGEST, "most_question": _QUESTION,
        "hidden": {"once": acts.once(request.POST.get("once", ""))}, "title": f"{one.title}: {found.reference}",
        "what": one.consequence, "button": one.button, "stop": one.stop, "back": f"/desk/questions/{found.id}",
        "pieces": [(value, words, value in chosen) for value, words in _pieces(name, found)],
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "asking/act.html", {**_SECTION, **context}, status=status)


def _pieces(name: str, found: Asked) -> list[tuple[str, str]]:
    return reading.pieces(found.id) if name == "grant" else []


def _begun(name: str, found: Asked) -> dict[str, str]:
    """What the form begins with: what was asked and answered, to be made fit for everybody."""
    return {"question": found.words, "answer": found.answer} if name == "publish" else {"words": ""}


def _open(actor: Actor, found: Asked) -> tuple[str, ...]:
    """The acts that there are now."""
    if not allowed(actor, "asking:act"):
        return ()
    if found.decided_at is None:
        return ("answer", "put-aside") if found.kind == "question" else ("grant", "refuse", "put-aside")
    if found.outcome != "answered":
        return ()
    return ("publish", "unpublish") if found.published else ("publish",)


def _faults(name: str, typed: Mapping[str, str], chosen: list[str]) -> dict[str, str]:
    most = _ACTS[name].fields
    found = {field: _SAY[field] for field in most if not typed[field]}
    found |= {field: f"{most[field]:,} characters are the most: shorten it." for field in most
              if len(typed[field]) > most[field]}  # fmt: skip
    if name == "grant" and not chosen:
        found["pieces"] = "Choose at least one document."
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
