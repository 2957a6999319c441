"""Submission, the HTTP door: its paths. Everything that sends enters here; what is right is asked of the gate.

In the shape of Resend's API (its own clients work), with RFC 9457 problems beside.
"""

import asyncio

from starlette.responses import Response
from starlette.routing import Route

from troth.flow.submission import (
    emails,
    problem_pages,
    reads,
    receipts,
    recipients,
    recipients_batch,
    recipients_reading,
)
from troth.flow.submission.answers import json_answer
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.endpoint import Endpoint, Handler
from troth.flow.submission.problem import Problem
from troth.store import gate as store

_HEALTH = 2.0  # seconds; who asks again and again must not wait behind himself


async def _health(deps: Deps, call: Call) -> Response:
    """GET /healthz: whether the store answers; without it nothing is accepted."""
    del call
    async with asyncio.timeout(_HEALTH), deps.lend() as connection:
        await store.now(connection)
    return json_answer({"status": "ok"})


async def _live(deps: Deps, call: Call) -> Response:
    """GET /livez: that the process answers at all."""
    del deps, call
    return json_answer({"status": "ok"})


async def _nowhere(deps: Deps, call: Call) -> Response:
    del deps
    raise Problem("not-found", f"There is nothing at {ascii(call.request.url.path[:200])[1:-1]}.")


_PATHS: dict[str, dict[str, Handler]] = {
    "/emails": {"POST": emails.send, "GET": reads.page},
    "/emails/batch": {"POST": emails.send_batch},
    "/emails/{id}": {"GET": reads.get, "PATCH": emails.reschedule},
    "/emails/{id}/cancel": {"POST": emails.cancel},
    "/emails/{id}/receipt": {"GET": receipts.get},
    "/recipients": {"POST": recipients.register, "GET": recipients_reading.page},
    "/recipients/batch": {"POST": recipients_batch.register_batch},
    "/recipients/{id}": {"GET": recipients_reading.read, "DELETE": recipients_reading.erase},
    "/healthz": {"GET": _health},
    "/livez": {"GET": _live},
    "/problems": {"GET": problem_pages.every},
    "/problems/{slug}": {"GET": problem_pages.one},
}


def routes(deps: Deps) -> list[Route]:
    """All paths of the door; each answers every method, so that 405 is a problem document too."""
    return [Route(path, Endpoint(deps, path, handlers)) for path, handlers in _PATHS.items()]


def nowhere(deps: Deps) -> Route:
    """What the composition puts last: a problem document for every other path."""
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return Route("/{path:path}", Endpoint(deps, "*", dict.fromkeys(methods, _nowhere)))
