"""FBL-3: a trend that hides complaints and a review that is not signed are seen; what is not due yet is said with its date."""

import dataclasses
from datetime import timedelta
from fractions import Fraction

import pytest
from tests.control.trust.complaint_reviews import TREND, review
from tests.control.trust.test_breaks import tried
from tests.control.trust.world import open_session

from troth.control.complaints import trend
from troth.control.trust import deliveries
from troth.keys import places
from troth.keys.keyring import OPERATOR
from troth.rules.profile import PROFILES, load_profile


def move(world, **by):
    world.sql("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(**by))


@pytest.fixture
def signed(world):
    """A review of each programme, by an owner who signs in for it; the world's own connections are closed."""
    operator = dataclasses.replace(world.operator, database=world.database)
    operator.control = world.database.open("troth_control")
    fresh = dataclasses.replace(world, operator=operator)
    keyset = world.sql("SELECT operator_keyset FROM installation")[0][0]
    keys = operator.keyring.tenant(OPERATOR, keyset)
    owner = world.sql("SELECT id FROM account WHERE tenant_id IS NULL AND role = 'owner' ORDER BY id LIMIT 1")[0][0]
    move(world, hours=1)
    session = open_session(fresh, owner, keys.seal(b"{}", places.access("detail")))
    for firm in world.firms.values():
        review(fresh, firm.programme, session)
    operator.control.close()
    return world


def test_a_review_in_time_holds(signed):
    assert signed.state("FBL-3") == "holds", signed.why("FBL-3")


def test_a_review_that_is_due_and_not_signed_fails(signed):
    move(signed, days=33)
    assert signed.state("FBL-3") == "fails"
    assert "is not signed" in signed.why("FBL-3")


def test_a_review_that_came_late_is_not_forgotten(signed):
    signed.quiet("UPDATE complaint_review SET from_at = from_at - interval '40 days'")
    assert signed.state("FBL-3") == "fails"
    assert "days after what it begins with" in signed.why("FBL-3")


def test_before_the_first_review_is_due_there_is_no_data(world):
    assert world.state("FBL-3") == "no data yet", world.why("FBL-3")
    assert "the first review is due" in world.why("FBL-3")
    move(world, days=33)
    assert world.state("FBL-3") == "fails"


def test_before_the_first_message_there_is_no_data(world):
    world.quiet("DELETE FROM event_tally")
    assert world.state("FBL-3") == "no data yet", world.why("FBL-3")
    assert "nothing was sent yet" in world.why("FBL-3")


def test_the_page_and_the_review_weigh_by_what_is_claimed(world):
    """The claim's numbers stand in three places; they are the same."""
    claimed, target, sample = world.sql("SELECT * FROM complaint_bounds()")[0]
    assert (float(claimed), float(target), sample) == (trend.CLAIMED, trend.TARGET, trend.SAMPLE)
    assert sample == deliveries.SAMPLE
    assert trend.MONTH == deliveries.WINDOW.days
    for profile in PROFILES:
        said = load_profile(profile).policy.targets
        promised = [deliveries.below(said.complaint_ppm), deliveries.below(said.complaint_target_ppm)]
        assert [each.share for each in promised] == [Fraction(str(claimed)), Fraction(str(target))]


@pytest.mark.slow
def test_each_break_is_seen_and_its_mending_too(signed):
    assert [said for case in TREND for said in tried(signed, case)] == []
