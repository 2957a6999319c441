"""A page is under its budget in every language, whatever happened in sixty days: a trust centre that had bad weeks, too."""

import random
import re

import pytest
from tests.control.centre.test_page import page

BUDGET = 100_000  # bytes, uncompressed, of everything that a page needs
REST = 11_500  # of them the style sheet and the icon
_TIMES = "SELECT DISTINCT claim, programme_id FROM claim_history"
_BROKE = """
INSERT INTO claim_history (claim, programme_id, state, was, evidence, checked_at)
SELECT %s, %s, 'fails', 'fails', '{}', now_v1() - make_interval(days => d, mins => 9) FROM unnest(%s::int[]) AS d
"""
_FAIL = "UPDATE claim_state SET state = 'fails', evidence = jsonb_build_object('why', ARRAY[%s], 'seen', evidence::jsonb -> 'seen')::text"


def weigh(site):
    return max(len(page(site, f"/trust/property?lang={lang}").text.encode()) for lang in ("en", "de", "es"))


@pytest.fixture
def rough(own):
    """A third of all days are broken, of each promise on other days."""
    site, chance = own[0], random.Random(7)
    with site.operator.database.filler() as connection:
        for claim, owner in connection.execute(_TIMES).fetchall():
            connection.execute(_BROKE, (claim, owner, sorted(chance.sample(range(60), 20))))
    return site


def test_sixty_rough_days_fit_and_each_promise_still_has_its_picture_on_its_own_page(rough):
    whole = page(rough, "/trust/property").text
    assert re.search(r"[1-4]\d of [4-6]\d days\. <a", whole)
    assert 'class="days"' not in whole
    assert 'class="broken"' in page(rough, "/trust/property/claims/SUP-3").text
    assert weigh(rough) + REST < BUDGET


def test_a_day_on_which_everything_fails_fits(rough):
    rough.operator.database.fill(
        _FAIL, "something that was promised is not so: " + "what was found is told at length, " * 9
    )
    assert weigh(rough) + REST < BUDGET
