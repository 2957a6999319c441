"""The gate's writes where there is nothing to write: each statement takes empty columns."""

from troth.store import gate
from troth.store.connection import connect


async def test_nothing_to_write_writes_nothing(database):
    async with await connect(database.conninfo(), "test") as connection:
        await gate.give_back(connection, [])
        nothing = gate.Accepted(emails=[], messages=[], requests=[], adjusted=[], dropped_keys=[], events=[])
        await gate.write(connection, nothing, spooled=frozenset())
    assert database.run("SELECT count(*) FROM api_request") == [(0,)]
