"""The menu offers what somebody may open, and nothing else; lengths that run, copies and heads that sort say what they are."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest

from troth.control.people import permissions
from troth.control.web.menu import _ALL, menu
from troth.control.web.templatetags import look

ONE = UUID(int=1)


def somebody(role, *, staff=False, scope=ONE, profile="property"):
    return SimpleNamespace(role=role, tenant_id=None if staff else ONE, scope=scope, profile=profile, named=False)


def names(actor):
    return [item.name for group in menu(actor) for item in group.items]


def test_a_viewer_is_offered_no_page_of_keys_or_people():
    offered = names(somebody("viewer"))
    assert {"Today", "Messages", "Changes", "Templates", "Ledger"} <= set(offered)
    assert not {"API keys", "Webhooks", "People", "Access reviews", "Sign-on", "Records"} & set(offered)
    assert "People" not in [group.name for group in menu(somebody("viewer"))]


@pytest.mark.parametrize("role", permissions.OPERATOR_ROLES)
def test_staff_are_offered_a_clients_pages_before_they_choose_one(role):
    chosen, none = somebody(role, staff=True), somebody(role, staff=True, scope=None, profile="")
    assert set(names(chosen)) <= set(names(none))


def test_every_entry_asks_for_a_right_that_there_is_and_has_a_letter_of_its_own():
    items = [item for group in _ALL for item in group.items]
    assert {action for item in items for action in item.may} <= set(permissions.actions())
    assert len({item.letter for item in items}) == len(items)
    assert len({item.key for item in items}) == len(items)


def test_nobody_may_nothing():
    assert look.may(None, "home:read") is False
    assert look.may(somebody("viewer"), "home:read") is True


def test_a_length_that_runs_knows_its_moment():
    now = datetime(2026, 11, 22, 9, tzinfo=UTC)
    left, old = (look.ticking(timedelta(minutes=8), word, now) for word in ("left", "old"))
    assert 'data-at="2026-11-22T09:08:00+00:00"' in left
    assert 'data-at="2026-11-22T08:52:00+00:00"' in old
    assert ">8\N{NO-BREAK SPACE}min left<" in left
    assert look.ticking(None, "left", now) == ""


def test_a_copy_escapes_what_it_copies():
    found = look.copy('"><script>', "the text")
    assert "<script>" not in found
    assert 'aria-label="Copy the text"' in found


@pytest.mark.parametrize(
    ("now", "way", "leads"), [("used", "ascending", "/b"), ("-used", "descending", "/a"), ("code", "none", "/a")]
)
def test_a_head_sorts_the_other_way(now, way, leads):
    head = look.sorted_head("Used", "used", now, {"used": "/a", "-used": "/b"}, "n")
    assert re.findall(r'aria-sort="(\w+)" class="n"><a href="([^"]+)"', head) == [(way, leads)]
