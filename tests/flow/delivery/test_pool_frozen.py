"""The pool of a process that stood still: the checks of a mark are good for 2 s, however the process spent them."""

import asyncio
import time

from tests.support.hostile import PIPELINED, TAKE, hostile
from tests.support.loops import on_both_loops

from troth.flow.delivery.pool import Pool
from troth.flow.delivery.route import Route
from troth.flow.delivery.smtp_types import Envelope


def envelope(key):
    content = b"Subject: x\r\n\r\nx\r\n"
    return Envelope(key, b"a@x.test", b"b@y.test", content, len(content))


@on_both_loops
async def test_a_frozen_process_begins_nothing_whose_time_is_over():
    async with hostile(*PIPELINED, *TAKE, "wait", "250 ok", *TAKE, "250 ok") as server:
        async with Pool(Route("test", "127.0.0.1", server.port, tls="none", max_connections=1)) as pool:
            first = asyncio.create_task(pool.send(envelope(1)))
            while not (server.heard and b".\r\n" in server.heard[0]):
                await asyncio.sleep(0.01)
            second = asyncio.create_task(pool.send(envelope(2), wait=0.1))
            await asyncio.sleep(0.01)
            server.go.set()
            time.sleep(0.4)  # the loop stands still: then the answer and the end of waiting are there together
            assert (await first).outcome == "accepted"
            assert (await second).outcome == "unsent"
