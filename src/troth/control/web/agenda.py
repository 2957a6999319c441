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
_WORDS = {"stop-new": "New mail is refused; what was accepted goes on.", "stop-delivery": "Nothing is sent."}
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
    sorts = {"home:read": _pauses, "message:read": _held, "domain:read": _domains, "change:read": _changes}
    found = [item for action, told in sorts.items() if opens(actor, action) for item in told(now)]
    return sorted(found, key=lambda item: item.urgent)


def _pauses(now: datetime) -> Iterator[Item]:
    for _, tenant, name, effect, reason, started in rows("SELECT * FROM troth.house_pauses_v1(%s)", _MOST):
        title = f"{name or 'Everybody'}: sending is paused" if tenant else "Sending is paused for every client"
        text = f"{_WORDS[effect]} “{_short(reason)}” A second person lets it go."
        yield Item("paused", title, text, now - started, "ago", "", started, "/stops", "See the stop", _FIRST)


def _held(now: datetime) -> Iterator[Item]:
    for tenant, name, n, ends in rows("SELECT * FROM troth.house_held_v1(%s)", _MOST):
        title = f"{name}: {n:,} {'message is' if n == 1 else 'messages are'} held for review"
        text = "None is lost while its time runs. Letting one go takes two people."
        left = max(ends - now, timedelta(0))
        yield Item("held", title, text, left, "left", "the first ends", ends, "/messages?state=held", "See them", left,
                   client=tenant)  # fmt: skip


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
