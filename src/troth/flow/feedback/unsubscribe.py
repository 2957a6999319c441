"""Feedback: the link of List-Unsubscribe. GET shows a page and changes nothing, since scanners follow links; POST opts
out at once (RFC 8058), whether a mailbox provider sends it or the page's button.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from troth.flow.feedback import own, pages, receiving
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.form import LIMIT, is_one_click
from troth.flow.feedback.guarding import GONE, guarded
from troth.flow.feedback.opt_out import carry_out, find
from troth.keys.consents import Said
from troth.store import own as store


def routes(deps: Deps) -> list[Route]:
    """`/u/{token}`, the recipient's own page and the pages' style sheet."""

    async def unsubscribe(request: Request) -> Response:
        act = _stop if request.method == "POST" else _show
        return await guarded(deps, request, act)

    async def style(request: Request) -> Response:
        del request
        return pages.style()

    return [
        Route("/u/{token}", unsubscribe, methods=["GET", "HEAD", "POST"]),
        *own.routes(deps),
        Route(pages.STYLE_PATH, style, methods=["GET", "HEAD"]),
    ]


async def _show(deps: Deps, request: Request) -> Response:
    async with deps.lend() as connection:
        letter = await find(deps, connection, request.path_params["token"])
        if letter is None:
            return pages.not_obeyed(GONE)
        if letter.message.data_key is None:
            return pages.erased()
        category = None if letter.scope == "all" else letter.message.category_id
        stopped = await store.stopped(connection, letter.message.tenant_id, letter.message.blind_index, category)
    if stopped is not None:
        return pages.stopped(letter.client, letter.category, letter.scope, stopped)
    return pages.ask(letter.client, letter.category, letter.scope)


async def _stop(deps: Deps, request: Request) -> Response:
    body = await receiving.body(request, LIMIT)
    if body is None or not is_one_click(request.headers.get("content-type", ""), body):
        return pages.not_understood()
    said = Said(pages.WORDING, "a POST to the link of List-Unsubscribe (RFC 8058)", deps.peer(request))
    async with deps.lend() as connection:
        letter = await find(deps, connection, request.path_params["token"])
        if letter is None:
            return pages.not_obeyed(GONE)
        await carry_out(deps, connection, letter, "one-click", said)
    if letter.message.data_key is None:
        return pages.erased()
    return pages.done(letter.client, letter.category, letter.scope)
