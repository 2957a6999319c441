"""Four eyes, what is done about a change: approve, reject or withdraw, comment, ask others to look. Each is a POST
after words that say what follows; what the database refuses is said in a sentence, and what was typed stays.
"""

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from troth.control.approvals import changes, reading, telling
from troth.control.approvals.changes import Change
from troth.control.approvals.reading import Seen, looking
from troth.control.approvals.views import second_factor_first, shown, stands
from troth.control.audit.refusals import Refused
from troth.control.people.actor import Actor, actor_of, raw
from troth.control.people.guard import needs

_LONGEST = 4_000  # characters of a comment or a reason
_DIGEST = 64


@needs("change:read")
@require_POST
def approve(request: HttpRequest, change: UUID) -> HttpResponse:
    """POST /changes/<change>/approve: `digest` is that of what the page showed."""
    actor = actor_of(request)
    seen = reading.access_change(actor, change)
    stand = stands(actor, seen)
    if seen.open and not stand.approve and not _said(actor, seen):
        raise Http404  # not for this role
    if second_factor_first(actor, seen):
        return HttpResponseRedirect(f"/second-factor?{urlencode({'next': f'/changes/{seen.id}'})}")
    digest, note = request.POST.get("digest", ""), request.POST.get("note", "").replace("\0", "").strip()[:_LONGEST]
    if len(digest) != _DIGEST or digest != seen.digest.hex():
        fault = "This is not what is proposed any more: look at the page as it is now, then decide."
        return shown(request, actor, seen, faults={"": fault})
    try:
        made = _with(actor, seen, lambda found: changes.approve(raw(), actor.secret, found, bytes.fromhex(digest)))
        if note and stand.comment:
            _with(actor, seen, lambda found: changes.comment(raw(), actor.secret, found, note))
    except Refused as refused:
        return shown(request, actor, reading.access_change(actor, change), faults={"": _sentence(refused, seen)})
    if made is None:
        left = seen.wanted - seen.given - 1
        said = f"Your approval counts: {seen.given + 1} of {seen.wanted}. It waits for {left} more."
        messages.success(request, said, extra_tags="proposed")
    else:
        messages.success(request, f"Approved: {seen.title} is in force.", extra_tags="in force")
        telling.decided(actor, seen, "approved", note or "It is in force.")
    return _back(seen)


@needs("change:read")
@require_POST
def close(request: HttpRequest, change: UUID) -> HttpResponse:
    """POST /changes/<change>/close: its proposer withdraws, anybody else who may decide rejects, with a reason."""
    actor = actor_of(request)
    seen = reading.access_change(actor, change)
    stand, why = stands(actor, seen), request.POST.get("why", "").strip()[:_LONGEST]
    if seen.open and not stand.withdraw and not stand.reject:
        raise Http404
    if not stand.withdraw and second_factor_first(actor, seen):
        return HttpResponseRedirect(f"/second-factor?{urlencode({'next': f'/changes/{seen.id}'})}")
    if stand.reject and not why:
        fault = f"Say why you reject it: {seen.proposer} reads it, and can propose again."
        return shown(request, actor, seen, faults={"why": fault}, act="close")
    try:
        became = _with(actor, seen, lambda found: changes.close(raw(), actor.secret, found, why))
    except Refused as refused:
        return shown(request, actor, reading.access_change(actor, change), faults={"": _sentence(refused, seen)})
    messages.success(request, f"{became.capitalize()}: what is in force stays as it is.", extra_tags=became)
    if became == "rejected":
        telling.decided(actor, seen, became, why)
    return _back(seen)


@needs("change:read", post="change:comment")
@require_POST
def comment(request: HttpRequest, change: UUID) -> HttpResponse:
    """POST /changes/<change>/comment"""
    actor = actor_of(request)
    seen = reading.access_change(actor, change)
    words = request.POST.get("words", "").replace("\0", "").strip()
    if not words or len(words) > _LONGEST:
        fault = "Write something first." if not words else f"A comment has at most {_LONGEST:,} characters."
        return shown(request, actor, seen, faults={"words": fault})
    try:
        _with(actor, seen, lambda found: changes.comment(raw(), actor.secret, found, words))
    except Refused as refused:
        return shown(request, actor, seen, faults={"words": refused.sentence})
    return HttpResponseRedirect(f"/changes/{seen.id}#talk")


@needs("change:read")
@require_POST
def ask(request: HttpRequest, change: UUID) -> HttpResponse:
    """POST /changes/<change>/ask: `who`, accounts of people who could approve it; each is told by mail."""
    actor = actor_of(request)
    seen = reading.access_change(actor, change)
    stand = stands(actor, seen)
    if seen.open and not stand.ask:
        raise Http404
    already = {account for account, _ in stand.asked}
    chosen = [each for each, *_ in stand.approvers if str(each) in request.POST.getlist("who") and each not in already]
    if not chosen:
        return shown(request, actor, seen, faults={"who": "Choose at least one person to ask."}, act="ask")
    try:
        n = _with(actor, seen, lambda found: changes.assign(raw(), actor.secret, found, chosen))
    except Refused as refused:
        return shown(request, actor, seen, faults={"": refused.sentence})
    telling.asked(actor, seen, chosen)
    messages.success(request, f"{n} {'person is' if n == 1 else 'people are'} asked, and told by mail.", "pending")
    return _back(seen)


def _with[T](actor: Actor, seen: Seen, work: Callable[[Change], T]) -> T:
    """The governed function, where the change is; afterwards the page sees what it saw before."""
    with looking(actor, seen.tenant):
        return work(changes.find(raw(), seen.id, (seen.tenant,)))


def _said(actor: Actor, seen: Seen) -> bool:
    """Whoever had a part in it is told why theirs is refused; to anybody else there is no such form."""
    return actor.human_id in seen.authors or actor.human_id in {human for human, _ in seen.approvals}


def _sentence(refused: Refused, seen: Seen) -> str:
    if "no longer open" in refused.sentence or "no such open change" in refused.sentence:
        return f"Nothing was done: this change is {seen.word if not seen.open else 'decided'} already."
    return refused.sentence


def _back(seen: Seen) -> HttpResponse:
    return HttpResponseRedirect(f"/changes/{seen.id}")
