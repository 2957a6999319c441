"""How the river reaches PostgreSQL: prepared statements, binary rows as dataclasses, several statements in one trip."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg.rows import class_row, tuple_row

Connection = psycopg.AsyncConnection[Any]
Params = Mapping[str, Any]
Row = TypeVar("Row")

# What a caller may answer with "come again": the store is away, or another transaction was in the way.
Unavailable = (psycopg.OperationalError, psycopg.InterfaceError)


_DURABLE = b"""SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local')"""


async def connect(conninfo: Mapping[str, Any], name: str) -> Connection:
    """A connection whose statements are prepared at first use; `name` shows in pg_stat_activity."""
    keywords = {"connect_timeout": 5, "application_name": f"troth {name}", **conninfo}
    connection = await psycopg.AsyncConnection.connect(**keywords, autocommit=True)
    try:
        connection.prepare_threshold = 0
        connection.prepared_max = 200
        await connection.execute("SET search_path = troth")
        # A 2xx means that it is on disk, whatever the server's own default is.
        await connection.execute(_DURABLE)
    except BaseException:
        await connection.close()  # cancelled or refused half-way: nobody else would
        raise
    return connection


async def rows[Row](connection: Connection, query: bytes, params: Params, shape: type[Row]) -> list[Row]:
    """Runs one query; each row becomes a `shape`, whose fields are the query's columns."""
    async with connection.cursor(binary=True, row_factory=class_row(shape)) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchall()


async def tuples(connection: Connection, query: bytes, params: Params) -> list[tuple[Any, ...]]:
    """Runs one query whose rows need no name."""
    async with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchall()


async def run(connection: Connection, query: bytes, params: Params) -> int:
    """Runs one statement and says how many rows it touched."""
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(query, params)
        return cursor.rowcount


async def together(connection: Connection, asks: Sequence[tuple[bytes, Params, type[Any]]]) -> list[list[Any]]:
    """Several queries in one round trip; one list of rows for each, in order."""
    cursors = []
    async with connection.pipeline():
        for query, params, shape in asks:
            cursor = connection.cursor(binary=True, row_factory=class_row(shape))
            await cursor.execute(query, params)
            cursors.append(cursor)
        return [await cursor.fetchall() for cursor in cursors]


async def send_all(connection: Connection, writes: Sequence[tuple[bytes, Params]]) -> None:
    """Several statements whose rows do not matter, in one round trip."""
    async with connection.pipeline():
        for query, params in writes:
            cursor = connection.cursor(binary=True)
            await cursor.execute(query, params)


def columns(items: Sequence[Any], names: Sequence[str]) -> dict[str, list[Any]]:
    """Dataclass items turned into one list a column, which is how unnest() takes them."""
    return {name: [getattr(item, name) for item in items] for name in names}
