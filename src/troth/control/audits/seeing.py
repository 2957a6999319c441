"""Audits: whose rows a transaction sees, for a while; afterwards it sees again what it saw before."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from troth.control.audit.scope import Connection

_SEEN = "SELECT current_setting('troth.tenant', true)"
_SEE = "SELECT set_config('troth.tenant', %s, true)"


@contextmanager
def seeing(connection: Connection, tenant: UUID | None) -> Iterator[Connection]:
    """One client's rows and the house's, or the house's alone; in the transaction that is open, or one of its own."""
    with connection.transaction():
        row = connection.execute(_SEEN).fetchone()
        before = row[0] if row and row[0] else ""
        connection.execute(_SEE, (str(tenant) if tenant else "",))
        yield connection
        connection.execute(_SEE, (before,))
