"""Cases, read for people: lists, one case, its clocks, its timeline and what is kept of it, as far as they see it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.incidents import words
from troth.control.people.actor import Actor
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.keys.ids import wire

PAGE = 50
MOST = 500  # entries of a timeline
_NOW = "SELECT troth.now_v1(), cell FROM troth.installation"
_LIST = "SELECT * FROM troth.cases_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_ONE = "SELECT * FROM troth.case_v1(%s, %s)"
_CLOCKS = "SELECT * FROM troth.case_clocks_v1(%s, %s)"
_ENTRIES = "SELECT * FROM troth.case_entries_v1(%s, %s, %s)"
_PAPERS = "SELECT * FROM troth.case_papers_v1(%s, %s)"
_PEOPLE = "SELECT * FROM troth.case_people_v1(%s, %s)"


# where a case is looked at: what its desk knows of it stands on a page of the desk's own (control/abuse)
_PAGES = {"incident": "/incidents/{}", "abuse": "/abuse/cases/{}", "disclosure": "/disclosures/{}"}


@dataclass(frozen=True, slots=True)
class Line:
    """A case in a list. `owner` "": nobody's; `clock` and `due_at`: what is owed first."""

    id: UUID
    kind: str
    cause: str
    reference: str
    title: str
    severity: str
    state: str
    tenant: UUID | None
    client: str
    opened_at: datetime
    owner: str
    outcome: str
    news_at: datetime | None
    clock: str
    due_at: datetime | None

    @property
    def href(self) -> str:
        """Where its steps and its papers are."""
        return f"/incidents/{self.id}"

    @property
    def page(self) -> str:
        return _PAGES[self.kind].format(self.id)

    @property
    def kind_word(self) -> str:
        return words.KINDS[self.kind]

    @property
    def look(self) -> tuple[str, str]:
        return words.STATES[self.state]

    @property
    def owed(self) -> str:
        return words.CLOCKS[self.clock][0] if self.clock else ""


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `acts` and `papers`: whether this person may, a second factor aside; `uncounted`: letters not kept."""

    id: UUID
    kind: str
    cause: str
    reference: str
    title: str
    severity: str
    state: str
    tenant: UUID | None
    client: str
    programme_id: UUID | None
    programme: str
    message: UUID | None
    message_ref: str
    category_id: UUID | None
    category: str
    template_id: UUID | None
    template: str
    opened_at: datetime
    owner_id: UUID | None
    owner: str
    outcome: str
    closed_at: datetime | None
    news_at: datetime | None
    uncounted: int
    acts: bool
    papers: bool

    @property
    def href(self) -> str:
        """Where its steps and its papers are."""
        return f"/incidents/{self.id}"

    @property
    def page(self) -> str:
        return _PAGES[self.kind].format(self.id)

    @property
    def kind_word(self) -> str:
        return words.KINDS[self.kind]

    @property
    def cause_word(self) -> str:
        return words.CAUSES.get(self.cause, self.cause.replace("-", " ").capitalize())

    @property
    def look(self) -> tuple[str, str]:
        return words.STATES[self.state]

    @property
    def outcome_word(self) -> str:
        return words.outcome(self.kind, self.outcome)

    @property
    def severity_word(self) -> str:
        return words.SEVERITIES.get(self.severity, "")


@dataclass(frozen=True, slots=True)
class ClockRow:
    """A clock as it stands. `left` is what is left, or how late it is or was; `why`: which days did not count."""

    name: str
    started_at: datetime
    due_at: datetime
    met_at: datetime | None
    void_at: datetime | None
    now: datetime = field(repr=False)
    why: str = ""

    @property
    def title(self) -> str:
        return words.CLOCKS[self.name][0]

    @property
    def asks(self) -> str:
        return words.CLOCKS[self.name][1]

    @property
    def missed(self) -> bool:
        return self.void_at is None and (self.met_at or self.now) > self.due_at

    @property
    def left(self) -> timedelta:
        return abs(self.due_at - (self.met_at or self.now))

    @property
    def look(self) -> tuple[str, str]:
        if self.void_at is not None:
            return "replaced", "Set aside"
        if self.met_at is not None:
            return ("fails", "Met late") if self.missed else ("holds", "Met in time")
        return ("fails", "Missed") if self.missed else ("pending", "Running")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `by` "": Troth itself; `said`: what somebody wrote, None if not for this person;
    `leaf`: its place in the ledger, None until it is sequenced.
    """

    id: UUID
    at: datetime
    by: str
    staff: bool
    kind: str
    value: str
    title: str
    said: str | None
    paper: bool
    leaf: int | None

    @property
    def look(self) -> str:
        return words.TONES.get(self.kind, "none")


@dataclass(frozen=True, slots=True)
class Paper:
    """An original, sealed; `size` in octets as it lies there."""

    id: UUID
    at: datetime
    kind: str
    size: int

    @property
    def title(self) -> str:
        return {"form": "Form", "mail": "Our mail", "feedback-report": "Feedback report"}.get(
            self.kind, self.kind.capitalize()
        )


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; `before`: the last one of the page before."""

    kind: str = ""
    state: str = "unclosed"
    mine: bool = False
    overdue: bool = False
    search: str = ""
    before: tuple[datetime, UUID] | None = None


def now() -> datetime:
    found = row(_NOW)
    assert found is not None
    at: datetime = found[0]
    return at


def listed(actor: Actor, filters: Filters, most: int = PAGE + 1) -> list[Line]:
    """The newest first; one more than a page shows that there are more."""
    at, identity = filters.before or (None, None)
    f = filters
    found = rows(_LIST, actor.secret, f.kind, f.state, f.mine, f.overdue, f.search, at, identity, most)
    return [_line(*each) for each in found]


def _line(
    id_: UUID, kind: str, cause: str, reference: str, title: str, severity: str, state: str, tenant: UUID | None,
    client: str | None, opened_at: datetime, owner: UUID | None, owner_ct: Any, outcome: str | None,
    news_at: datetime | None, clock: str | None, due_at: datetime | None,
) -> Line:  # fmt: skip
    return Line(id_, kind, cause, reference, title, severity, state, tenant, client or "", opened_at,
                name(owner, owner_ct), outcome or "", news_at, clock or "", due_at)  # fmt: skip


def name(account: UUID | None, sealed: Any) -> str:
    """Somebody's name; "" for nobody."""
    if account is None or sealed is None:
        return ""
    opened: bytes = settings.TROTH_KEYS().operator.open(bytes(sealed), places.account(account, "name"))
    return opened.decode()


def access_case(actor: Actor, case: UUID) -> Case:
    """Raise Http404 for what is not there, or not for this person."""
    found, cell = row(_ONE, actor.secret, case), row(_NOW)
    if found is None or cell is None:
        raise Http404
    (id_, kind, cause, reference, title, severity, state, tenant, client, programme_id, programme, message, category_id,
     category, template_id, template, opened_at, owner, owner_ct, outcome, closed_at, news_at, uncounted, acts,
     papers) = found  # fmt: skip
    ref = wire("msg", cell[1], message) if message else ""
    return Case(id_, kind, cause, reference, title, severity, state, tenant, client or "", programme_id,
                programme or "", message, ref, category_id, category or "", template_id, template or "", opened_at,
                owner, name(owner, owner_ct), outcome or "", closed_at, news_at, uncounted, acts, papers)  # fmt: skip


def clocks(actor: Actor, case: UUID) -> list[ClockRow]:
    """Each that runs or ran, in the order in which they began."""
    at = now()
    return [
        ClockRow(name, started, due, met, void, at)
        for name, _, started, due, met, void in rows(_CLOCKS, actor.secret, case)
    ]


def entries(actor: Actor, case: Case) -> list[Entry]:
    """The newest first, MOST at most."""
    found = []
    for id_, at, by, by_ct, staff, kind, value, other_ct, words_ct, paper, leaf in rows(
        _ENTRIES, actor.secret, case.id, MOST
    ):
        other = name(UUID(value), other_ct) if kind == "assign" and value else ""
        title = words.entry(kind, value, case.kind, other)
        found.append(Entry(id_, at, name(by, by_ct), staff, kind, value, title, _said(id_, words_ct), paper, leaf))
    return found


def _said(entry: UUID, sealed: Any) -> str | None:
    if sealed is None:
        return None
    try:
        opened: bytes = settings.TROTH_KEYS().operator.open(bytes(sealed), places.case_words(entry))
        return opened.decode(errors="replace")
    except Undecryptable:
        return "These words cannot be opened: what lies there is not what was written."


def papers(actor: Actor, case: UUID) -> list[Paper]:
    """Which there are; none for whoever may not open them."""
    return [Paper(*each) for each in rows(_PAPERS, actor.secret, case)]


def people(actor: Actor, case: UUID) -> Sequence[tuple[str, str]]:
    """Whom it may be given to: (account, name and role)."""
    found = rows(_PEOPLE, actor.secret, case)
    return [(str(account), f"{name(account, sealed)}, {role}") for account, sealed, role in found]
