"""The child that may die: bombs kill it and nobody else, and a proposal hears why."""

import os
import time

import pytest

from troth.mail.render import Rendered, RenderError, RenderLimits, TemplateSource
from troth.outside.render_child import RenderChildError, propose, render_in_child

LIMITS = RenderLimits()
SCHEMA = {"name": {"type": "string", "max_length": 50}, "note": {"type": "string", "required": False}}


def test_renders_as_the_worker_would():
    source = TemplateSource("Hi {{ name }}", "<p>{{ name }}</p>", None)
    assert render_in_child(source, {"name": "<Jo> é"}, LIMITS) == Rendered("Hi <Jo> é", "<p>&lt;Jo&gt; é</p>", None)


def test_errors_come_back():
    with pytest.raises(RenderError) as caught:
        render_in_child(TemplateSource("{{ x }}", None, "t"), {}, LIMITS)
    assert caught.value.kind == "undefined"


@pytest.mark.parametrize(
    "bomb",
    [
        "{% set x = 'aaaaaaaaaaaaaaaa' %}" + "{% set x = x ~ x %}" * 40 + "{{ x }}",
        "{% set x = 'aaaaaaaaaaaaaaaa' %}" + "{% set x = x + x %}" * 40 + "{{ x }}",
        "{% for a in name %}" * 8 + "{{ name }}" + "{% endfor %}" * 8,
        "{{ " + "(" * 100_000 + "1" + ")" * 100_000 + " }}",
        "{{ 'a' * 1000000000000 }}",
        "{{ [1] * 10000000000 }}",
    ],
)
def test_bombs_kill_only_the_child(bomb):
    start = time.monotonic()
    with pytest.raises(RenderError) as caught:
        render_in_child(TemplateSource("x", bomb, None), {"name": "y" * 60_000}, RenderLimits(fuel=2**60))
    assert caught.value.kind in ("killed", "syntax", "other", "limit")
    assert time.monotonic() - start < 15


def test_the_child_knows_no_secrets(monkeypatch):
    monkeypatch.setenv("TROTH_SECRET", "4711")
    from troth.outside import render_child

    assert "TROTH_SECRET" not in render_child._environment()
    assert os.environ["TROTH_SECRET"] == "4711"


def test_a_slow_child_is_stopped(monkeypatch):
    monkeypatch.setattr("troth.outside.render_child.WALL", 0.001)
    with pytest.raises(RenderError, match="too long"):
        render_in_child(TemplateSource("x", "y", None), {}, LIMITS)


def test_a_child_that_cannot_start_is_our_fault(monkeypatch):
    monkeypatch.setattr("troth.outside.render_child._LAUNCH", "import troth.nothing")
    with pytest.raises(RenderChildError, match="installed"):
        render_in_child(TemplateSource("x", "y", None), {}, LIMITS)
    monkeypatch.setattr("troth.outside.render_child._LAUNCH", "print('{}')")
    with pytest.raises(RenderChildError, match="no answer"):
        render_in_child(TemplateSource("x", "y", None), {}, LIMITS)


class TestPropose:
    GOOD = TemplateSource(
        "Hi {{ name }}", "<p>{{ name }}{% if note is defined %}{{ note }}{% endif %}</p>", "{{ name }}"
    )

    def test_good(self):
        assert propose(self.GOOD, SCHEMA, [{"name": "Jo"}, {"name": "Al", "note": "x"}]) == []

    def test_lint_speaks_first(self):
        problems = propose(TemplateSource("x", "{{ name ~ name }}", None), SCHEMA, [{"wrong": 1}])
        assert [(one.field, one.code) for one in problems] == [("html", "not_allowed")]

    def test_samples_must_fit(self):
        problems = propose(self.GOOD, SCHEMA, [{"name": "Jo"}, {"name": 1}])
        assert [(one.field, one.code) for one in problems] == [("samples.1.name", "type")]

    def test_an_optional_variable_must_be_guarded(self):
        problems = propose(TemplateSource("x", "{{ note }}", None), SCHEMA, [{"name": "Jo", "note": "x"}])
        assert [(one.field, one.code) for one in problems] == [("smallest", "undefined")]

    def test_the_largest_variables_must_fit(self):
        schema = {"many": {"type": "list", "max_items": 500, "items": {"type": "string", "max_length": 10}}}
        source = TemplateSource(
            "x",
            "{% for a in many %}{% for b in range(100) %}{% if a == 'y' %}{% endif %}{% endfor %}{% endfor %}",
            None,
        )
        assert [(one.field, one.code) for one in propose(source, schema, [])] == [("largest", "limit")]
