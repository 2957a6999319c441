"""Cases: how the pages open what a public form reports, and add to it; other cases the flow opens (store/cases.py)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from troth.control.audit.refusals import refusals
from troth.control.people.actor import raw
from troth.rules.cases import Clock

_OPEN = "SELECT troth.case_filed_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::text[], %s::timestamptz[], %s)"
_NOTE = "SELECT troth.case_note_v1(%s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class NewCase:
    """`kind`: of rules/cases.KINDS; `cause`: a word of a-z, 0-9 and -; `key`: what makes it this one, so that it is
    opened once. `title`: at most 200 characters; a client's people read an incident's, so it names nobody. `words`:
    of its first entry, sealed under the operator's keyset to keys/places.case_words(id).
    """

    id: UUID
    kind: str
    cause: str
    key: str
    title: str
    severity: str = ""
    tenant: UUID | None = None
    programme: UUID | None = None
    message: UUID | None = None
    category: UUID | None = None
    template: UUID | None = None
    clocks: Sequence[Clock] = ()
    words: bytes | None = None


def open_case(case: NewCase) -> UUID:
    """Its id: `case.id`, or that of the one of its key that was there already. Raise Refused."""
    clocks = [clock.name for clock in case.clocks], [clock.due_at for clock in case.clocks]
    what = case.id, case.kind, case.cause, case.key, case.title, case.severity
    about = case.tenant, case.programme, case.message, case.category, case.template
    with refusals(), raw().transaction():
        found = raw().execute(_OPEN, (*what, *about, *clocks, case.words)).fetchone()
    assert found is not None
    made: UUID = found[0]
    return made


def note(case: UUID, entry: UUID, kind: str, words: bytes | None = None, paper: bytes | None = None) -> bool:
    """A further entry, as store/cases.note; False: it was noted before. Raise Refused."""
    with refusals(), raw().transaction():
        found = raw().execute(_NOTE, (case, entry, kind, words, paper)).fetchone()
    assert found is not None
    new: bool = found[0]
    return new
