"""By when a report is answered: what the client's policy says, and of nobody's report the strictest promise of all."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from troth.rules.desks import Stack, policies, soonest, soonest_patch, soonest_update
from troth.rules.profile import load_profile

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday


def stack(profile, client=None, plan=None):
    promise = msgspec.json.encode(dict(load_profile(profile).document)).decode()
    return Stack(profile, plan, promise, None, json.dumps(client) if client else None)


def due(clocks):
    return {clock.name: clock.due_at - AT for clock in clocks}


def test_a_programmes_own_promise():
    found = policies([stack("property")])
    assert due(soonest("abuse", "letter", found, AT))["acknowledge"] == timedelta(hours=24)
    assert due(soonest("disclosure", "letter", found, AT))["acknowledge"] == timedelta(hours=48)


def test_what_nobody_can_place_has_the_earliest_of_all():
    found = policies([stack(name) for name in ("property", "construction", "retail")])
    together = due(soonest("abuse", "form", found, AT))
    for name in ("property", "construction", "retail"):
        for clock, span in due(soonest("abuse", "form", policies([stack(name)]), AT)).items():
            assert together[clock] <= span


def test_a_level_may_be_stricter_and_none_looser():
    stricter = policies([stack("property", {"cases": {"abuse_acknowledged": "2 h"}})])
    assert due(soonest("abuse", "form", stricter, AT))["acknowledge"] == timedelta(hours=2)
    assert policies([stack("property", {"cases": {"abuse_acknowledged": "200 h"}})]) == ()


@pytest.mark.parametrize(("severity", "hours"), [("critical", 72), ("high", 14 * 24)])
def test_the_patchs_clock_is_the_severitys(severity, hours):
    assert due(soonest_patch(severity, policies([stack("property")]), AT)) == {"patch": timedelta(hours=hours)}


def test_lesser_ones_have_none_and_nothing_rules_nothing():
    assert soonest_patch("low", policies([stack("property")]), AT) == ()
    assert soonest("abuse", "form", (), AT) == ()
    assert set(due(soonest_update(policies([stack("construction")]), AT))) <= {"update"}
