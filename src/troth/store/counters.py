"""The gate's counters, typed: reserved whole, or locked to be shared out; what is taken back. The SQL is gate.sql's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from troth.store.arrays import Integers, Smallints, Times, Uuids
from troth.store.connection import Connection, run, tuples
from troth.store.queries import load

_SQL = load("gate")


class Counter(Struct, frozen=True):
    """One fixed window of one limit; scope numbers are those of the table's comment."""

    tenant_id: UUID
    scope: int
    subject: UUID
    window_start: datetime
    cap: int

    @property
    def key(self) -> "CounterKey":
        return (self.tenant_id.int, self.scope, self.subject.int, self.window_start)


type CounterKey = tuple[int, int, int, datetime]  # ids as integers: a UUID hashes itself in Python, each time anew
type Amounts = Sequence[tuple[Counter, int]]


async def reserve(connection: Connection, amounts: Amounts) -> dict[CounterKey, int]:
    """Reserves each distinct counter's whole amount, or nothing of it; says what each is at afterwards."""
    found = _used(await tuples(connection, _SQL["rate_reserve"], counter_arrays(amounts)))
    beyond = {c.key for c, n in amounts if n > c.cap}  # locked in their order, and nothing reserved
    return {key: used for key, used in found.items() if key not in beyond} if beyond else found


async def lock_counters(connection: Connection, amounts: Amounts) -> dict[CounterKey, int]:
    """Locks the counters that could not take the whole; says what each has used."""
    return _used(await tuples(connection, _SQL["rate_lock"], counter_arrays(amounts)))


def _used(found: Sequence[tuple[Any, ...]]) -> dict[CounterKey, int]:
    return {(tenant.int, scope, subject.int, start): used for tenant, scope, subject, start, used in found}


def counter_arrays(amounts: Amounts) -> dict[str, Any]:
    """The parameters of the statements on counters."""
    counters = [c for c, _ in amounts]
    return {
        "tenants": Uuids(c.tenant_id for c in counters),
        "scopes": Smallints(c.scope for c in counters),
        "subjects": Uuids(c.subject for c in counters),
        "starts": Times(c.window_start for c in counters),
        "caps": Integers(c.cap for c in counters),
        "amounts": Integers(n for _, n in amounts),
    }


async def give_back(connection: Connection, amounts: Amounts) -> None:
    """Takes back what this transaction has reserved."""
    await adjust(connection, [(c, -n) for c, n in amounts])


async def adjust(connection: Connection, amounts: Amounts) -> None:
    """Adds to counters that this transaction has locked, or takes from them."""
    await run(connection, _SQL["rate_adjust"], counter_arrays(amounts))


async def free(connection: Connection, amounts: Amounts) -> None:
    """Takes back what earlier transactions reserved, of windows that have not begun."""
    await run(connection, _SQL["rate_free"], counter_arrays(amounts))
