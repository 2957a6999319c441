"""Connections that a door lends: none that broke or was left mid-way is lent again."""

import asyncio

import pytest

from troth.flow.submission import Connections
from troth.store.connection import connect


@pytest.fixture
async def connections(database):
    made = Connections(lambda name: connect(database.conninfo("troth_flow"), name), most=1)
    yield made
    await made.close()


async def borrow(connections, spoil=None):
    async with connections.lend() as connection:
        if spoil is not None:
            await spoil(connection)
        return connection


async def test_one_connection_serves_one_after_another(connections):
    first, second = await asyncio.gather(borrow(connections), borrow(connections))
    assert first is second


async def test_one_left_in_a_transaction_is_not_lent_again(connections):
    first = await borrow(connections, lambda c: c.execute("BEGIN"))
    assert first.closed
    assert await borrow(connections) is not first


async def test_one_closed_while_it_was_lent_or_lay_idle_is_not_lent_again(connections):
    first = await borrow(connections, lambda c: c.close())
    second = await borrow(connections)
    assert second is not first
    await second.close()
    assert await borrow(connections) is not second


async def test_a_borrowers_error_comes_through_and_the_connection_stays_good(connections):
    async def fail(connection):
        raise ValueError("mine")

    first = await borrow(connections)
    with pytest.raises(ValueError, match="mine"):
        await borrow(connections, fail)
    assert await borrow(connections) is first
