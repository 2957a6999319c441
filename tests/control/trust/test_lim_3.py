"""LIM-3 on generated history under the test clock, for all three profiles: what it must see, and what it must not mind."""

from datetime import timedelta

import pytest

from troth.rules.profile import PROFILES

ACTIONS = {"property": ("stop-new", 240), "construction": ("stop-delivery", 30), "retail": ("slow", 60)}


def raised(world, profile, looked=True):
    """A volume past the threshold, as the watch stops it; looked at five minutes later."""
    tenant = world.firms[profile].tenant
    action, minutes = ACTIONS[profile]
    [[anomaly]] = world.sql(
        "SELECT anomaly_raise_v1(%s, 'volume', %s, %s, 2000, 7000, 150, 200, 'too much')", tenant, action, minutes
    )
    if looked:
        world.quiet(
            "INSERT INTO anomaly_look SELECT id, tenant_id, (SELECT id FROM account LIMIT 1), at + interval '5 minutes', 'meant'"
            " FROM anomaly WHERE id = %s",
            anomaly,
        )
    world.seal()
    return anomaly


def move(world, by):
    """The test clock goes on."""
    world.sql("UPDATE installation SET clock_offset = coalesce(clock_offset, interval '0') + %s", by)


@pytest.mark.parametrize("profile", PROFILES)
def test_an_anomaly_that_was_looked_at_keeps_the_claim(world, profile):
    raised(world, profile)
    move(world, timedelta(hours=3))
    assert world.state("LIM-3") == "holds", world.why("LIM-3")


def test_a_review_that_was_late_breaks_constructions_promise_and_only_that(world):
    for profile in PROFILES:
        raised(world, profile, looked=False)
    assert world.state("LIM-3") == "holds", world.why("LIM-3")
    move(world, timedelta(hours=5))
    world.seal()
    [late] = [part for part in world.check("LIM-3")["LIM-3"].parts if part.evidence["why"]]
    assert late.evidence["why"] == [
        f"1 of 1 reviews were not done within 30 minutes, such as {world.sql('SELECT id FROM anomaly ORDER BY review_due')[0][0]}"
    ]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_volume_past_the_threshold_that_nothing_stops_is_seen(world, profile):
    """By the sequencer's counts alone: the gate's own say nothing."""
    tenant = world.firms[profile].tenant
    for hours, n in ((5, 5_000), (30, 300), (60, 300), (300, 10)):
        at = "date_trunc('hour', now_v1(), 'UTC') - make_interval(hours => %s)"
        world.quiet(
            f"INSERT INTO event_tally VALUES (%s, {at}, 1, %s) ON CONFLICT (tenant_id, hour, kind) DO UPDATE SET n = EXCLUDED.n",
            tenant, hours, n,
        )  # fmt: skip
        world.quiet(f"INSERT INTO volume_slot VALUES (%s, {at}, %s) ON CONFLICT DO NOTHING", tenant, hours, n)
    assert "is an anomaly, and nothing stops it" in world.why("LIM-3")
    raised(world, profile)
    assert "is an anomaly, and nothing stops it" not in world.why("LIM-3")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("UPDATE pause SET started_by = 'somebody' WHERE started_by = 'anomaly'", "anomalies have no pause of theirs"),
        ("UPDATE pause SET released_at = now_v1(), release_change = gen_random_uuid() WHERE started_by = 'anomaly'",
         "anomalies have no pause of theirs"),
        ("DELETE FROM ledger_leaf WHERE kind = 'sending:anomaly:raise'", "anomalies have no pause of theirs"),
        (("INSERT INTO held_mail (message_id, tenant_id, pause_id, category_id, at, ends_at)"
         " SELECT gen_random_uuid(), tenant_id, pause_id, gen_random_uuid(), at, at FROM anomaly"), "held messages are neither"),
        (("INSERT INTO event_tally SELECT tenant_id, date_trunc('hour', at, 'UTC') + interval '2 hours', 8, 5 FROM anomaly"
         " ON CONFLICT (tenant_id, hour, kind) DO NOTHING"), "hours of a stopped delivery have sent mail"),
    ],
)  # fmt: skip
def test_what_was_done_to_an_anomaly_is_seen(world, broken, said):
    raised(world, "construction")
    move(world, timedelta(hours=4))
    assert world.state("LIM-3") == "holds", world.why("LIM-3")
    world.quiet(broken)
    assert said in world.why("LIM-3")
