"""Before the demo's river: templates that would eat a worker. Each is proposed, and refused in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from troth.cli.demo.staff import Desk
from troth.control.audit.refusals import Invalid

_SCHEMA = {
    "word": {"type": "string", "max_length": 40},
    "rows": {"type": "list", "max_items": 50, "items": {"type": "string", "max_length": 20}},
}
_BOMBS = {
    "doubling": "{% set a = word %}{% set a = a ~ a %}{% set a = a ~ a %}{{ a }}",
    "nested-replace": "{{ word|replace('e', 'eeeeeeeeee')|replace('e', 'eeeeeeeeee')|replace('e', 'eeeeeeeeee') }}",
    "huge-range": "{% for n in range(1000000000) %}{{ n }}{% endfor %}",
    "deep-nesting": "{% for a in rows %}" * 3 + "{{ a }}" + "{% endfor %}" * 3,
    "macro": "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code`: the problem's, empty when the template was taken; `sentence`: what its author is told."""

    id: str
    code: str
    sentence: str


def propose_all(desk: Desk, category: str) -> Iterator[Refusal]:
    """Each proposed as a template of the category."""
    for name, html in _BOMBS.items():
        try:
            desk.propose("template", f"bomb-{name}", _artefact(category, f"<p>{html}</p>"), "Looks useful")
        except Invalid as refused:
            first = refused.problems[0]
            yield Refusal(name, first.code, first.hint)
        else:
            yield Refusal(name, "", "It was taken.")


def propose_waiting(desk: Desk) -> None:
    """A good template, proposed by one person and approved by nobody."""
    desk.propose("template", "rfi-closed", _artefact("rfi", "<p>{{ word }}</p>"), "A note when a question is settled")


def _artefact(category: str, html: str) -> dict[str, Any]:
    return {"category": category, "subject": "Hello", "html": html, "text": None, "schema": _SCHEMA, "targeting": {}}
