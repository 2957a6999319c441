"""Cases for the tests: opened as the flow opens them, and steps taken by people with sessions of their own."""

import os
from datetime import timedelta
from uuid import UUID

from tests.control.access.cast import later, member, session
from tests.support.firm import Operator, now

from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR, TenantKeys

__all__ = ("later", "member", "session")

PREFIX = {"incident": "INC", "abuse": "ABU", "disclosure": "VDP"}
_OPEN = "SELECT case_open_v1(%s,%s,%s,%s,%s,%s,%s,NULL,NULL,NULL,NULL,%s,%s,%s)"


def opened(
    operator: Operator, kind="incident", tenant=None, clocks=(), key=None, cause="complaint", words=None
) -> UUID:
    """As the flow: `clocks` as (name, hours from now)."""
    made = uuid7(now())
    at = operator.admin.execute("SELECT now_v1()").fetchone()[0]
    sealed = seal(operator, words, made) if words else None
    return operator.database.open("troth_flow").execute(
        _OPEN,
        (made, kind, cause, key or os.urandom(8).hex(), f"A {cause} by mail", "", tenant, [name for name, _ in clocks],
         [at + timedelta(hours=hours) for _, hours in clocks], sealed),
    ).fetchone()[0]  # fmt: skip


def seal(operator: Operator, words: str, entry: UUID) -> bytes:
    return keys(operator).seal(words.encode(), places.case_words(entry))


def keys(operator: Operator) -> TenantKeys:
    """The operator's own keyset."""
    wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    return operator.keyring.tenant(OPERATOR, bytes(wrapped))


def step(operator: Operator, case: UUID, name: str, secret: bytes, value="", words=None, clocks=()) -> str:
    """As the pages: the state after it."""
    entry = uuid7(now())
    at = operator.admin.execute("SELECT now_v1()").fetchone()[0]
    sealed = seal(operator, words, entry) if words else None
    return operator.control.execute(
        "SELECT case_step_v1(%s,%s,%s,%s,%s,%s,%s,%s)",
        (case, name, value, entry, sealed, [name for name, _ in clocks],
         [at + timedelta(hours=hours) for _, hours in clocks], secret),
    ).fetchone()[0]  # fmt: skip


def note(operator: Operator, case: UUID, kind="letter", paper=None) -> bool:
    made = uuid7(now())
    sealed = keys(operator).seal(paper, places.case_paper(made)) if paper else None
    return (
        operator.database.open("troth_flow")
        .execute("SELECT case_note_v1(%s,%s,%s,NULL,%s)", (case, made, kind, sealed))
        .fetchone()[0]
    )


def clocks(operator: Operator, case: UUID) -> dict[str, tuple]:
    found = operator.admin.execute(
        "SELECT name || ' ' || round, met_at IS NOT NULL, void_at IS NOT NULL, due_at FROM case_clock WHERE case_id = %s",
        (case,),
    )
    return {name: (met, void, due) for name, met, void, due in found}


def kinds(operator: Operator, case: UUID) -> list[str]:
    return [
        k for (k,) in operator.admin.execute("SELECT kind FROM case_entry WHERE case_id = %s ORDER BY at, id", (case,))
    ]


def state(operator: Operator, case: UUID) -> str:
    return operator.admin.execute("SELECT state FROM case_file WHERE id = %s", (case,)).fetchone()[0]
