"""Run an async test under asyncio's own loop and under uvloop: both carry the connection in production."""

import asyncio
import functools
import inspect

import pytest
import uvloop


def on_both_loops(test):
    """Make an async test function a plain one that runs twice."""

    @functools.wraps(test)
    def run(loop_factory, **fixtures):
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(test(**fixtures))

    own = inspect.signature(test)
    extra = inspect.Parameter("loop_factory", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    run.__signature__ = own.replace(parameters=[extra, *own.parameters.values()])
    del run.__wrapped__
    loops = pytest.mark.parametrize(
        "loop_factory", [asyncio.SelectorEventLoop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
    )
    return loops(run)
