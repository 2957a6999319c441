"""Feedback: a recipient's own page behind the signed link in each mail. GET and HEAD change nothing, whoever asks and
however often; a POST changes something only for the browser that was shown the form (proof.py).
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from troth.flow.feedback import own_acts, own_pages, pages, receiving
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.guarding import GONE, guarded
from troth.flow.feedback.own_view import Told, View, message_of, view
from troth.flow.feedback.proof import FIELD, Browser, browser
from troth.keys.installation import Purpose
from troth.mail.own_link import PATH
from troth.store.connection import Connection

_MOST = 65_536  # octets of a form: a report's words, percent-encoded
_SEE_OTHER = 303
_DONE = {
    "saved": "Saved.",
    "same": "Nothing was changed.",
    "anew": "Nothing was changed: a switch does more by now, or less, than you were shown. Look again, and press.",
    "reported": "Thank you. A person will look at it.",
    "stopped": "Thank you. A person will look at it, and what you ticked is not sent any more.",
}

type _Form = dict[str, list[str]]
type _Act = Callable[["_Visit", _Form], Awaitable[Response]]


class _Visit:
    """One request about one message, with its browser."""

    def __init__(self, deps: Deps, connection: Connection, request: Request, seen: View, who: Browser) -> None:
        self.deps, self.connection, self.request, self.seen, self.who = deps, connection, request, seen, who
        self.home = PATH + request.path_params["token"]
        self.message = seen.row.id

    def form(self, act: str, shown: Sequence[str] = ()) -> str:
        return self.who.form(self.message, act, shown)

    def back(self, note: str) -> Response:
        return RedirectResponse(f"{self.home}?{note}", _SEE_OTHER, {"cache-control": "no-store"})


def routes(deps: Deps) -> list[Route]:
    """`/r/{token}` and its acts."""
    paths: list[tuple[str, Callable[[_Visit], Response] | None, tuple[str, _Act]]] = [
        ("", _main, ("set", _set)),
        ("/report", _report, ("report", _reported)),
        ("/erase", _erase, ("erase", _erased)),
        ("/copy", None, ("copy", _copy)),
    ]
    return [_route(deps, *path) for path in paths]


def _route(deps: Deps, path: str, show: Callable[[_Visit], Response] | None, act: tuple[str, _Act]) -> Route:
    async def visit(deps: Deps, request: Request) -> Response:
        keys = deps.secrets.token_keys(Purpose.UNSUBSCRIBE)
        given = await receiving.form(request, _MOST) if request.method == "POST" else None
        async with deps.lend() as connection:
            message, now = await message_of(deps, connection, request.path_params["token"])
            seen = await view(deps, connection, message, now)
            if seen is None:
                return pages.not_obeyed(GONE)
            who = browser(keys, request, now)
            here = _Visit(deps, connection, request, seen, who)
            if request.method != "POST":
                assert show is not None
                return who.remember(show(here), secure=deps.secure)
            if given is None or not who.pressed(message, act[0], given.get(FIELD, [""])[0], _shown(given)):
                return own_pages.not_pressed(here.home)
            return await act[1](here, given)

    async def endpoint(request: Request) -> Response:
        return await guarded(deps, request, visit)

    methods = ["POST"] if show is None else ["GET", "HEAD", "POST"]
    return Route(f"{PATH}{{token}}{path}", endpoint, methods=methods)


def _shown(given: _Form) -> list[str]:
    """The states that a form says it showed; believed once its proof is good."""
    return [*given.get("covers", []), *given.get("shown", [])]


def _main(here: _Visit) -> Response:
    note = next((words for name, words in _DONE.items() if name in here.request.query_params), "")
    forms = {"set": here.form("set", here.seen.shown), "copy": here.form("copy")}
    return own_pages.main(here.seen, here.home, forms, note)


async def _set(here: _Visit, given: _Form) -> Response:
    if given["covers"] != [here.seen.scope]:
        return here.back("anew")
    wishes = own_acts.chosen(given.get("shown", []), given.get("on", []))
    changed = await own_acts.switch(here.deps, here.connection, here.seen, wishes, _peer(here))
    return here.back("saved" if changed else "same")


def _report(here: _Visit) -> Response:
    if here.seen.erased or here.seen.row.reported:
        return _main(here)
    return own_pages.report(here.seen, here.home, here.form("report"))


async def _reported(here: _Visit, given: _Form) -> Response:
    if here.seen.erased:
        return here.back("same")
    words = given.get("words", [""])[0].replace("\0", "").strip()
    told = Told(given.get("reason", [""])[0], words, frozenset(given.get("stop", [])))
    if fault := own_acts.fault(here.seen, told):
        return own_pages.report(here.seen, here.home, here.form("report"), fault, told)
    stopped = await own_acts.report(here.deps, here.connection, here.seen, told, _peer(here))
    return here.back("stopped" if stopped else "reported")


def _erase(here: _Visit) -> Response:
    return _main(here) if here.seen.erased else own_pages.erase(here.seen, here.home, here.form("erase"))


async def _erased(here: _Visit, given: _Form) -> Response:
    if given.get("sure") != ["yes"]:
        fault = "Tick the box first: an erasure cannot be undone."
        return own_pages.erase(here.seen, here.home, here.form("erase"), fault)
    await own_acts.erase(here.connection, here.seen)
    return own_pages.erased(here.seen)


async def _copy(here: _Visit, given: _Form) -> Response:
    del given
    document = await own_acts.copy(here.connection, here.seen)
    return Response(
        msgspec.json.format(msgspec.json.encode(document)), 200,
        {"cache-control": "no-store", "x-content-type-options": "nosniff",
         "content-disposition": 'attachment; filename="held-about-me.json"'}, "application/json",
    )  # fmt: skip


def _peer(here: _Visit) -> str:
    return here.deps.peer(here.request)
