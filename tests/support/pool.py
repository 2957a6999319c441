"""What tests of the pool share: a route with short timeouts, a sink for the length of a test, waiting with a limit."""

import asyncio
import time

from tests.support.sink import Sink

from troth.flow.delivery.route import Route, Timeouts

TIMES = Timeouts(
    connect=2, greeting=2, ehlo=2, starttls=2, auth=2, mail=2, rcpt=2, data=2, eod=2, quit=0.3, idle=5, wait=2
)


def route(port, **options):
    return Route(**{"name": "r", "host": "127.0.0.1", "port": port, "tls": "none", "timeouts": TIMES} | options)


def verdict(answer):
    return answer.outcome, answer.phase, answer.code


async def until(condition, limit=3.0):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.01)


class Running:
    """A sink for the length of a test."""

    def __init__(self, **options):
        self.sink = Sink(options.pop("store", None), **options)

    async def __aenter__(self):
        self.port = await self.sink.start()
        return self

    async def __aexit__(self, *_):
        await self.sink.stop()
