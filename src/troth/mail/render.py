"""Delivery, composing: an approved template and its variables become a subject and bodies.

minijinja with autoescape for HTML, strict undefined, fuel, and everything off that lint does not list. It is no
sandbox by itself (its memory cannot be bounded): templates are linted first, then proved in a child process.

    RenderError(Exception)   kind: limit | undefined | syntax | other | killed; hint
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import minijinja

from troth.mail.template_filters import DEFAULTS, FILTERS, OURS, TESTS

# Everything minijinja 3.0 offers by itself; a test fails when a newer one offers more.
_ENGINE_FILTERS = (
    "abs attr batch bool capitalize chain count d default dictsort e escape first float format groupby indent int "
    "items join last length lines list lower map max min pprint reject rejectattr replace reverse round safe select "
    "selectattr slice sort split string sum title tojson trim unique upper urlencode zip pluralize filesizeformat "
    "wordwrap truncate striptags"
)
_ENGINE_TESTS = (
    "boolean divisibleby endingwith eq equalto escaped even false filter float ge greaterthan gt in integer iterable "
    "le lessthan lower lt mapping ne none number odd safe sameas sequence startingwith string test true undefined "
    "upper defined == != < <= > >="
)
_ENGINE_GLOBALS = "range dict debug namespace cycler joiner"

# The operators ==, in and the like are tests inside the engine under their own names, and must stay.
_KEPT_TESTS = TESTS.keys() | {"eq", "ne", "lt", "le", "gt", "ge", "in", "==", "!=", "<", "<=", ">", ">="}

_line_break_re = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class TemplateSource:
    subject: str
    html: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """fuel: engine steps a part; max_output_bytes: of all parts together."""

    fuel: int = 100_000
    max_output_bytes: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    html: str | None
    text: str | None


class RenderError(Exception):
    """Why a message cannot be rendered; never temporary: the same data will fail again."""

    def __init__(self, kind: str, hint: str) -> None:
        super().__init__(hint)
        self.kind = kind
        self.hint = hint


class Compiled:
    """A template ready to render, about 10 microseconds a time; safe to share between threads."""

    def __init__(self, source: TemplateSource) -> None:
        self._html = source.html is not None
        self._text = source.text is not None
        self._environment = _environment()
        for name, text in (("subject.txt", source.subject), ("body.html", source.html), ("body.txt", source.text)):
            if text is not None:
                _add(self._environment, name, text)

    def render(self, variables: dict[str, Any], limits: RenderLimits) -> Rendered:
        """Variables: plain JSON data that `check` has passed; raises RenderError."""
        environment = self._environment
        if environment.fuel != limits.fuel:
            environment.fuel = limits.fuel
        try:
            subject = environment.render_template("subject.txt", **variables)
            html = environment.render_template("body.html", **variables) if self._html else None
            text = environment.render_template("body.txt", **variables) if self._text else None
        except minijinja.TemplateError as error:
            raise _render_error(error) from error
        except (TypeError, ValueError, OverflowError) as error:
            # One of our own filters met a value of another kind; what it says may quote the value.
            raise RenderError("other", "A filter of the template does not work with these variables.") from error
        except BaseException as error:
            # A panic of the engine's Rust is no Exception; it must cost one message, not the worker.
            if type(error).__name__ != "PanicException":
                raise
            raise RenderError("other", "The template engine failed with these variables.") from error
        if html:
            # The engine escapes / as well, which protects nothing in text or quotes and hides links from scanners.
            html = html.replace("&#x2f;", "/")
        return _within(Rendered(subject, html, text), limits)


def compile(source: TemplateSource) -> Compiled:  # noqa: A001  # the word of the field; used as render.compile
    """Only for sources that lint has passed (the engine folds constants while it compiles); raises RenderError."""
    return Compiled(source)


@lru_cache(maxsize=1)
def _surplus() -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    kept = FILTERS.keys() | DEFAULTS
    return (
        tuple(name for name in _ENGINE_FILTERS.split() if name not in kept),
        tuple(name for name in _ENGINE_TESTS.split() if name not in _KEPT_TESTS),
        tuple(name for name in _ENGINE_GLOBALS.split() if name != "range"),
    )


def _environment() -> minijinja.Environment:
    environment = minijinja.Environment(
        undefined_behavior="strict",
        auto_escape_callback=lambda name: name.endswith(".html"),
        keep_trailing_newline=True,
        debug=False,
        pycompat=False,
    )
    filters, tests, names = _surplus()
    for name in filters:
        environment.remove_filter(name)
    for name in tests:
        environment.remove_test(name)
    for name in names:
        environment.remove_global(name)
    for name, function in OURS.items():
        environment.add_filter(name, function)
    return environment


def _add(environment: minijinja.Environment, name: str, text: str) -> None:
    try:
        environment.add_template(name, text)
    except minijinja.TemplateError as error:
        where = f" in line {error.line}" if error.line else ""
        raise RenderError("syntax", f"The template has an error{where}: {error.detail or error.message}.") from error


def _render_error(error: minijinja.TemplateError) -> RenderError:
    line = f" (line {error.line})" if error.line else ""
    if error.kind == "OutOfFuel":
        return RenderError("limit", "The template takes too many steps with these variables.")
    if error.kind == "UndefinedError":
        what = error.detail or "a value is missing"
        return RenderError("undefined", f"{what}{line}; give it, or test it with `is defined` or a default.")
    # The engine's detail may quote values, which belong to the recipient: it stays out of the sentence.
    return RenderError("other", f"The template fails with these variables{line}: {error.kind}.")


def _within(rendered: Rendered, limits: RenderLimits) -> Rendered:
    if _line_break_re.search(rendered.subject):
        raise RenderError("other", "The subject has a line break or control character after rendering.")
    if not rendered.subject.strip():
        raise RenderError("other", "The subject is empty after rendering.")
    size = len(rendered.subject.encode())
    size += len(rendered.html.encode()) if rendered.html else 0
    size += len(rendered.text.encode()) if rendered.text else 0
    if size > limits.max_output_bytes:
        raise RenderError("limit", f"The rendered message is over {limits.max_output_bytes} bytes.")
    return rendered
