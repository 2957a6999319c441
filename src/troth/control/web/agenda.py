"""The first page's agenda: what waits for a person, the most urgent first, each with its clock and where to look."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.text import Truncator

from troth.control.approvals.wording import titled
from troth.control.audit.asking import rows
from troth.control.people.permissions import Asker
from troth.control.web.menu import opens
from troth.keys import places

_MOST = 6  # of each sort
_WORDS = {
    "slow": "Hourly limits are lower until a person has looked.",
    "stop-new": "New mail is refused; what was accepted goes on.",
    "stop-delivery": "Nothing is sent.",
}
_UNUSUAL = """
SELECT id, pause_id, tenant_name, action, sentence, review_due, looked_at
FROM troth.anomalies_v1('infinity', true, NULL, %s)
"""
_ACTIONS = {
    "slow": "Its hourly limits are lower",
    "stop-new": "Its new mail is held or refused",
    "stop-delivery": "Nothing of it is sent",
}
_FIRST, _SOON = timedelta(0), timedelta(hours=4)


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


def agenda(now: datetime, actor: Asker) -> list[Item]:
    """What this person may look at."""
    sorts = {
        "home:read": _pauses,
        "message:read": _held,
        "domain:read": _domains,
        "change:read": _changes,
        "service:read": _services,
        "abuse:read": _abuse,
    }
    found = [item for action, told in sorts.items() if opens(actor, action) for item in told(now)]
    return sorted(found, key=lambda item: item.urgent)


def _pauses(now: datetime) -> Iterator[Item]:
    unusual = list(_anomalies(now))
    for one, tenant, name, effect, reason, started in rows("SELECT * FROM troth.house_pauses_v1(%s)", _MOST):
        if one in {pause for pause, _ in unusual}:
            continue
        title = f"{name or 'Everybody'}: sending is paused" if tenant else "Sending is paused for every client"
        text = f"{_WORDS[effect]} “{_short(reason)}” A second person lets it go."
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


def _domains(now: datetime) -> Iterator[Item]:
    for _, client, tenant, name, checked, findings, n in rows("SELECT * FROM troth.house_domains_v1(%s)", _MOST):
        wrong = [each["sentence"] for each in _list(findings) if not each.get("ok", False)]
        text = f"{tenant}: {_short(' '.join(wrong)) or 'Its DNS was not looked at yet.'}"
        more = f" Of {n} such domains." if n > _MOST else ""
        ago = now - checked if checked else None
        yield Item("not ready", f"{name} cannot send yet", text + more, ago, "ago", "checked" if checked else
                   "not checked yet", checked, "/domains", "See the records", _SOON, client=client)  # fmt: skip


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


def _list(findings: Any) -> list[dict[str, Any]]:
    """Django leaves jsonb as text in a raw query."""
    return json.loads(findings) if isinstance(findings, str) else list(findings or ())
