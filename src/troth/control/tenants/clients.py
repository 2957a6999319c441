"""Before anything is sent: programmes and their client firms, as an operator looks them up.

Row-level security hides each client's own rows; which clients there are is the installation's own record, so a code
leads to an id through what was approved.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection, within

_CLIENTS = """
SELECT g.code, g.subject, s.artefact FROM governed g JOIN snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'tenant' AND g.tenant_id IS NULL ORDER BY g.code
"""


@dataclass(frozen=True, slots=True)
class Client:
    """`artefact` is the approved one; its keyset is wrapped."""

    id: UUID
    code: str
    artefact: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.artefact["name"])


@dataclass(frozen=True, slots=True)
class Programme:
    id: UUID
    code: str
    name: str
    profile: str
    domain: str


def clients(connection: Connection) -> list[Client]:
    """Every client firm and system tenant, by code."""
    with refusals(), within(connection, None):
        rows = connection.execute(_CLIENTS).fetchall()
    return [Client(subject, code, json.loads(artefact)) for code, subject, artefact in rows]


def client(connection: Connection, code: str) -> Client:
    """Raise Refused when there is no client of this code."""
    found = {each.code: each for each in clients(connection)}
    if code not in found:
        there = ", ".join(found) or "none yet"
        raise Refused(f"There is no client {code!r}; there are: {there}.")
    return found[code]


def programmes(connection: Connection) -> list[Programme]:
    with refusals():
        rows = connection.execute("SELECT id, code, name, profile, domain FROM programme ORDER BY code").fetchall()
    return [Programme(*row) for row in rows]


def programme(connection: Connection, code: str) -> Programme:
    """Raise Refused when there is no programme of this code."""
    found = {each.code: each for each in programmes(connection)}
    if code not in found:
        raise Refused(f"There is no programme {code!r}; there are: {', '.join(found) or 'none yet'}.")
    return found[code]
