"""Before the river: everything that speaks against a template, and how it looks, in one go.

Its source is linted, built, linted again and rendered with its samples and the extremes of its schema; what was built
must say what the source says when it is filled in first and built then: so no loop or condition was lost on the way
(FACTS 32). Untrusted: run it in a child with limits (outside/template_child.py).
"""

import re
from typing import Any

import msgspec

from troth.mail.building import BuildError, Built, Source, build, composed, problem_at
from troth.mail.comparing import difference
from troth.mail.lint import lint
from troth.mail.problem import Problem
from troth.mail.render import Compiled, Rendered, RenderError, RenderLimits, TemplateSource
from troth.mail.samples import largest, smallest, typical
from troth.mail.schema import check_schema
from troth.mail.variables import check

_line_re = re.compile(r"Line ([0-9]+): ")
_LIMITS = RenderLimits()


class Try(msgspec.Struct, frozen=True):
    """`samples` empty: one is made from the schema. `extremes` False: a look while somebody types."""

    subject: str
    source: Source
    schema: dict[str, Any]
    samples: list[dict[str, Any]] = []
    extremes: bool = True


class Seen(msgspec.Struct, frozen=True):
    """`rendered`: one for each sample, None where it failed; `built` is None when the source makes nothing."""

    problems: list[Problem] = []
    built: Built | None = None
    rendered: list[Rendered | None] = []


def attempt(asked: Try) -> Seen:
    """Never raises for what the template does; what kills the process is for the child's parent to tell."""
    problems = check_schema(asked.schema) or _lint_source(asked)
    if problems:
        return Seen(problems)
    try:
        built = build(asked.source)
    except BuildError as wrong:
        return Seen(wrong.problems)
    problems = _lint_built(asked, built)
    if problems:
        return Seen(problems, built)
    return _rendered(asked, built)


def _lint_source(asked: Try) -> list[Problem]:
    source = asked.source
    if not source.body.strip():
        return [Problem("source", "missing", "Write what the mail says.")]
    try:
        whole, _ = composed(source)
    except BuildError as wrong:
        return wrong.problems
    html, text = (None, whole) if source.kind == "text" else (whole, source.text or None)
    found = lint(asked.subject, html, text, asked.schema)
    found += [_named(one, "preheader") for one in lint(source.preheader or "-", None, "-", asked.schema)]
    body = "text" if source.kind == "text" else "html"
    return [_placed(source, one) if one.field == body else one for one in found]


def _named(one: Problem, field: str) -> Problem:
    return Problem(field, one.code, one.hint)


def _placed(source: Source, one: Problem) -> Problem:
    """A problem of the whole document, at its line of the body or the layout."""
    found = _line_re.match(one.hint)
    if found is None:
        return _named(one, "source")
    return problem_at(source, one.code, int(found[1]), one.hint[found.end() :])


def _lint_built(asked: Try, built: Built) -> list[Problem]:
    found = lint(asked.subject, built.html, built.text, asked.schema)
    return [Problem("source", one.code, f"Of the finished {one.field}: {one.hint}") for one in found]


def _rendered(asked: Try, built: Built) -> Seen:
    samples = asked.samples or [typical(asked.schema)]
    problems: list[Problem] = []
    for number, sample in enumerate(samples):
        bad = check(sample, asked.schema)
        problems += [Problem(f"samples.{number}.{one.field}", one.code, one.hint) for one in bad]
    if problems:
        return Seen(problems, built)
    compiled = Compiled(TemplateSource(asked.subject, built.html, built.text))
    rendered = [_one(compiled, f"samples.{number}", sample, problems) for number, sample in enumerate(samples)]
    if asked.extremes:
        _one(compiled, "largest", largest(asked.schema), problems)
        _one(compiled, "smallest", smallest(asked.schema), problems)
    trials = [*samples, typical(asked.schema), smallest(asked.schema)] if asked.extremes else samples
    if not problems:
        problems += _survives(asked, compiled, trials)
    return Seen(problems, built, rendered)


def _one(compiled: Compiled, field: str, variables: dict[str, Any], problems: list[Problem]) -> Rendered | None:
    try:
        return compiled.render(variables, _LIMITS)
    except RenderError as error:
        problems.append(Problem(field, error.kind, error.hint))
        return None


def _survives(asked: Try, compiled: Compiled, trials: list[dict[str, Any]]) -> list[Problem]:
    """Filled in first and built then must say the same as built first and filled in then."""
    source = asked.source
    if source.kind == "text":
        return []
    first = Compiled(TemplateSource("-", composed(source)[0], None))
    for variables in trials:
        try:
            filled = first.render(variables, _LIMITS).html or ""
            before = build(Source(source.kind, re.sub(r"\{(?=[{%#])", "&#123;", filled))).html or ""
            after = compiled.render(variables, _LIMITS).html or ""
        except (RenderError, BuildError) as error:
            return [Problem("source", "changes", f"With other values this becomes something else: {error}")]
        found = difference(before, _without_line(after))
        if found is not None:
            where = f' after "{found}"' if found else " at its beginning"
            hint = (
                f"Rules or columns depend on how often a loop turns or what an if chooses{where}: styles are put in "
                "before values are known. Write the style into the element itself, or move the if."
            )
            return [Problem("source", "changes", hint)]
    return []


_hidden_line_re = re.compile(r'<div style="display:none;font-size:1px;line-height:1px;max-height:0;[^>]*>[^<]*</div>')


def _without_line(html: str) -> str:
    """Without our own preview line, which is put in after everything else."""
    return _hidden_line_re.sub("", html, count=1)
