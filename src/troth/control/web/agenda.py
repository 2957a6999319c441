"""The first page's agenda: what waits for a person, the most urgent first, each with its clock and where to look."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.utils.text import Truncator

from troth.control.approvals.wording import titled
from troth.control.audit.asking import rows
from troth.control.calendar import shown
from troth.control.complaints import monthly
from troth.control.domains import house
from troth.control.evidence import listing as evidence
from troth.control.evidence import words as evidence_words
from troth.control.incidents import words as case_words
from troth.control.people.actor import Actor
from troth.control.people.permissions import allowed
from troth.control.reports import reviewing
from troth.control.web.menu import opens
from troth.keys import places

_MOST = 6  # of each sort
_STOPS = 60  # that are looked at, to tell those that are alike as one
_STOPPED = "SELECT tenant_id, effect, category FROM troth.stops_v1(%s)"
_LETTERS = """
SELECT desk IN ('postmaster', 'abuse', 'security', 'privacy') AS people, count(*), min(at) FROM inbound_letter
WHERE read_at IS NULL AND done_at IS NULL GROUP BY 1 ORDER BY 1 DESC
"""
_WORDS = {
    "slow": "Hourly limits are lower until a person has looked.",
    "stop-new": "New mail is refused; what was accepted goes on.",
    "stop-delivery": "Nothing is sent.",
}
_UNUSUAL = """
SELECT id, pause_id, tenant_name, action, sentence, review_due, looked_at
FROM troth.anomalies_v1('infinity', true, NULL, %s)
"""
_FAILING = "SELECT count(DISTINCT claim), min(claim), min(since) FROM troth.claim_state WHERE state = 'fails'"
_ACTIONS = {
    "slow": "Its hourly limits are lower",
    "stop-new": "Its new mail is held or refused",
    "stop-delivery": "Nothing of it is sent",
}
_CASES = "SELECT * FROM troth.cases_waiting_v1(%s, %s)"
_FIRST, _SOON, _DAY = timedelta(0), timedelta(hours=4), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Item:
    """`urgent` sorts, less is sooner; `span`, `after`, `note` and `at` make its clock. `client`: the one that `href` is
    to be looked at for.
    """

    state: str
    title: str
    text: str
    span: timedelta | None
    after: str
    note: str
    at: datetime | None
    href: str
    act: str
    urgent: timedelta
    client: UUID | None = None


def agenda(now: datetime, actor: Actor) -> list[Item]:
    """What this person may look at."""
    sorts = {
        "home:read": _pauses,
        "message:read": _held,
        "domain:read": _domains,
        "change:read": _changes,
        "service:read": _services,
        "abuse:read": _abuse,
        "letter:list": _letters,
        "claim:read": _promises,
    }
    found = [item for action, told in sorts.items() if opens(actor, action) for item in told(now)]
    if opens(actor, "template:read"):
        found += _flags(now, actor)
    if allowed(actor, "asking:act"):
        found += _asked(now, actor)
    if allowed(actor, "dmarc:review"):
        found += _dmarc(now)
    if allowed(actor, "complaint:review"):
        found += _complaints(now)
    if allowed(actor, "evidence:accept"):
        found += _evidence(now, actor)
    if allowed(actor, "evidence:submit"):
        found += _ending(now)
    if allowed(actor, "calendar:read"):
        found += _duties(now, actor)
    if opens(actor, "incident:read"):
        found += _cases(now, actor)
    return sorted(found, key=lambda item: item.urgent)


def _pauses(now: datetime) -> Iterator[Item]:
    unusual = list(_anomalies(now))
    known, seen = {pause for pause, _ in unusual}, set[tuple[UUID | None, str, str]]()
    found = [each for each in rows("SELECT * FROM troth.house_pauses_v1(%s)", _STOPS) if each[0] not in known]
    alike = Counter(each[1:4] for each in found)
    for _, tenant, name, effect, reason, started in found:
        what = tenant, name, effect
        if what in seen or len(seen) == _MOST:
            continue
        seen.add(what)
        title = f"{name or 'Everybody'}: sending is paused" if tenant else "Sending is paused for every client"
        more = alike[what] - 1
        also = f" {more} more such {'stop is' if more == 1 else 'stops are'} in force." if more else ""
        text = f"{_WORDS[effect]} “{_short(reason)}” A second person lets it go.{also}"
        yield Item("paused", title, text, now - started, "ago", "", started, "/stops", "See the stop", _FIRST)
    yield from (item for _, item in unusual)


def _anomalies(now: datetime) -> Iterator[tuple[UUID, Item]]:
    """What the watch stopped, by its pause; the clock is the review's until somebody has looked."""
    for one, pause, name, action, sentence, due, looked in rows(_UNUSUAL, _MOST):
        late = due <= now and looked is None
        span, after = (now - due, "late") if late else (due - now, "left")
        note = "looked at" if looked else "a person looks by"
        text = f"{_ACTIONS[action]}. {_short(sentence)} Two people let it go."
        at = looked or due
        clock = None if looked else span
        yield pause, Item("paused", f"{name}: unusual volume", text, clock, after, note, at, f"/anomalies/{one}",
                          "Look at it", _FIRST)  # fmt: skip


def _held(now: datetime) -> Iterator[Item]:
    for tenant, name, n, ends in rows("SELECT * FROM troth.house_held_v1(%s)", _MOST):
        title = f"{name}: {n:,} {'message is' if n == 1 else 'messages are'} held for review"
        text = "None is lost while its time runs. Letting one go takes two people."
        left = max(ends - now, timedelta(0))
        yield Item("held", title, text, left, "left", "the first ends", ends, "/messages?state=held", "See them", left,
                   client=tenant)  # fmt: skip


def _services(now: datetime) -> Iterator[Item]:
    for tenant, name, n, due in rows("SELECT * FROM troth.services_waiting_v1(%s)", _MOST):
        which = "notice or request is" if n == 1 else "notices and requests are"
        text = "What the law asks for, or its recipient, who may not be mailed: it reaches them another way."
        left, late = max(due - now, timedelta(0)), due <= now
        yield Item("failed" if late else "held", f"{name}: {n:,} {which} to be served otherwise", text, left,
                   "left", "late since" if late else "the first ends", due, "/services", "Serve them", left,
                   client=tenant)  # fmt: skip


def _abuse(now: datetime) -> Iterator[Item]:
    for tenant, name, n, since in rows("SELECT * FROM troth.abuse_waiting_v1(%s)", _MOST):
        title = f"{name}: {n:,} {'recipient reports' if n == 1 else 'recipients report'} abuse"
        yield Item("pending", title, "A person looks at each, and says what came of it.", now - since, "old", "since",
                   since, "/abuse", "Look at it", _SOON, client=tenant)  # fmt: skip


def _cases(now: datetime, actor: Actor) -> Iterator[Item]:
    """What is owed first of the cases that are this person's business."""
    for one, kind, reference, about, state, _, client, clock, due, _, news in rows(_CASES, actor.secret, _MOST):
        text = f"{case_words.KINDS[kind]}. {_short(f'{client}: {about}' if client else about)}"
        look = f"/incidents/{one}", "Look at it"
        if due is None:
            idle = "who reported it waits to be thanked" if state in ("resolved", "closed") else "a person closes it"
            title = f"{reference}: {'something came' if news else idle}"
            yield Item("held", title, text, now - news if news else None, "ago", "", news, *look, _SOON)
            continue
        title = f"{reference}: {case_words.CLOCKS[clock][1]}"
        if due <= now:
            yield Item("failed", title, text, now - due, "late", "was due", due, *look, _FIRST)
        else:
            yield Item("held", title, text, due - now, "left", "by", due, *look, due - now)


def _promises(now: datetime) -> Iterator[Item]:
    """Claims that a control found to fail, over all programmes."""
    ((n, first, since),) = rows(_FAILING)
    if n:
        title = f"{first} does not hold" if n == 1 else f"{n:,} promises do not hold"
        text = "What its control saw is on its page." if n == 1 else "What their controls saw is on their pages."
        href = f"/claims/{first}" if n == 1 else "/claims?state=fails"
        yield Item("failed", title, text, now - since, "long", "since", since, href, "Look at it", _FIRST)


def _letters(now: datetime) -> Iterator[Item]:
    """Letters that nobody has read: to people, and those that no desk could obey."""
    for people, n, since in rows(_LETTERS):
        what = "letter waits" if n == 1 else "letters wait"
        title = f"{n:,} {what} to be read" if people else f"{n:,} {what} that no desk could obey"
        text = "Somebody wrote to a person." if people else "Bounces and reports that prove nothing."
        yield Item("pending", title, text, now - since, "old", "since", since, "/letters", "Read them", _SOON)


def _asked(now: datetime, actor: Actor) -> Iterator[Item]:
    """What strangers asked of the trust centres, as one; what is due first gives the clock."""
    for n, due in rows("SELECT n, due FROM troth.asked_waiting_v1(%s)", actor.secret):
        what = "question or request from outside waits" if n == 1 else "questions and requests from outside wait"
        late, span = due <= now, abs(due - now)
        yield Item("failed" if late else "pending", f"{n:,} {what} for an answer", "Each was confirmed by mail.", span,
                   "late" if late else "left", "was due" if late else "by", due, "/desk/questions", "Answer them",
                   max(due - now, _FIRST))  # fmt: skip


def _flags(now: datetime, actor: Actor) -> Iterator[Item]:
    """Templates that were complained about and that nobody has reviewed."""
    stopped = {each[0] for each in rows(_STOPPED, _STOPS) if each[1] == "stop-delivery" and not each[2]}
    act = "Review it" if opens(actor, "template-flag:clear") else "See it"
    for tenant, client, subject, code, version, since, n in rows(
        "SELECT * FROM troth.template_flags_waiting_v1(%s)", _MOST
    ):
        sent = "It is not sent: a stop is in force." if {tenant, None} & stopped else "It is sent meanwhile."
        text = f"{n:,} {'recipient' if n == 1 else 'recipients'} complained about it. {sent}"
        yield Item("held", f"{client}: {code}, version {version}, waits for its review", text, now - since, "old",
                   "since", since, f"/templates/{subject}", act, _SOON, client=tenant)  # fmt: skip


def _dmarc(now: datetime) -> Iterator[Item]:
    for each in reviewing.standings(None):
        if each.due is None or each.due - now > _DAY:
            continue
        late, span = each.due <= now, abs(each.due - now)
        text = "What other servers told since the last one: a person looks at what is new, and signs."
        yield Item("failed" if late else "pending", f"Review of DMARC reports of {each.name}", text, span,
                   "late" if late else "left", "it was due" if late else "it is due", each.due,
                   f"/dmarc/review/{each.programme}", "Review them", max(each.due - now, _FIRST))  # fmt: skip


def _complaints(now: datetime) -> Iterator[Item]:
    for each in monthly.standings(None):
        if each.due is None or each.due - now > _DAY:
            continue
        late, span = each.due <= now, abs(each.due - now)
        text = "How many complained since the last one, about whom and what: a person looks, and signs."
        yield Item("failed" if late else "pending", f"Review of complaints of {each.name}", text, span,
                   "late" if late else "left", "it was due" if late else "it is due", each.due,
                   f"/complaints/review/{each.programme}", "Review them", max(each.due - now, _FIRST))  # fmt: skip


def _evidence(now: datetime, actor: Actor) -> Iterator[Item]:
    """What somebody else handed in: who brought it is not asked."""
    for each in evidence.waiting(_MOST):
        if each.submitted_human != actor.human_id:
            title, at = f"Evidence for {each.claim} waits for a second person", each.submitted_at
            text = f"{evidence_words.kind(each.kind)}: {_short(each.title)}. It counts once it is accepted."
            href = f"/evidence/{each.id}"
            yield Item("proposed", title, text, now - at, "old", "since", at, href, "Look at it", _SOON)


def _ending(now: datetime) -> Iterator[Item]:
    """What is over soon, or is over, and nothing newer replaces."""
    for each in evidence.ending(_MOST):
        ends = datetime.combine(each.valid_until + _DAY, time(), UTC)
        late, href = ends <= now, f"/evidence/new?claim={each.claim}&kind={each.kind}"
        title = f"{each.claim}: {evidence_words.kind(each.kind)}, evidence {'is over' if late else 'is over soon'}"
        text = f"{_short(each.title)}. The claim fails {'until' if late else 'then, unless'} newer is accepted."
        clock = ("ago", "it ended", ends) if late else ("left", "it ends", ends)
        yield Item("failed" if late else "pending", title, text, abs(ends - now), *clock, href, "Hand in newer",
                   max(ends - now, _FIRST))  # fmt: skip


def _duties(now: datetime, actor: Actor) -> Iterator[Item]:
    """What this person's role answers for, or an owner; the two reviews above tell of themselves."""
    every, _ = shown.found(actor)
    mine = [each for each in every if actor.role in (each.duty.owner, "owner") and each.duty.evidence_kind]
    for each in [one for one in mine if one.state in ("overdue", "soon")][:_MOST]:
        assert each.due_at is not None
        late, left = each.state == "overdue", abs(each.due_at - now)
        where = each.home.name if each.home else "the whole installation"
        text = (
            f"{each.duty.claim} promises it, for {where}. It is done once a second person has accepted what shows it."
        )
        yield Item("failed" if late else "pending", each.duty.title, text, left, "late" if late else "left",
                   "it was due" if late else "it is due", each.due_at, each.duty.record, "Record it",
                   max(each.due_at - now, _FIRST))  # fmt: skip


def _domains(now: datetime) -> Iterator[Item]:
    """Domains from which nothing leaves: those that did send say since when they do not."""
    found, n = house.domains(shut=True, most=_MOST)
    more = f" Of {n} such domains." if n > _MOST else ""
    for each in found:
        text = f"{each.client}: {_short(' '.join(each.problems)) or 'Its DNS was not looked at yet.'}{more}"
        at, stopped = each.broken_at or each.checked_at, each.broken_at is not None
        title = f"{each.name} stopped sending" if stopped else f"{each.name} cannot send yet"
        note = "" if stopped else "checked" if at else "not checked yet"
        ago = now - at if at else None
        yield Item("not ready", title, text, ago, "ago", note, at, f"/domains/{each.id}", "See the records", _SOON,
                   client=each.tenant)  # fmt: skip


def _changes(now: datetime) -> Iterator[Item]:
    operator = settings.TROTH_KEYS().operator
    for one, kind, code, tenant, reason, proposer, name_ct, proposed, expires, n, client in rows(
        "SELECT * FROM troth.house_changes_v2(%s)", _MOST
    ):
        who = operator.open(bytes(name_ct), places.account(proposer, "name")).decode()
        where = f"{who}, {tenant}" if tenant else who
        more = f" One of {n} such changes." if n > _MOST else ""
        title = f"{titled(kind, code, None).removesuffix(', new')} waits for a second person"
        yield Item("proposed", title, f"{where}: {_short(reason)}{more}", now - proposed, "old", "it ends", expires,
                   f"/changes/{one}", "Review it", expires - now, client=client)  # fmt: skip


def _short(text: str) -> str:
    return Truncator(text).chars(240)
