"""Submission: GET /problems/{slug}, where a problem's `type` leads: what it means and what to do."""

from html import escape

from starlette.responses import HTMLResponse, Response

from troth.flow.submission.answers import json_answer
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.problem import Problem
from troth.rules.problems import PROBLEMS, ProblemType

_HEAD = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title></head>\n<body><main>\n'
)
_FOOT = "</main></body></html>\n"


async def one(deps: Deps, call: Call) -> Response:
    """GET /problems/{slug}"""
    del deps  # a problem's page says the same everywhere
    found = PROBLEMS.get(call.request.path_params["slug"])
    if found is None:
        raise Problem("not-found", "There is no such problem type; GET /problems lists them.")
    return _page(found) if _wants_page(call) else json_answer(_entry(found))


async def every(deps: Deps, call: Call) -> Response:
    """GET /problems"""
    del deps
    found = sorted(PROBLEMS.values(), key=lambda p: (p.status, p.slug))
    if not _wants_page(call):
        return json_answer({"object": "list", "data": [_entry(p) for p in found]})
    lines = [f'<li><a href="{p.uri}">{p.slug}</a> ({p.status}): {escape(p.title)}</li>\n' for p in found]
    title = "Problem types"
    return HTMLResponse(f"{_HEAD.format(title=title)}<h1>{title}</h1>\n<ul>\n{''.join(lines)}</ul>\n{_FOOT}")


def _wants_page(call: Call) -> bool:
    return "text/html" in call.request.headers.get("accept", "")


def _entry(problem: ProblemType) -> dict[str, object]:
    return {
        "type": problem.uri, "code": problem.slug, "title": problem.title, "status": problem.status,
        "name": problem.name, "way_out": problem.way_out, "may_pass_later": problem.again,
    }  # fmt: skip


def _page(problem: ProblemType) -> Response:
    again = "<p>The same request may pass later.</p>\n" if problem.again else ""
    return HTMLResponse(
        f"{_HEAD.format(title=escape(problem.title))}<h1>{escape(problem.title)}</h1>\n"
        f"<p>{escape(problem.way_out)}</p>\n{again}"
        f"<p>Status {problem.status}, code <code>{problem.slug}</code>, name <code>{problem.name}</code>. "
        f'<a href="/problems">All problem types</a></p>\n{_FOOT}'
    )
