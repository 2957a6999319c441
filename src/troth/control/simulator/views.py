"""The simulator, for people: one simulation, how far it is and what it found; asked for a change that waits."""

from collections import Counter as Sum
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from troth.control.approvals import reading
from troth.control.approvals.reading import Seen
from troth.control.audit.refusals import Refused
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.simulator import asking
from troth.control.simulator.asking import Simulation
from troth.control.simulator.candidate import Candidate
from troth.control.simulator.tally import CHANGES
from troth.rules.problems import PROBLEMS

_LINES = 40  # of a table
_HOURS = 24
_OF_REASON = 6  # messages shown of each reason
_WORDS = {
    "refused": "refused",
    "held": "held for review",
    "slowed": "slowed",
    "suppressed": "suppressed",
    "accepted": "let through after all",
}
_LEVELS = {
    "promise": "a programme's promise",
    "operator": "the operator's policy",
    "tenant": "the client's policy",
    "category": "a category's policy",
}


@needs("policy:read")
@require_safe
def one(request: HttpRequest, simulation: UUID) -> HttpResponse:
    """GET /simulations/<simulation>: how far it is, and then what would have fared otherwise."""
    found = asking.one_of(simulation)
    if found is None:
        raise Http404
    context = {"section": "policies", "one": found, "level": _LEVELS[found.level], **told(found)}
    return render(request, "simulator/one.html", context)


@needs(post="policy:read")
@require_POST
def of_change(request: HttpRequest, change: UUID) -> HttpResponse:
    """POST /changes/<change>/simulate: try what it proposes; its summary then stands on the change's page."""
    actor = actor_of(request)
    seen = reading.access_change(actor, change)
    candidate = _of(seen)
    if candidate is None:
        raise Http404
    return begin(request, actor, candidate, seen.artefact, seen.code, f"/changes/{change}")


def begin(
    request: HttpRequest, actor: Actor, candidate: Candidate, artefact: Any, code: str, back: str
) -> HttpResponse:
    """Ask, and lead to its page; back to where the person was, with the reason, when it is refused."""
    try:
        made = asking.ask(raw(), actor.secret, candidate, artefact, code)
    except Refused as refused:
        messages.error(request, refused.sentence)
        return HttpResponseRedirect(back)
    finally:
        scoped(actor.scope)
    return HttpResponseRedirect(f"/simulations/{made}")


def _of(seen: Seen) -> Candidate | None:
    """What a change proposes, as a question; None for a change that no simulation can be made of."""
    match seen.kind, seen.code:
        case "policy", "tenant":
            return Candidate("tenant", seen.artefact, seen.tenant)
        case "policy", "operator":
            return Candidate("operator", seen.artefact)
        case "policy", _:
            return Candidate("promise", seen.artefact, programme=seen.subject)
        case "category", _ if seen.before is not None:
            return Candidate.of("category", seen.artefact, tenant=seen.tenant, code=seen.code)
    return None


def beside(_: Actor, seen: Seen) -> dict[str, Any] | None:
    """What a change's page shows of it; None for a change that no simulation can be made of."""
    candidate = _of(seen)
    if candidate is None:
        return None
    found = asking.newest(seen.digest, [candidate.level])
    return {"template": "simulator/beside.html", "one": found, **(told(found) if found else {})}


def told(found: Simulation) -> dict[str, Any]:
    """A simulation's tables: changes in words; lines with any change only, the fullest first."""
    result = found.result
    if result is None:
        return {}
    return {
        "result": result,
        "changes": [(name, _WORDS[name], result["changes"][name]) for name in CHANGES if result["changes"][name]],
        "heads": [(name, _WORDS[name].capitalize()) for name in CHANGES if result["changes"][name]],
        "states": [(state, result["then"][state], result["now"][state]) for state in result["then"]],
        "by_client": _lines(result, "by_client"),
        "by_template": _lines(result, "by_template"),
        "by_hour": _hours(result),
        "reasons": [{**row, "words": _reason(row["code"]), "would": _WORDS[row["change"]]}
                    for row in result["reasons"][:_LINES]],
        "examples": [{**row, "time": _moment(row["at"]), "words": _reason(row["code"]), "would": _WORDS[row["change"]]}
                     for row in _some(result["examples"])],
    }  # fmt: skip


def _hours(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Those with the most, in the order of time."""
    rows = [{**row, "at": _moment(row["hour"])} for row in _lines(result, "by_hour")[:_HOURS]]
    return sorted(rows, key=lambda row: row["hour"])


def _some(examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A few of each reason, those of every client among them."""
    seen: Sum[tuple[str, str]] = Sum()
    found = []
    for row in sorted(examples, key=lambda row: row["at"]):
        seen[row["change"], row["code"]] += 1
        if seen[row["change"], row["code"]] <= _OF_REASON:
            found.append(row)
    return found[:_LINES]


def _lines(result: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Each with its figures in the order of the heads, the fullest first."""
    shown = [each for each in CHANGES if result["changes"][each]]
    rows = [
        {**row, "figures": [(_WORDS[each].capitalize(), row[each]) for each in shown]}
        for row in result[name]
        if any(row[each] for each in shown)
    ]
    rows.sort(key=lambda row: -sum(n for _, n in row["figures"]))
    return rows[:_LINES]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _reason(code: str) -> str:
    """A code in words."""
    if code in PROBLEMS:
        return PROBLEMS[code].title
    return "nothing stands against it" if code == "ok" else code.replace("-", " ")
