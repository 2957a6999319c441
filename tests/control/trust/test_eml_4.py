"""EML-4: reports that stop coming and a review that is not signed are seen; what is not due yet is said with its date."""

import dataclasses
from datetime import timedelta

from tests.support import told


def sites(world):
    return world.firms["construction"]


def sent(world, n, days=10):
    world.quiet(
        "INSERT INTO event_tally (tenant_id, hour, kind, n) VALUES (%s, date_trunc('hour', now_v1() - %s, 'UTC'), 8, %s)",
        sites(world).tenant, timedelta(days=days), n,
    )  # fmt: skip


def move(world, **by):
    world.sql("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(**by))


def known(world, days=20):
    """Who signed the world's reports did so for a while."""
    world.quiet("UPDATE dmarc_report SET arrived_at = arrived_at - %s", timedelta(days=days))


def silent(world):
    """It sent enough, and was told of long ago by who is known."""
    sent(world, 600)
    known(world)
    world.quiet("UPDATE dmarc_record SET arrived_at = arrived_at - interval '20 days'")


def tell(world, **how):
    told.dmarc(dataclasses.replace(world.operator, database=world.database), sites(world).name, **how)


def test_reports_and_a_review_in_time_hold(world):
    sent(world, 10_000)
    known(world)
    assert world.state("EML-4") == "holds", world.why("EML-4")


def test_a_client_of_whom_nobody_tells_is_found(world):
    silent(world)
    assert world.state("EML-4") == "fails"
    assert "came for 14 days, after 600 messages" in world.why("EML-4")
    tell(world)
    assert world.state("EML-4") == "holds", world.why("EML-4")


def test_a_report_that_anybody_may_have_made_is_none(world):
    silent(world)
    tell(world, reporter="")
    tell(world, reporter="evil.example")
    assert world.state("EML-4") == "fails"


def test_a_new_installation_is_told_of_in_time_by_who_becomes_known(world):
    """What was sent eight days ago was told of at the latest six days ago, by who is known by now."""
    sent(world, 10_000, days=7)
    assert world.state("EML-4") == "holds", world.why("EML-4")
    sent(world, 600, days=9)
    world.quiet("UPDATE dmarc_report SET arrived_at = now_v1() - interval '4 days'")
    assert world.state("EML-4") == "fails"
    world.quiet("UPDATE dmarc_report SET arrived_at = now_v1() - interval '6 days'")
    assert world.state("EML-4") == "holds", world.why("EML-4")


def test_a_small_client_is_no_reason(world):
    sent(world, 20)
    world.quiet("UPDATE dmarc_record SET arrived_at = arrived_at - interval '20 days'")
    assert world.state("EML-4") == "holds", world.why("EML-4")


def test_a_review_that_is_due_and_not_signed_fails(world):
    move(world, days=9)
    assert world.state("EML-4") == "fails"
    assert "is not signed" in world.why("EML-4")


def test_a_review_that_came_late_is_not_forgotten(world):
    world.quiet("UPDATE dmarc_review SET from_at = from_at - interval '20 days'")
    assert world.state("EML-4") == "fails"
    assert "days after the one before it" in world.why("EML-4")


def test_before_the_first_review_is_due_there_is_no_data(world):
    for table in ("dmarc_finding", "dmarc_review"):
        world.quiet(f"DELETE FROM {table}")
    assert world.state("EML-4") == "no data yet", world.why("EML-4")
    assert "the first review is due" in world.why("EML-4")
    move(world, days=9)
    assert world.state("EML-4") == "fails"


def test_before_a_report_there_is_no_data(world):
    for table in ("dmarc_finding", "dmarc_review", "dmarc_record", "dmarc_report"):
        world.quiet(f"DELETE FROM {table}")
    assert world.state("EML-4") == "no data yet", world.why("EML-4")
    assert "has come yet" in world.why("EML-4")
