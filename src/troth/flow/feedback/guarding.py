"""Feedback: what every page of a link has in common: a token that is not to be obeyed, and records that are away."""

from collections.abc import Awaitable, Callable

import psycopg
import structlog
from starlette.requests import Request
from starlette.responses import Response

from troth.flow.feedback import pages
from troth.flow.feedback.deps import Deps
from troth.flow.gate.accept import StoreAway
from troth.keys.errors import KmsUnavailable
from troth.mail.tokens import TokenError

_log = structlog.get_logger("troth.feedback")
_AWAY = (psycopg.Error, KmsUnavailable, StoreAway, TimeoutError)
GONE, _UNKNOWN = 410, 404


async def guarded(deps: Deps, request: Request, act: Callable[[Deps, Request], Awaitable[Response]]) -> Response:
    try:
        return await act(deps, request)
    except TokenError as error:
        return pages.not_obeyed(GONE if error.kind == "expired" else _UNKNOWN)
    except _AWAY as error:
        _log.warning("feedback.store_away", error=type(error).__name__)
        return pages.away()
