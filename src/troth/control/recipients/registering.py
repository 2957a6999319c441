"""Recipients, for people: registering one from a page. It goes to the sending door like any program's registration,
with the client's own key `pages`, so the same looks are taken at the address and the same mail asks its owner.
"""

import http.client
import json
import logging
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from troth.control.approvals.standing import resolved, standing
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.recipients import reading
from troth.control.recipients.pages import SECTION
from troth.control.recipients.reading import PATHWAYS
from troth.control.tenants import seeking

_PATIENCE = 15.0  # seconds: somebody waits before the page
_LONGEST = 400
_AWAY = "The sending door does not answer: nothing was registered. Try again in a moment."
_NO_KEY = (
    "This client has no key for the pages: nothing was registered. Two people approve one, which troth key system "
    "--tests proposes."
)
_FIELDS = {"email": "email", "timezone": "timezone", "pathway": "pathway", "employer": "employer"}
_HINTS = {
    "confirmation-link": "a mail asks them; its link leads to a page with one button",
    "multi-step": "a mail asks them; its page wants the code that stands in the mail",
    "employer-invitation": "the mail says that their employer invited them; name the employer below",
    "vendor-agreement": "the mail says that an agreement names them; choose the agreement below",
}
_log = logging.getLogger("troth.recipients")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`ref`: the recipient's id; empty when the door refused, and then `faults` say why, by the form's field."""

    ref: str = ""
    word: str = ""
    faults: dict[str, str] = field(default_factory=dict)


@needs("recipient:write")
@sensitive_post_parameters("email")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """GET and POST /recipients/new: they get no mail but the one that asks them."""
    actor = actor_of(request)
    assert actor.scope is not None
    accepted = [(name, PATHWAYS[name], _HINTS[name]) for name in _accepted(actor) if name in _HINTS]
    signed = reading.agreements(actor.scope)
    typed = {
        "email": "",
        "timezone": "",
        "pathway": accepted[0][0] if accepted else "",
        "employer": "",
        "agreement": "",
    }
    faults: dict[str, str] = {}
    if request.method == "POST":
        typed = {name: request.POST.get(name, "").replace("\0", "").strip()[:_LONGEST] for name in typed}
        faults = _faults(typed, signed)
        outcome = Outcome(faults=faults) if faults else ask(actor, _body(typed, signed))
        faults = outcome.faults
        if outcome.ref:
            messages.success(request, _told(outcome.word), extra_tags="pending")
            return HttpResponseRedirect(f"/recipients/{outcome.ref}")
    context = {
        **SECTION,
        "typed": typed,
        "faults": faults,
        "pathways": accepted,
        "employers": any(name == "employer-invitation" for name, *_ in accepted),
        "vendors": any(name == "vendor-agreement" for name, *_ in accepted),
        "agreements": [("", "None"), *((str(each.id), f"{each.name}, {each.signed_on}") for each in signed)],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "recipients/new.html", context, status=status)


@needs("recipient:write")
@require_POST
def again(request: HttpRequest, ref: str) -> HttpResponse:
    """POST /recipients/<recipient>/ask: the mail that asks them, once more."""
    actor = actor_of(request)
    assert actor.scope is not None
    one = reading.access_recipient(actor, ref, seeking.keys_of(actor.scope), reading.cell())
    outcome = (
        Outcome(faults={"": "There is no address to ask."}) if not one.address else ask(actor, {"email": one.address})
    )
    if outcome.ref:
        messages.success(request, _told(outcome.word), extra_tags="pending")
    else:
        messages.error(request, " ".join(outcome.faults.values()))
    return HttpResponseRedirect(f"/recipients/{one.ref}")


def _told(word: str) -> str:
    if word == "verified":
        return "They are verified already: nothing was sent."
    return (
        "A mail asks them to confirm; within ten minutes of one, no second goes out. Nothing else is sent to them "
        "before they have."
    )


def _accepted(actor: Actor) -> tuple[str, ...]:
    policy = resolved(standing(raw(), actor.scope))
    scoped(actor.scope)
    return policy.recipients.pathways if policy else ()


def _faults(typed: dict[str, str], signed: list[reading.Agreement]) -> dict[str, str]:
    found = {}
    if not typed["email"]:
        found["email"] = "Type the address."
    if typed["pathway"] == "employer-invitation" and not typed["employer"]:
        found["employer"] = "Name the employer: the mail does not, but the record of the invitation does."
    if typed["pathway"] == "vendor-agreement" and typed["agreement"] not in {str(each.id) for each in signed}:
        found["agreement"] = "Choose the agreement that names them, or keep its hash first."
    return found


def _body(typed: dict[str, str], signed: list[reading.Agreement]) -> dict[str, Any]:
    found: dict[str, Any] = {name: typed[name] for name in ("email", "pathway", "timezone") if typed[name]}
    if typed["pathway"] == "employer-invitation":
        found["employer"] = typed["employer"]
    one = next((each for each in signed if str(each.id) == typed["agreement"]), None)
    if typed["pathway"] == "vendor-agreement" and one is not None:
        found["agreement"] = {
            "sha256": one.digest.hex(),
            "reference": one.name[:120],
            "signed_at": one.signed_on.isoformat(),
        }
    return found


def ask(actor: Actor, body: dict[str, Any]) -> Outcome:
    """POST /recipients at the door, as the client."""
    assert actor.scope is not None
    headers = {
        "Authorization": f"Bearer {settings.TROTH_SEND_KEY(actor.scope)}",
        "Content-Type": "application/json",
        "Accept": "application/problem+json",
    }
    door = urlsplit(settings.TROTH_DOOR_URL)
    there = http.client.HTTPConnection(door.hostname or "", door.port, timeout=_PATIENCE)
    try:
        there.request("POST", "/recipients", json.dumps(body), headers)
        answer = there.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException) as trouble:
        _log.warning("a registration was not handed over: %s", type(trouble).__name__)
        return Outcome(faults={"": _AWAY})
    finally:
        there.close()
    return _outcome(answer.status, said)


def _outcome(status: int, said: bytes) -> Outcome:
    try:
        found = json.loads(said)
        if status < HTTPStatus.BAD_REQUEST:
            return Outcome(str(found["id"]), str(found["status"]))
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and "key" in str(found.get("type", "")):
            return Outcome(faults={"": _NO_KEY})
        where = str(found.get("field") or "").partition(".")[0]
        return Outcome(faults={where if where in (*_FIELDS, "agreement") else "": str(found["detail"])})
    except (ValueError, KeyError, TypeError):
        return Outcome(faults={"": _AWAY})
