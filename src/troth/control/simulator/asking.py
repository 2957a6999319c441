"""The simulator, asked from a page, and what it answered: by a draft, by a change, by its id."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from troth.control.audit.asking import row, rows
from troth.control.audit.refusals import refusals
from troth.control.audit.scope import Connection, within
from troth.control.simulator.candidate import Candidate
from troth.keys.ids import uuid7
from troth.ledger.canonical import canonical_document, digest

DAYS = 7
STATES = {1: "waiting", 2: "running", 3: "done", 4: "failed"}
_COLUMNS = """
s.id, s.level, s.code, s.days, s.asked_at, s.state, s.done, s.there, s.ended_at, s.why, r.result,
(SELECT c.id FROM troth.change c WHERE c.digest = s.digest AND c.tenant_id IS NOT DISTINCT FROM s.tenant_id
 ORDER BY c.proposed_at DESC LIMIT 1)
FROM troth.simulation s LEFT JOIN troth.simulation_result r ON r.simulation_id = s.id
"""
_ONE = f"SELECT {_COLUMNS} WHERE s.id = %s"
_OF = f"SELECT {_COLUMNS} WHERE s.digest = %s AND s.level = ANY(%s) ORDER BY s.asked_at DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Simulation:
    """One, as a page shows it. result: what running.simulate gave, without its cells; change: that proposes it."""

    id: UUID
    level: str
    code: str
    days: int
    asked_at: datetime
    state: str
    done: int
    there: int
    ended_at: datetime | None
    why: str | None
    result: dict[str, Any] | None
    change: UUID | None

    @property
    def moving(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def changed(self) -> int:
        """How many messages would have fared otherwise."""
        return sum(self.result["changes"].values()) if self.result else 0


def ask(
    connection: Connection, secret: bytes, candidate: Candidate, artefact: Any, code: str, days: int = DAYS
) -> UUID:
    """Ask for a simulation, over the request's own connection; which one answers. artefact: what a change holds."""
    text = canonical_document(artefact).decode()
    with refusals(), within(connection, candidate.tenant):
        now = connection.execute("SELECT troth.now_v1()").fetchone()
        assert now is not None
        found = connection.execute(
            "SELECT troth.simulation_ask_v1(%s, %s, %s, %s, %s, %s, %s, %s)",
            (uuid7(now[0]), candidate.tenant, candidate.level, code, candidate.programme, text, days, secret),
        ).fetchone()
    assert found is not None
    one: UUID = found[0]
    return one


def one_of(simulation: UUID) -> Simulation | None:
    """None for what is not there, and for what is another client's."""
    found = row(_ONE, simulation)
    return _made(found) if found else None


def newest_of(artefact: Any, levels: list[str]) -> Simulation | None:
    """The last one that tried exactly what a change would hold."""
    return newest(digest(artefact), levels)


def newest(what: bytes, levels: list[str]) -> Simulation | None:
    """The last one that tried the artefact of this digest."""
    found = rows(_OF, what, levels)
    return _made(found[0]) if found else None


def _made(found: tuple[Any, ...]) -> Simulation:
    values = list(found)
    values[5] = STATES[values[5]]
    values[10] = json.loads(values[10]) if values[10] else None
    return Simulation(*values)
