"""Audits, for people who audit: a programme's promises by law and standard over a period, its populations with what was
drawn of them, the receipts of the messages drawn, and all of it as one file. Nothing here shows an address.
"""

import json
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.audit.accesses import looked
from troth.control.audit.asking import rows
from troth.control.audits import asked, gathering, populations
from troth.control.audits.asked import Asked
from troth.control.audits.ledgers import NoLedger
from troth.control.audits.period import CannotBundle
from troth.control.audits.populations import Member
from troth.control.audits.seeing import seeing
from troth.control.audits.survey import FRAMEWORKS, Survey, Wanted, by_framework, clients_of, survey
from troth.control.ledger.receipts import Means
from troth.control.people.actor import Actor, actor_of, raw
from troth.control.people.guard import needs
from troth.control.trust.look import Programme
from troth.ledger import bundle as form
from troth.ledger.signed_file import WrongKey

_SECTION: dict[str, Any] = {"section": "audits"}
_PROGRAMMES = "SELECT code, name, id, profile FROM troth.programme ORDER BY code"
_LOOKS = ("fails", "stale", "no data yet", "holds")  # the worst first
POPULATIONS = {
    "messages": ("Messages", "one email to one recipient, accepted in the period"),
    "suppressions": ("Suppressions", "addresses put on the list, by the hash of their index"),
    "changes": ("Changes", "what two people approved"),
    "grants": ("Grants", "changes that gave somebody access"),
    "cases": ("Cases", "steps of incidents, of reports of abuse and of weaknesses"),
    "evidence": ("Evidence", "what people handed in, accepted or withdrew"),
    "looks": ("Looks", "looks at people’s data, and exports"),
}


@needs("audit:read")
@require_safe
def shown(request: HttpRequest) -> HttpResponse:
    """GET /audits?programme=&from=&to=&sample=: the period as it stands, or the form that asks for one."""
    actor, known = actor_of(request), _programmes()
    wish = asked.read(request.GET, actor.session.now, known)
    context: dict[str, Any] = {**_SECTION, "typed": wish.given, "faults": wish.wrong, "frameworks": list(FRAMEWORKS),
                               "programmes": [(code, name) for code, (name, _) in known.items()]}  # fmt: skip
    if wish.period is None:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if wish.wrong else HTTPStatus.OK
        return render(request, "audits/audits.html", {**context, "asked": wish.asked}, status=status)
    _told("access:audit:view", actor, wish)
    try:
        found = _survey(known, wish)
    except (CannotBundle, NoLedger) as wrong:
        context["faults"] = {"": str(wrong)}
        return render(request, "audits/audits.html", {**context, "asked": True}, status=HTTPStatus.CONFLICT)
    return render(request, "audits/audits.html", {**context, "asked": True, **_shown(found, wish)})


@needs("audit:read")
@require_safe
def bundle(request: HttpRequest, code: str) -> HttpResponse:
    """GET /audits/<code>/bundle.zip?from=&to=&sample=: the file; that it was taken is an entry of the ledger."""
    actor, known = actor_of(request), _programmes()
    wish = asked.read({**request.GET.dict(), "programme": code}, actor.session.now, known)
    if wish.period is None:
        raise Http404
    wanted = Wanted(known[code][1], wish.period, wish.sample)
    try:
        made = gathering.bundle(raw(), settings.TROTH_KEYS(), wanted)
    except (CannotBundle, NoLedger, WrongKey) as wrong:
        context = {**_SECTION, "faults": {"": str(wrong)}, "typed": wish.given, "asked": True,
                   "programmes": [(each, name) for each, (name, _) in known.items()]}  # fmt: skip
        return render(request, "audits/audits.html", context, status=HTTPStatus.CONFLICT)
    _told("access:audit:bundle", actor, wish)
    answer = HttpResponse(made.data, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{code}-{wish.given["from"]}-{wish.given["to"]}.bundle.zip"'
    return answer


@needs("audit:read")
@require_safe
def receipt(request: HttpRequest, code: str, message: UUID) -> HttpResponse:
    """GET /audits/<code>/receipts/<message>.json: the receipt of a message of this programme, without addresses."""
    actor, known = actor_of(request), _programmes()
    if code not in known:
        raise Http404
    tenant = _whose(known[code][1], message)
    keys = settings.TROTH_KEYS()
    means = Means(keys.keyring, keys.secrets.ledger_seed)
    try:
        body = populations.receipt(raw(), Member(str(message), 0, tenant), means)
    except (CannotBundle, NoLedger):
        raise Http404 from None
    looked("access:message:receipt", tenant, actor.account_id, message=message)
    headers = {"Content-Disposition": f'attachment; filename="{message}.receipt.json"'}
    return HttpResponse(body, content_type="application/json", headers=headers)


def _whose(programme: Programme, message: UUID) -> UUID:
    connection = raw()
    with seeing(connection, None):
        firms = clients_of(connection, programme.id)
    found = next((firm for firm in firms if populations.has(connection, firm, message)), None)
    if found is None:
        raise Http404
    return found


def _programmes() -> dict[str, tuple[str, Programme]]:
    return {code: (name, Programme(which, code, profile)) for code, name, which, profile in rows(_PROGRAMMES)}


def _survey(known: dict[str, tuple[str, Programme]], wish: Asked) -> Survey:
    assert wish.period is not None
    with seeing(raw(), None) as connection:
        return survey(connection, Wanted(known[wish.given["programme"]][1], wish.period, wish.sample))


def _told(kind: str, actor: Actor, wish: Asked) -> None:
    assert wish.period is not None
    begins, ends = wish.period.numbers
    looked(kind, actor.scope, actor.account_id, programme=wish.given["programme"], begins=begins, ends=ends)


def _shown(found: Survey, wish: Asked) -> dict[str, Any]:
    told, period = found.part.told, found.wanted.period
    house = {str(index) for index, leaf in found.found.shown if json.loads(leaf)["tenant"] == ""}
    return {
        "found": found, "period": period, "code": found.wanted.programme.code, "entries": len(found.found.shown),
        "range": (told.start, told.end - told.start), "tellings": len(found.history), "root": found.part.root.hex(),
        "groups": [_group(name, listed) for name, listed in by_framework(found.promises).items()],
        "populations": list(_populations(found, house)),
        "query": f"from={wish.given['from']}&to={wish.given['to']}&sample={wish.sample}",
    }  # fmt: skip


def _group(name: str, listed: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]], int]:
    """With how many failed within the period."""
    told = [_promise(each) for each in listed]
    return name, told, sum(each["worst"] == "fails" for each in told)


def _promise(each: dict[str, Any]) -> dict[str, Any]:
    """With its worst state over the period, and how often it was told."""
    states = {*each["told"], *([each["before"]] if each["before"] else [])}
    worst = next((state for state in _LOOKS if state in states), "")
    return {**each, "worst": worst, "turns": len(each["told"])}


def _populations(found: Survey, house: set[str]) -> Iterator[dict[str, Any]]:
    for each in found.populations:
        name, about = POPULATIONS[each.name]
        yield {"name": name, "about": about, "size": each.size, "seed": each.seed, "listed": each.listed,
               "drawn": list(_drawn(each.name, each.drawn, house, found.wanted.programme.code))}  # fmt: skip


def _drawn(name: str, members: Iterable[str], house: set[str], code: str) -> Iterator[tuple[str, str]]:
    """(what it is called, where it is looked at, "" where a client has to be chosen first)."""
    for each in members:
        if name == form.MESSAGES:
            yield each, f"/audits/{code}/receipts/{each}.json"
        elif name == form.SUPPRESSIONS:
            yield each[:16], ""
        else:
            yield f"entry {each}", f"/ledger/entries/{each}" if each in house else ""
