"""Audits: the populations that the database lists, member by member, and the receipts of the messages that are drawn.

A member is an id and a time; no address, and of a suppression not even its index: the hash of it is its id.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from troth.control.audit.scope import Connection
from troth.control.audits.ledgers import NoLedger
from troth.control.audits.period import CannotBundle, Period
from troth.control.audits.seeing import seeing
from troth.control.ledger import receipts
from troth.control.ledger.receipts import Means, NoReceipt, Wanted
from troth.keys.errors import Undecryptable
from troth.ledger.leaf import microseconds
from troth.rules.receipts import Altered, Rights

MOST = 100_000  # members of one population
_RIGHTS = Rights(content=False, house=True)  # an auditor reads what happened, never to whom
_MESSAGES = """
SELECT id, created_at FROM troth.message
WHERE tenant_id = %(tenant)s AND id >= troth.uuid7_floor(%(begins)s) AND id < troth.uuid7_floor(%(ends)s)
  AND created_at >= %(begins)s AND created_at < %(ends)s ORDER BY id LIMIT %(most)s
"""
_ONE = "SELECT FROM troth.message WHERE tenant_id = %s AND id = %s"
_MOVING = """
SELECT max(at) > troth.now_v1() - interval '1 minute' FROM troth.event WHERE tenant_id = %s AND message_id = %s
"""
_SUPPRESSIONS = """
SELECT blind_index, reason, source, created_at FROM troth.suppression
WHERE tenant_id IS NOT DISTINCT FROM %(tenant)s AND created_at >= %(begins)s AND created_at < %(ends)s LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True, order=True)
class Member:
    id: str
    at: int
    tenant: UUID | None = None


def messages(connection: Connection, clients: Iterable[UUID], period: Period) -> list[Member]:
    """By id."""
    found: list[Member] = []
    for client in clients:
        found += [Member(str(each), microseconds(at), client)
                  for each, at in _read(connection, _MESSAGES, client, period)]  # fmt: skip
    return _bounded("messages", found)


def suppressions(connection: Connection, clients: Iterable[UUID], period: Period) -> list[Member]:
    """Those that came from these clients, and the operator's own; by id."""
    found: list[Member] = []
    for client in (None, *clients):
        found += [Member(_hidden(bytes(index), reason, source), microseconds(at), client)
                  for index, reason, source, at in _read(connection, _SUPPRESSIONS, client, period)]  # fmt: skip
    return _bounded("suppressions", found)


def _hidden(index: bytes, reason: int, source: str) -> str:
    return sha256(b"troth.suppression.v1\x00" + index + bytes((reason,)) + source.encode()).hexdigest()


def _read(connection: Connection, query: str, client: UUID | None, period: Period) -> list[tuple[Any, ...]]:
    with seeing(connection, client):
        asked = {"tenant": client, "begins": period.begins, "ends": period.ends, "most": MOST + 1}
        return connection.execute(query, asked).fetchall()


def _bounded(name: str, found: list[Member]) -> list[Member]:
    if len(found) > MOST:
        raise CannotBundle(f"The period has more than {MOST:,} {name}: ask for a shorter one.")
    return sorted(found)


def has(connection: Connection, client: UUID, message: UUID) -> bool:
    """Whether it is a message of this client."""
    with seeing(connection, client):
        found = connection.execute(_ONE, (client, message)).fetchone()
    return found is not None


def receipt(connection: Connection, member: Member, means: Means) -> bytes:
    """Of one message. Raise NoLedger (temporary) while its newest event waits for its seal; CannotBundle where there is
    none, which is itself something to look at.
    """
    if member.tenant is None:
        raise CannotBundle(f"The message {member.id} is no client’s.")
    try:
        with seeing(connection, member.tenant):
            return receipts.file(connection, Wanted(member.tenant, message=UUID(member.id)), means, _RIGHTS)
    except NoReceipt as wrong:
        if wrong.temporary and _moving(connection, member):
            raise NoLedger(
                f"The message {member.id} was drawn, and something happens to it just now. {wrong}"
            ) from None
        said = "an event of it was never sealed, or was altered" if wrong.temporary else str(wrong)
        raise CannotBundle(f"The message {member.id} was drawn, and has no receipt: {said}") from None
    except (Altered, Undecryptable) as wrong:
        raise CannotBundle(f"The message {member.id} was drawn, and what is kept of it was altered: {wrong}") from None


def _moving(connection: Connection, member: Member) -> bool:
    """Something happened to it within the last minute; what did before was sealed long ago, or is not as it was."""
    with seeing(connection, member.tenant):
        found = connection.execute(_MOVING, (member.tenant, member.id)).fetchone()
    return bool(found and found[0])
