"""Domains, for people: what DNS lists and reverse names say of the addresses and domains that mail leaves from."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.audit.asking import row, rows
from troth.control.people.actor import actor_of
from troth.control.people.guard import needs
from troth.outside.reputation import FRESH

_MOST = 500
# The newest look of each subject on each list that was looked at within the week, and since when it says the same.
_NEWEST = """
SELECT w.subject, w.list, l.at, l.state, l.said,
       (SELECT min(r.at) FROM troth.reputation_look r WHERE r.subject = w.subject AND r.list = w.list
        AND r.at > coalesce((SELECT max(o.at) FROM troth.reputation_look o WHERE o.subject = w.subject
                             AND o.list = w.list AND o.state <> l.state), '-infinity'))
FROM (SELECT DISTINCT subject, list FROM troth.reputation_look WHERE at > troth.now_v1() - interval '7 days'
      AND (%s::uuid IS NULL OR tenant_id IS NULL OR tenant_id = %s) LIMIT %s) AS w
CROSS JOIN LATERAL (SELECT at, state, said FROM troth.reputation_look r WHERE r.subject = w.subject AND r.list = w.list
                    ORDER BY r.at DESC LIMIT 1) AS l
ORDER BY l.state NOT IN ('listed', 'unconfirmed'), l.state IN ('clean', 'confirmed'), w.subject, w.list
"""
_WORDS = {
    "clean": "not listed", "listed": "listed", "confirmed": "confirmed", "unconfirmed": "not confirmed",
    "unusable": "cannot be believed", "silent": "no answer",
}  # fmt: skip
_TONES = {"clean": "holds", "confirmed": "holds", "listed": "fails", "unconfirmed": "fails", "unusable": "stale"}


@dataclass(frozen=True, slots=True)
class Look:
    """`word` is for people, `mark` the look's own word for its colour; `since`: when it first said so. `old`: it says
    nothing of now, by the rule of EML-5.
    """

    subject: str
    list: str
    at: datetime
    mark: str
    word: str
    said: str
    since: datetime
    old: bool


@needs("reputation:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /domains/reputation"""
    actor = actor_of(request)
    now = _now()
    looks = [
        Look(subject, name, at, _mark(state, old=now - at > FRESH), _WORDS[state], said, since, now - at > FRESH)
        for subject, name, at, state, said, since in rows(_NEWEST, actor.scope, actor.scope, _MOST)
    ]
    context = {"section": "domains", "looks": looks, "verdict": verdict(looks)}
    return render(request, "domains/reputation.html", context)


def verdict(looks: list[Look]) -> tuple[str, str]:
    """The badge: the look's word, and ours. Only fresh looks, at a list that can be believed, say that all is well."""
    if any(each.mark == "fails" for each in looks):
        return "fails", "Something is wrong"
    if any(each.old for each in looks):
        return "stale", "Not asked lately"
    believed = {each.subject for each in looks if each.word == _WORDS["clean"]}
    if {each.subject for each in looks} - believed:
        return "stale", "No list can be believed"
    return "holds", "Nothing is listed"


def _mark(state: str, *, old: bool) -> str:
    mark = _TONES.get(state, "not checked")
    return "stale" if old and mark == "holds" else mark


def _now() -> datetime:
    found = row("SELECT troth.now_v1()")
    assert found is not None
    at: datetime = found[0]
    return at
