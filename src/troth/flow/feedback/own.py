"""Feedback: a recipient's own page behind the signed link in each mail. GET and HEAD change nothing, whoever asks and
however often; a POST changes something only for the browser that was shown the form (proof.py).
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from troth.flow.feedback import held, own_acts, own_pages, own_proof_pages, pages, proving, receiving
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.guarding import GONE, guarded
from troth.flow.feedback.own_view import Told, View, message_of, view
from troth.flow.feedback.proof import FIELD, Browser, browser
from troth.flow.feedback.proving import Act
from troth.keys.installation import Purpose
from troth.mail.own_link import PATH
from troth.store import own
from troth.store.connection import Connection

_MOST = 65_536  # octets of a form: a report's words, percent-encoded
_SEE_OTHER = 303
_WRONG, _DEAD = 0, -1  # as own.erase and own.export answer
_TYPED = re.compile(rf"[0-9]{{{proving.DIGITS}}}")
_DONE = {
    "saved": "Saved.",
    "same": "Nothing was changed.",
    "anew": "Nothing was changed: a switch does more by now, or less, than you were shown. Look again, and press.",
    "reported": "Thank you. A person will look at it.",
    "stopped": "Thank you. A person will look at it, and what you ticked is not sent any more.",
}

type _Form = dict[str, list[str]]
type _Show = Callable[["_Visit"], Awaitable[Response]]
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
        return self.go(f"?{note}")

    def go(self, end: str) -> Response:
        return RedirectResponse(f"{self.home}{end}", _SEE_OTHER, {"cache-control": "no-store"})


def routes(deps: Deps) -> list[Route]:
    """`/r/{token}` and its acts."""
    paths: list[tuple[str, _Show | None, tuple[str, _Act]]] = [
        ("", _main, ("set", _set)),
        ("/report", _report, ("report", _reported)),
        ("/copy", None, ("copy", _copy)),
        ("/all", _all, ("all", _asked_all)),
        ("/erase", _erase, ("erase", _asked_erase)),
        ("/code", _code, ("code", _proven)),
    ]
    return [_route(deps, *path) for path in paths]


def _route(deps: Deps, path: str, show: _Show | None, act: tuple[str, _Act]) -> Route:
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
                shown = own_proof_pages.over(seen) if seen.over else await show(here)
                return who.remember(shown, secure=deps.secure)
            if given is None or not who.pressed(message, act[0], given.get(FIELD, [""])[0], _shown(given)):
                return own_pages.not_pressed(here.home)
            if seen.over and act[0] != "code":  # which says itself that it serves no more
                return here.back("same")
            return await act[1](here, given)

    async def endpoint(request: Request) -> Response:
        return await guarded(deps, request, visit)

    methods = ["POST"] if show is None else ["GET", "HEAD", "POST"]
    return Route(f"{PATH}{{token}}{path}", endpoint, methods=methods)


def _shown(given: _Form) -> list[str]:
    """The states that a form says it showed; believed once its proof is good."""
    return [*given.get("covers", []), *given.get("shown", [])]


async def _main(here: _Visit) -> Response:
    note = next((words for name, words in _DONE.items() if name in here.request.query_params), "")
    forms = {"set": here.form("set", here.seen.shown), "copy": here.form("copy")}
    return own_pages.main(here.seen, here.home, forms, note)


async def _set(here: _Visit, given: _Form) -> Response:
    if given["covers"] != [here.seen.scope]:
        return here.back("anew")
    wishes = own_acts.chosen(given.get("shown", []), given.get("on", []))
    changed = await own_acts.switch(here.deps, here.connection, here.seen, wishes, _peer(here))
    return here.back("saved" if changed else "same")


async def _report(here: _Visit) -> Response:
    if here.seen.row.reported_at is not None:
        return own_pages.reported(here.seen, here.home)
    return own_pages.report(here.seen, here.home, here.form("report"))


async def _reported(here: _Visit, given: _Form) -> Response:
    words = given.get("words", [""])[0].replace("\0", "").strip()
    told = Told(given.get("reason", [""])[0], words, frozenset(given.get("stop", [])))
    if fault := own_acts.fault(here.seen, told):
        return own_pages.report(here.seen, here.home, here.form("report"), fault, told)
    stopped = await own_acts.report(here.deps, here.connection, here.seen, told, _peer(here))
    return here.back("stopped" if stopped else "reported")


async def _all(here: _Visit) -> Response:
    return own_proof_pages.everything(here.seen, here.home, here.form("all"))


async def _asked_all(here: _Visit, given: _Form) -> Response:
    if given.get("sure") != ["yes"]:
        fault = "Tick the box first: the code goes to your mailbox."
        return own_proof_pages.everything(here.seen, here.home, here.form("all"), fault)
    return await _ask(here, Act.COPY)


async def _erase(here: _Visit) -> Response:
    return own_proof_pages.erase(here.seen, here.home, here.form("erase"))


async def _asked_erase(here: _Visit, given: _Form) -> Response:
    if given.get("sure") != ["yes"]:
        fault = "Tick the box first: an erasure cannot be undone."
        return own_proof_pages.erase(here.seen, here.home, here.form("erase"), fault)
    return await _ask(here, Act.ERASE)


async def _ask(here: _Visit, act: Act) -> Response:
    match await proving.ask(here.deps, here.connection, here.seen, act, here.who.nonce):
        case proving.Mailed(code):
            return here.go(f"/code?of={code}")
        case proving.Tasked(due):
            return own_proof_pages.tasked(here.seen, here.home, act, due)
        case proving.Later(often):
            return own_proof_pages.later(here.seen, here.home, often=often)


async def _code(here: _Visit) -> Response:
    return await _typing(here, here.request.query_params.get("of", ""))


async def _typing(here: _Visit, code: str, fault: str = "") -> Response:
    found = None if (id_ := _id(code)) is None else await own.code(here.connection, id_, here.message)
    if found is None:
        return own_proof_pages.dead(here.seen, here.home)
    if fault and found.act == Act.ERASE:  # where a copy is downloaded, the page stays, and a number would be stale
        fault += f" {_left(found.left)}"
    return own_proof_pages.typing(here.seen, here.home, (here.form("code", [code]), code, Act(found.act)), fault)


def _left(n: int) -> str:
    return f"You have {n} {'try' if n == 1 else 'tries'} left."


async def _proven(here: _Visit, given: _Form) -> Response:
    """The code that was typed, for what it was asked for."""
    code, typed = given["shown"][0], re.sub(r"[\s-]", "", given.get("code", [""])[0])
    id_ = _id(code)
    found = None if id_ is None else await own.code(here.connection, id_, here.message)
    if here.seen.over:
        return own_proof_pages.over(here.seen, GONE)
    if id_ is None or found is None:
        return own_proof_pages.dead(here.seen, here.home)
    if not _TYPED.fullmatch(typed):
        return await _typing(here, code, "A code is six digits, as in the email.")
    hash_ = proving.sealed(here.who.nonce, id_, typed)
    if found.act == Act.ERASE:
        done: Any = await own_acts.erase(here.connection, here.seen, id_, hash_)
    else:
        done = await own_acts.copy(here.connection, here.seen, id_, hash_)
    if done == _WRONG:
        return await _typing(here, code, "That was not the code.")
    if done == _DEAD:
        return own_proof_pages.dead(here.seen, here.home)
    return own_proof_pages.erased(here.seen) if found.act == Act.ERASE else _download(done, "held-about-me")


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _copy(here: _Visit, given: _Form) -> Response:
    del given
    return _download(await held.of_one(here.connection, here.seen), "this-message")


def _download(document: dict[str, Any], name: str) -> Response:
    return Response(
        msgspec.json.format(msgspec.json.encode(document)), 200,
        {"cache-control": "no-store", "x-content-type-options": "nosniff",
         "content-disposition": f'attachment; filename="{name}.json"'}, "application/json",
    )  # fmt: skip


def _peer(here: _Visit) -> str:
    return here.deps.peer(here.request)
