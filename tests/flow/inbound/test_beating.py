"""The server's sign of life, in a real database, and one that is away for a while."""

import asyncio
import contextlib

import psycopg

from troth.flow.inbound import beating


async def test_it_is_written_again_and_again_also_after_the_store_was_away(house, page, monkeypatch):
    monkeypatch.setattr(beating, "EVERY", 0.05)
    away = 2

    @contextlib.asynccontextmanager
    async def lend():
        nonlocal away
        away -= 1
        if away >= 0:
            raise psycopg.OperationalError("gone")
        async with house.lend() as connection:
            yield connection

    task = asyncio.create_task(beating.beat(lend, "Bounces.Example"))
    seen = set()
    async with asyncio.timeout(10):
        while len(seen) < 2:
            seen |= set(page.rows("SELECT domain, seen FROM inbound_beat"))
            await asyncio.sleep(0.01)
    task.cancel()
    assert {domain for domain, _ in seen} == {"bounces.example"}
    assert page.rows("SELECT count(*) FROM inbound_beat") == [(1,)]
