"""A template is tried in a child: what kills it is an answer, and nothing of ours dies with it."""

import pytest

from troth.mail.building import Source
from troth.mail.trying import Try, attempt
from troth.outside import template_child
from troth.outside.render_child import RenderChildError
from troth.outside.template_child import try_in_child

ASKED = Try("x", Source("html", "<style>p{top:0}</style><p>{{ name }}</p>"), {"name": {"type": "string"}})


def test_the_child_says_what_we_would():
    assert try_in_child(ASKED) == attempt(ASKED)


def test_a_child_that_dies_is_a_problem(monkeypatch):
    monkeypatch.setattr(template_child, "_LAUNCH", "import os; os.abort()")
    assert [one.code for one in try_in_child(ASKED).problems] == ["killed"]


def test_a_child_that_takes_too_long_is_a_problem(monkeypatch):
    monkeypatch.setattr(template_child, "_LAUNCH", "import time; time.sleep(30)")
    monkeypatch.setattr(template_child, "WALL", 0.2)
    assert [one.code for one in try_in_child(ASKED).problems] == ["killed"]


def test_a_child_without_the_package_is_our_fault(monkeypatch):
    monkeypatch.setattr(template_child, "_LAUNCH", "import troth.nowhere")
    with pytest.raises(RenderChildError):
        try_in_child(ASKED)
