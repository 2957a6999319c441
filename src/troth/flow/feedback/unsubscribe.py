"""Feedback: the link of List-Unsubscribe. GET shows a page and changes nothing, since scanners follow links; POST opts
out at once (RFC 8058), whether a mailbox provider sends it or the page's button.
"""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from troth.flow.feedback import pages
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.form import LIMIT, is_one_click
from troth.flow.feedback.opt_out import carry_out, find
from troth.keys.errors import KmsUnavailable
from troth.mail.tokens import TokenError

_log = structlog.get_logger("troth.feedback")
_AWAY = (psycopg.Error, KmsUnavailable, TimeoutError)
_SECONDS = 20.0  # for the few octets of the form
_GONE, _UNKNOWN = 410, 404


def routes(deps: Deps) -> list[Route]:
    """`/u/{token}` and the pages' style sheet."""

    async def unsubscribe(request: Request) -> Response:
        act = _stop if request.method == "POST" else _show
        return await _guarded(deps, request, act)

    async def style(request: Request) -> Response:
        del request
        return pages.style()

    return [
        Route("/u/{token}", unsubscribe, methods=["GET", "HEAD", "POST"]),
        Route(pages.STYLE_PATH, style, methods=["GET", "HEAD"]),
    ]


async def _guarded(deps: Deps, request: Request, act: Callable[[Deps, Request], Awaitable[Response]]) -> Response:
    try:
        return await act(deps, request)
    except TokenError as error:
        return pages.not_obeyed(_GONE if error.kind == "expired" else _UNKNOWN)
    except _AWAY as error:
        _log.warning("feedback.store_away", error=type(error).__name__)
        return pages.away()


async def _show(deps: Deps, request: Request) -> Response:
    async with deps.lend() as connection:
        letter = await find(deps, connection, request.path_params["token"])
    if letter is None:
        return pages.not_obeyed(_GONE)
    return pages.ask(letter.client, letter.category, letter.scope)


async def _stop(deps: Deps, request: Request) -> Response:
    body = await _body(request)
    if body is None or not is_one_click(request.headers.get("content-type", ""), body):
        return pages.not_understood()
    async with deps.lend() as connection:
        letter = await find(deps, connection, request.path_params["token"])
        if letter is None:
            return pages.not_obeyed(_GONE)
        await carry_out(deps, connection, letter)
    return pages.done(letter.client, letter.category, letter.scope)


async def _body(request: Request) -> bytes | None:
    """The form's octets; None when there are too many or they come too slowly."""
    body = b""
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LIMIT:
                    return None
    except (TimeoutError, ClientDisconnect):
        return None
    return body
