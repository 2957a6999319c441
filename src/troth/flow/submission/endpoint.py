"""Submission: one path of the door as an ASGI app; the one place where what goes wrong becomes an answer.

A refusal of a request whose key is known is on disk, in the request log, before it is answered. What the store cannot
do is 503; what we did wrong is 500, logged without a word of the request.
"""

import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import psycopg
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from troth.flow.gate.accept import StoreAway
from troth.flow.submission.answers import SECURITY, problem_answer
from troth.flow.submission.auth import identify
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.problem import Problem, store_unavailable
from troth.flow.submission.request_log import Note
from troth.keys.errors import KmsUnavailable
from troth.outside import meters

_log = structlog.get_logger("troth.door")
_AWAY = (StoreAway, psycopg.Error, KmsUnavailable, TimeoutError)
_SECURITY = tuple((name.encode(), value.encode()) for name, value in SECURITY.items())
_SECONDS = meters.histogram("troth_door_seconds")
_GONE = 499  # nobody is left to read it; the number is nginx's

Handler = Callable[[Deps, Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`route` is the path's pattern, as the request log names it."""

    deps: Deps
    route: str
    handlers: Mapping[str, Handler]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id, began = f"req_{secrets.token_hex(16)}", time.perf_counter()
        with self.deps.budget.room() as held:
            call = Call(Request(scope, receive), request_id, self.route, held)
            response = await self._respond(call)
        given = {name for name, _ in response.raw_headers}  # a page brings a policy of its own, for its style
        response.raw_headers.extend(header for header in _SECURITY if header[0] not in given)
        response.raw_headers.append((b"x-request-id", request_id.encode()))
        _SECONDS.observe(time.perf_counter() - began, (self.route, str(response.status_code)))
        await response(scope, receive, send)

    async def _respond(self, call: Call) -> Response:
        accept = call.request.headers.get("accept", "")
        try:
            return await self._handle(call)
        except Problem as problem:
            return problem_answer(await self._told(call, problem), call.request_id, accept)
        except ClientDisconnect:
            return Response(status_code=_GONE)

    async def _handle(self, call: Call) -> Response:
        method = call.request.method
        handler = self.handlers.get("GET" if method == "HEAD" else method)
        if handler is None:
            allowed = sorted({*self.handlers, *(["HEAD"] if "GET" in self.handlers else [])})
            raise Problem("method-not-allowed", f"Use {' or '.join(allowed)} here.", allow=allowed)
        try:
            return await handler(self.deps, call)
        except (Problem, ClientDisconnect):
            raise
        except Exception as error:  # noqa: BLE001 - the last line: whatever it is, the caller gets a problem document
            raise self._ours(call, error) from None

    def _ours(self, call: Call, error: Exception) -> Problem:
        if isinstance(error, _AWAY):
            _log.warning("door.store_away", error=type(error).__name__, request=call.request_id)
            return store_unavailable()
        # Frames, not the message: an exception's text may quote the request.
        where = [f"{f.name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
        _log.error("door.failed", error=type(error).__name__, where=where, request=call.request_id)
        return Problem("internal-error", f"Something broke on our side; the request's id is {call.request_id}.")

    async def _told(self, call: Call, problem: Problem) -> Problem:
        """The problem, or a weightier one: of the key, or of a store that could not log the refusal."""
        if problem.logged or call.key_hash is None or problem.type.status >= 500:
            return problem
        try:
            return await self._log_refusal(call, problem)
        except Exception as error:  # noqa: BLE001 - as above
            return self._ours(call, error)

    async def _log_refusal(self, call: Call, problem: Problem) -> Problem:
        try:
            await identify(self.deps, call)
        except Problem as of_key:
            problem = of_key
        if (known := call.known) is None:
            return problem
        note = Note(
            known.tenant_id, known.key_id, call.request.method, self.route, problem.type.status, problem.slug,
            call.email_id,
        )  # fmt: skip
        if call.request.method in ("GET", "HEAD"):
            self.deps.log.tell(note)
        else:
            await self.deps.log.write([note])
        return problem
