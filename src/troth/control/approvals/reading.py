"""Four eyes, read for one change's page: what is proposed, what it would replace, who said what, and each step's entry
of the ledger.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404

from troth.control.approvals import names
from troth.control.approvals.wording import SHAPES, STATES, called, kind, titled
from troth.control.audit.asking import row, rows
from troth.control.audit.refusals import Refused
from troth.control.people.actor import Actor, scoped
from troth.control.people.permissions import allowed

_ONE = """
SELECT c.id, c.kind, c.tenant_id, c.subject, c.code, c.artefact, c.digest, c.reason, c.proposer_account,
       c.proposer_human, c.proposed_at, c.expires_at,
       CASE WHEN c.state = 1 AND c.expires_at <= troth.now_v1() THEN 5 ELSE c.state END,
       c.decided_at, c.decider_human, c.decision_note, c.draft_id, troth.approvers_wanted(c.tenant_id), troth.now_v1()
FROM troth.change c WHERE c.id = %s AND c.tenant_id IS NOT DISTINCT FROM %s
"""
_BEFORE = """
SELECT s.artefact, s.version FROM troth.snapshot s
WHERE s.kind = %s AND s.subject = %s AND s.change_id <> %s AND s.approved_at <= coalesce(%s::timestamptz, 'infinity')
ORDER BY s.version DESC LIMIT 1
"""
_APPROVALS = """
SELECT y.human_id, y.account_id, y.at FROM troth.approval y WHERE y.change_id = %s ORDER BY y.at LIMIT 20
"""
_COMMENTS = "SELECT id, human_id, words, at FROM troth.change_comment WHERE change_id = %s ORDER BY at DESC LIMIT 100"
_ASKED = """
SELECT n.account_id, n.assigned_by, n.at FROM troth.change_assignee n WHERE n.change_id = %s ORDER BY n.at LIMIT 100
"""
_ENTRIES = "SELECT kind, index, leaf FROM troth.change_entries_v1(%s)"
_WROTE = "SELECT human_id FROM troth.draft_author WHERE draft_id = %s LIMIT 100"
_APPROVERS = "SELECT account_id, name_ct, role FROM troth.approvers_v1(%s, %s)"


@dataclass(frozen=True, slots=True)
class Seen:
    """A change as its page shows it. `artefact` and `before` are documents; `version` is the one before, None for a new
    thing; `authors`: the humans who wrote on its draft, the proposer among them.
    """

    id: UUID
    kind: str
    tenant: UUID | None
    subject: UUID
    code: str
    artefact: dict[str, Any]
    digest: bytes
    reason: str
    proposer_account: UUID
    proposer_human: UUID
    proposed_at: datetime
    expires_at: datetime
    state: int
    decided_at: datetime | None
    decider_human: UUID | None
    note: str
    draft: UUID | None
    wanted: int
    now: datetime
    before: dict[str, Any] | None
    version: int | None
    authors: frozenset[UUID]
    people: dict[UUID, str]
    approvals: tuple[tuple[UUID, datetime], ...]

    @property
    def open(self) -> bool:
        return self.state == 1

    @property
    def house_alone(self) -> bool:
        """Whether none of the client's own people decides it, as the database's house_alone has it."""
        return self.kind == "import" and self.artefact.get("of") == "suppressions"

    @property
    def title(self) -> str:
        said = [self.artefact.get("name_ct" if self.kind == "grant" else "name"), self.artefact.get("role")]
        about = [*map(str, said), str(self.artefact.get("retired", False)).lower()] if said[0] else None
        known = called(self.kind, about, lambda sealed: names.sealed_in(self.subject, sealed))
        return titled(self.kind, self.code, self.version, known if self.kind in ("grant", "api-key") else "")

    @property
    def what(self) -> str:
        return kind(self.kind)

    @property
    def word(self) -> str:
        return STATES[self.state]

    @property
    def shape(self) -> str:
        return SHAPES[self.state]

    @property
    def given(self) -> int:
        return len(self.approvals)

    def name(self, human: UUID | None) -> str:
        return self.people.get(human, names.NOBODY) if human else names.NOBODY

    @property
    def proposer(self) -> str:
        return self.name(self.proposer_human)

    @property
    def decider(self) -> str:
        return self.name(self.decider_human)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened. `state`: the look's word; `entry`: its place in the ledger, None until it has one."""

    state: str
    said: str
    words: str
    at: datetime
    entry: int | None


def seat(actor: Actor, tenant: UUID | None) -> Actor:
    """The person as they stand to what is the house's own, whichever client they look at; to a client's, as ever."""
    return replace(actor, scope=None, profile="", named=False) if tenant is None and actor.staff else actor


@contextmanager
def looking(actor: Actor, tenant: UUID | None) -> Iterator[None]:
    """Row-level security shows that client's rows, or the house's; afterwards what it showed before."""
    scoped(tenant)
    try:
        yield
    except (Http404, Refused):
        scoped(actor.scope)
        raise
    scoped(actor.scope)  # after any other exception the transaction is over


def access_change(actor: Actor, change: UUID) -> Seen:
    """Raise Http404 for what is not there and for what is not for this person."""
    for tenant in dict.fromkeys((actor.scope, None) if actor.staff else (actor.tenant_id,)):
        if tenant is None and not actor.staff:
            break
        with looking(actor, tenant):
            found = row(_ONE, change, tenant)
            if found and allowed(seat(actor, tenant), "change:read"):
                return _seen(found)
    raise Http404


def _seen(found: tuple[Any, ...]) -> Seen:
    one, what, tenant, subject, code, artefact, digest, reason, account, *rest = found
    proposer, proposed, expires, state, decided, decider, note, draft, wanted, now = rest
    old, version = row(_BEFORE, what, subject, one, decided) or (None, None)
    authors = frozenset({proposer, *(human for (human,) in (rows(_WROTE, draft) if draft else []))})
    said = tuple((human, at) for human, _, at in rows(_APPROVALS, one))
    return Seen(
        id=one,
        kind=what,
        tenant=tenant,
        subject=subject,
        code=code,
        artefact=json.loads(artefact),
        digest=bytes(digest),
        reason=reason,
        proposer_account=account,
        proposer_human=proposer,
        proposed_at=proposed,
        expires_at=expires,
        state=state,
        decided_at=decided,
        decider_human=decider,
        note=note or "",
        draft=draft,
        wanted=wanted,
        now=now,
        before=json.loads(old) if old else None,
        version=version,
        authors=authors,
        people=names.of_humans({*authors, decider, *(human for human, _ in said)}),
        approvals=said,
    )


def approvers(actor: Actor, seen: Seen) -> list[tuple[UUID, str, str]]:
    """(account, name, role) of everybody who could say yes to it."""
    with looking(actor, seen.tenant):
        found = rows(_APPROVERS, seen.id, actor.secret)
    return [(account, names.opened(account, name_ct), role) for account, name_ct, role in found]


def asked(actor: Actor, seen: Seen) -> list[tuple[UUID, str]]:
    """Who was asked to look."""
    with looking(actor, seen.tenant):
        accounts = [account for account, *_ in rows(_ASKED, seen.id)]
        called = names.of_accounts(accounts)
    return [(account, called.get(account, names.NOBODY)) for account in accounts]


def steps(actor: Actor, seen: Seen) -> list[Step]:
    """What happened, the newest first."""
    with looking(actor, seen.tenant):
        entries = _Entries(str(seen.id))
        found = [*_said(seen, entries), *_comments(seen, entries), *_assigned(seen, entries)]
    return sorted(found, key=lambda each: each.at, reverse=True)


class _Entries:
    """The ledger's entries of one change, taken as its steps are told."""

    def __init__(self, change: str) -> None:
        self._left: list[tuple[str, int, dict[str, str]]] = [
            (kind.rpartition(":")[2], index, json.loads(leaf)) for kind, index, leaf in rows(_ENTRIES, change)
        ]

    def take(self, kinds: tuple[str, ...], **said: str) -> int | None:
        for each in self._left:
            if each[0] in kinds and all(each[2].get(name) == value for name, value in said.items()):
                self._left.remove(each)
                return each[1]
        return None


def _said(seen: Seen, entries: _Entries) -> Iterator[Step]:
    by = str(seen.proposer_human)
    yield Step("proposed", f"{seen.proposer} proposed it", "", seen.proposed_at, entries.take(("propose",), by=by))
    last = seen.given - 1 if seen.state == 2 else -1
    for n, (human, at) in enumerate(seen.approvals):
        live = " and put it in force" if n == last else f", {n + 1} of {seen.wanted}" if seen.open else ""
        entry = entries.take(("approve", "endorse"), by=str(human))
        yield Step("in force", f"{seen.name(human)} approved it{live}", "", at, entry)
    if seen.state in (3, 4) and seen.decided_at is not None:
        entry = entries.take(("reject", "withdraw"))
        yield Step(seen.shape, f"{seen.decider} {'rejected' if seen.state == 3 else 'withdrew'} it", seen.note,
                   seen.decided_at, entry)  # fmt: skip
    if seen.state == 5:
        yield Step(
            "expired", "Nobody decided it in time", "", seen.decided_at or seen.expires_at, entries.take(("expire",))
        )


def _comments(seen: Seen, entries: _Entries) -> Iterator[Step]:
    found = rows(_COMMENTS, seen.id)
    called = names.of_humans(human for _, human, *_ in found)
    for one, human, words, at in found:
        yield Step("none", called.get(human, names.NOBODY), words, at, entries.take(("comment",), comment=str(one)))


def _assigned(seen: Seen, entries: _Entries) -> Iterator[Step]:
    """Those who were asked in one act are one step."""
    acts: dict[tuple[UUID, datetime], list[UUID]] = {}
    for account, by, at in rows(_ASKED, seen.id):
        acts.setdefault((by, at), []).append(account)
    called = names.of_accounts({each for (by, _), accounts in acts.items() for each in (by, *accounts)})
    for (by, at), accounts in acts.items():
        told = " and ".join(called.get(each, names.NOBODY) for each in accounts)
        yield Step("pending", f"{called.get(by, names.NOBODY)} asked {told} to look", "", at, entries.take(("assign",)))
