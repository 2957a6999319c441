"""Cases, typed: what the flow opens when something came back that a person must look at, and what it adds later.

A case of the same kind and key is opened once, however often it is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from troth.rules.cases import Clock
from troth.store.connection import Connection, tuples
from troth.store.queries import load

_SQL = load("cases")


@dataclass(frozen=True, slots=True)
class NewCase:
    """`kind`: of rules/cases.KINDS; `cause`: a word of a-z, 0-9 and -, why it is opened; `key`: what makes it this one.
    `title`: at most 200 characters; a client's people read an incident's, so it names nobody. `clocks`: those that
    rules/cases.py gives. `words`: of its first entry, sealed under the operator's keyset to
    keys/places.case_words(id); None: none.
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


async def open_case(connection: Connection, case: NewCase) -> UUID:
    """Its id: `case.id`, or that of the one that was there already, of which nothing changes."""
    params = {
        "id": case.id, "kind": case.kind, "cause": case.cause, "key": case.key, "title": case.title,
        "severity": case.severity, "tenant": case.tenant, "programme": case.programme, "message": case.message,
        "category": case.category, "template": case.template, "clocks": [clock.name for clock in case.clocks],
        "dues": [clock.due_at for clock in case.clocks], "words": case.words,
    }  # fmt: skip
    found: UUID = (await tuples(connection, _SQL["case_open"], params))[0][0]
    return found


async def note(
    connection: Connection, case: UUID, entry: UUID, kind: str, words: bytes | None = None, paper: bytes | None = None
) -> bool:
    """A further entry, no step: `kind` letter, report, feedback-report, form or recovered. `words` and `paper`: sealed
    to keys/places.case_words(entry) and case_paper(entry). False: this one was noted before, or the case keeps no more
    of them and counts it.
    """
    params = {"case": case, "id": entry, "kind": kind, "words": words, "paper": paper}
    new: bool = (await tuples(connection, _SQL["case_note"], params))[0][0]
    return new


async def duty(connection: Connection) -> int:
    """Clocks that are soon due or missed, and who is told; how much was done."""
    done: int = (await tuples(connection, _SQL["case_duty"], {}))[0][0]
    return done
