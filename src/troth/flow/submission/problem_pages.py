"""Submission: GET /problems/{slug}, where a problem's `type` leads: what it means and what to do."""

from html import escape

from starlette.responses import HTMLResponse, Response

from troth.flow.submission.answers import SECURITY, json_answer
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.problem import Problem
from troth.rules.problems import PROBLEMS, ProblemType

SHEET = "page.css"  # no slug has a dot
_STYLE = """
:root{color-scheme:light dark;
--sans:-apple-system,"Segoe UI",Inter,"Noto Sans","Liberation Sans",sans-serif;
--serif:Charter,"Bitstream Charter","Charis SIL","Sitka Text",Cambria,Georgia,"Liberation Serif",serif;
--sheet:light-dark(#fdfefe,#11171d);--line:light-dark(#dde2e6,#242b32);--ink:light-dark(#121d2d,#e9edf0);
--ink-2:light-dark(#424e5c,#b0b9c0);--link:light-dark(#1d5296,#8ab8f2);--focus:light-dark(#0462d3,#70c6ff)}
*{box-sizing:border-box;margin:0}
html{text-size-adjust:none}
body{font:1rem/1.6 var(--sans);color:var(--ink);background:var(--sheet);overflow-wrap:anywhere}
main{max-width:42rem;margin-inline:auto;padding:clamp(2rem,8vh,4.5rem) clamp(1.125rem,4vw,2rem) 3rem;
display:grid;gap:1.5rem}
h1{font:500 clamp(1.75rem,1.2rem + 2.6vw,2.25rem)/1.15 var(--serif);letter-spacing:-.022em;text-wrap:balance}
p{text-wrap:pretty}
a{color:var(--link);text-underline-offset:.2em}
code{font-size:.9em}
dl{display:grid;grid-template-columns:max-content 1fr;border-top:1px solid var(--line)}
dt,dd{padding:.625rem 0;border-bottom:1px solid var(--line)}
dt{color:var(--ink-2);padding-inline-end:1.5rem}
ul{list-style:none;padding:0;border-top:1px solid var(--line)}
li{padding:.5rem 0;border-bottom:1px solid var(--line)}
li span{color:var(--ink-2)}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px;border-radius:4px}
"""
_POLICY = {"content-security-policy": f"{SECURITY['content-security-policy']}; style-src 'self'"}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="stylesheet" href="/problems/{sheet}"></head>
<body><main>
<h1>{title}</h1>
{content}</main></body></html>
"""


async def one(deps: Deps, call: Call) -> Response:
    """GET /problems/{slug}"""
    del deps  # a problem's page says the same everywhere
    slug = call.request.path_params["slug"]
    if slug == SHEET:
        return Response(_STYLE, media_type="text/css", headers={"cache-control": "public, max-age=3600"})
    found = PROBLEMS.get(slug)
    if found is None:
        raise Problem("not-found", "There is no such problem type; GET /problems lists them.")
    return _explained(found) if _wants_page(call) else json_answer(_entry(found))


async def every(deps: Deps, call: Call) -> Response:
    """GET /problems"""
    del deps
    found = sorted(PROBLEMS.values(), key=lambda p: (p.status, p.slug))
    if not _wants_page(call):
        return json_answer({"object": "list", "data": [_entry(p) for p in found]})
    lines = [f'<li><a href="{p.uri}">{p.slug}</a> <span>{p.status}</span><br>{escape(p.title)}</li>\n' for p in found]
    return _page("Problem types", f"<ul>\n{''.join(lines)}</ul>\n")


def _wants_page(call: Call) -> bool:
    return "text/html" in call.request.headers.get("accept", "")


def _entry(problem: ProblemType) -> dict[str, object]:
    return {
        "type": problem.uri, "code": problem.slug, "title": problem.title, "status": problem.status,
        "name": problem.name, "way_out": problem.way_out, "may_pass_later": problem.again,
    }  # fmt: skip


def _explained(problem: ProblemType) -> Response:
    again = "<p>The same request may pass later.</p>\n" if problem.again else ""
    named = (("Status", str(problem.status)), ("Code", problem.slug), ("Resend’s name", problem.name))
    terms = "".join(f"<dt>{term}</dt><dd><code>{told}</code></dd>\n" for term, told in named)
    return _page(
        problem.title,
        f"<p>{escape(problem.way_out)}</p>\n{again}<dl>\n{terms}</dl>\n"
        '<p><a href="/problems">All problem types</a></p>\n',
    )


def _page(title: str, content: str) -> Response:
    """`title` is text; `content` is HTML made above."""
    return HTMLResponse(_PAGE.format(title=escape(title), sheet=SHEET, content=content), headers=_POLICY)
