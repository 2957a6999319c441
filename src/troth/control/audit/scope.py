"""The ground of control: a connection of role troth_control, and the tenant that each of its transactions is for.

Row-level security shows a transaction one tenant's rows and those of none; `troth.tenant` says which.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row

Connection = psycopg.Connection[Any]


def connect(conninfo: Mapping[str, Any], name: str) -> Connection:
    """Autocommit outside `within`; `name` shows in pg_stat_activity."""
    keywords = {"connect_timeout": 5, "application_name": f"troth {name}", **conninfo}
    connection = psycopg.connect(**keywords, autocommit=True, row_factory=tuple_row)
    connection.execute("SET search_path = troth")
    return connection


@contextmanager
def within(connection: Connection, tenant: UUID | None) -> Iterator[Connection]:
    """One transaction for one tenant; None: only what has no tenant is seen."""
    with connection.transaction():
        connection.execute("SELECT set_config('troth.tenant', %s, true)", (str(tenant) if tenant else "",))
        yield connection
