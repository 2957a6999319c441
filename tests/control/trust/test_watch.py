"""The watch: what is due, who leads, and what follows a turn: one letter, one case, and nothing for a first look."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.control.trust.world import open_session

from troth.control.audit import scope
from troth.control.trust import catalogue, running, shown, watch
from troth.control.trust.standing import programmes

ONE = "SUP-3"  # the installation's


@pytest.fixture
def turn(world):
    """Break SUP-3 or mend it, and look; everything follows."""

    def done(*, fails):
        world.sql(f"{'GRANT' if fails else 'REVOKE'} DELETE ON suppression {'TO' if fails else 'FROM'} troth_control")
        return checked(world, ONE)

    return done


def checked(world, *names, only=None):
    with scope.connect(world.database.conninfo("troth_control"), "watch test") as connection:
        look = world.look(connection)
        found = running.check(look, names, only=only)
        watch.follow(look)
    return {each.claim.id: each for each in found}


def due(world):
    with scope.connect(world.database.conninfo("troth_control"), "watch test") as connection:
        return frozenset(watch.due(connection))


def move(world, **by):
    world.sql("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(**by))


def noon(world):
    """What is told once a day is not told by the hour in which a test runs."""
    at = world.sql("SELECT now_v1() AT TIME ZONE 'UTC'")[0][0]
    move(world, hours=24 + 12 - at.hour)


def letters(world):
    return [json.loads(each) for (each,) in world.sql(
        "SELECT variables FROM access_notice WHERE template = 'claim-notice' ORDER BY at, account_id")]  # fmt: skip


def cases(world):
    return world.sql("SELECT title, state, key FROM case_file WHERE cause = 'claim' ORDER BY opened_at")


def test_what_was_never_looked_at_is_due_and_then_a_third_of_an_interval_later(world):
    everything = due(world)
    assert (ONE, None) in everything
    assert len({claim for claim, _ in everything}) == len(running.CONTROLS)
    checked(world, ONE)
    assert everything - due(world) == {(ONE, None)}
    move(world, minutes=19)
    assert (ONE, None) not in due(world)
    move(world, minutes=2)
    assert (ONE, None) in due(world)


def test_what_fails_is_looked_at_again_after_a_twelfth(world, turn):
    turn(fails=True)
    move(world, minutes=4)
    assert (ONE, None) not in due(world)
    move(world, minutes=2)
    assert (ONE, None) in due(world)
    turn(fails=False)
    move(world, minutes=6)
    assert (ONE, None) not in due(world)


def test_what_is_said_to_be_looked_at_in_the_future_is_due_now_and_shown_as_stale(world):
    checked(world, ONE)
    world.quiet("UPDATE claim_state SET checked_at = now_v1() + interval '9 days'")
    assert (ONE, None) in due(world)
    assert str(world.stored(ONE)[ONE].state) == "stale"
    checked(world, ONE, only={(ONE, None)})
    assert (ONE, None) not in due(world)
    assert str(world.stored(ONE)[ONE].state) == "holds"


def test_a_look_that_a_person_asked_for_is_due_once(world):
    checked(world, ONE)
    ((owner,),) = world.sql("SELECT id FROM account WHERE tenant_id IS NULL AND role = 'owner' ORDER BY id LIMIT 1")
    world.sql("SELECT claim_ask_v1(%s, %s)", ONE, open_session(world, owner, b"\x01"))
    assert (ONE, None) in due(world)
    checked(world, ONE, only=due(world) & {(ONE, None)})
    assert (ONE, None) not in due(world)


def test_another_version_looks_at_everything_at_once(world, monkeypatch):
    checked(world, ONE)
    monkeypatch.setattr(watch, "version", lambda: "f" * 32)
    assert (ONE, None) in due(world)


def test_what_another_version_finds_is_a_turn_only_when_it_fails(world, turn, monkeypatch):
    turn(fails=False)
    monkeypatch.setattr(running, "version", lambda: "f" * 32)
    turn(fails=True)
    told = letters(world)
    assert {each["lines"] for each in told} == {"SUP-3 fails"}
    assert len(cases(world)) == 1
    monkeypatch.setattr(running, "version", lambda: "e" * 32)
    move(world, minutes=61)
    turn(fails=False)
    assert letters(world) == told
    with scope.connect(world.database.conninfo("troth_control"), "shown") as connection:
        assert [each.state for each in shown.changes(connection, the_programme(world))] == ["fails"]


def test_what_was_never_looked_at_comes_first_and_then_the_oldest(world):
    checked(world, "SUP-2")
    move(world, hours=1)
    checked(world, ONE)
    move(world, hours=1)
    with scope.connect(world.database.conninfo("troth_control"), "watch test") as connection:
        found = watch.due(connection)
    assert found[-2:] == (("SUP-2", None), (ONE, None))
    assert len(found) > 9


def test_only_what_was_asked_for_is_run_and_told(world):
    found = checked(world, only={(ONE, None)})
    assert list(found) == [ONE]
    assert world.sql("SELECT claim FROM claim_state") == [(ONE,)]
    programme = world.sql("SELECT id FROM programme WHERE code = 'p-homes'")[0][0]
    found = checked(world, only={("EML-2", programme)})
    assert [part.programme for part in found["EML-2"].parts] == ["p-homes"]
    assert str(found["EML-2"].state) == "holds"


def test_one_watch_leads(world):
    with (
        scope.connect(world.database.conninfo("troth_control"), "one") as one,
        scope.connect(world.database.conninfo("troth_control"), "two") as two,
    ):
        with watch.leading(one) as leads, watch.leading(two) as other:
            assert (leads, other) == (True, False)
        with watch.leading(two) as leads:
            assert leads


def test_a_first_look_that_fails_sends_nothing_and_opens_nothing(world, turn):
    assert str(turn(fails=True)[ONE].state) == "fails"
    assert (letters(world), cases(world)) == ([], [])


def test_a_turn_is_told_to_those_who_answer_for_it_once_an_hour(world, turn):
    noon(world)
    turn(fails=False)
    turn(fails=True)
    told = letters(world)
    assert told  # the owners': nobody has the role that answers
    assert {(each["claims"], each["fails"], each["lines"], each["claim"]) for each in told} == {
        (1, 1, "SUP-3 fails", ONE)
    }
    turn(fails=True)
    turn(fails=False)
    turn(fails=True)
    turn(fails=False)
    assert len(letters(world)) == len(told)
    move(world, minutes=61)
    turn(fails=False)
    assert len(letters(world)) == 2 * len(told)
    assert letters(world)[-1]["lines"] == "SUP-3 holds"
    move(world, minutes=61)
    turn(fails=False)
    assert len(letters(world)) == 2 * len(told)


def test_a_turn_opens_one_case_which_people_close(world, turn):
    turn(fails=False)
    turn(fails=True)
    ((title, state, _),) = cases(world)
    assert state == "open"
    assert title.startswith("SUP-3 does not hold: ")
    turn(fails=False)
    turn(fails=True)
    assert len(cases(world)) == 1  # it is open yet
    world.quiet("UPDATE case_file SET state = 'closed', outcome = 'fixed', closed_at = opened_at WHERE cause = 'claim'")
    turn(fails=True)
    assert len(cases(world)) == 2  # of the second turn, which had none of its own
    world.quiet("UPDATE case_file SET state = 'closed', outcome = 'fixed', closed_at = opened_at WHERE cause = 'claim'")
    turn(fails=True)
    assert len(cases(world)) == 2
    turn(fails=False)
    turn(fails=True)
    assert len(cases(world)) == 3


def test_no_case_where_no_policy_asks_for_one(world):
    """Retail's promise says that those who answer for it are told, and no more."""
    names = {profile: firm.name for profile, firm in world.firms.items()}
    checked(world, "EML-3")
    for name in names.values():
        world.names.server.set(f"_dmarc.{name}", "TXT", ["v=DMARC1; p=none"])
    assert {str(part.state) for part in checked(world, "EML-3")["EML-3"].parts} == {"fails"}
    assert [title.partition(" does not")[0] for title, *_ in sorted(cases(world))] == [
        "EML-3 of p-homes",
        "EML-3 of p-sites",
    ]


def test_the_case_says_what_was_seen_in_words_that_are_sealed(world, turn):
    turn(fails=False)
    turn(fails=True)
    ((case, words),) = world.sql(
        "SELECT c.id, e.words_ct FROM case_file c JOIN case_entry e ON e.id = c.id WHERE c.cause = 'claim'"
    )
    assert b"suppression" not in bytes(words)
    assert world.sql("SELECT count(*) FROM case_clock WHERE case_id = %s", case)[0][0] >= 0


# ---- what the pages show


def the_programme(world, code="p-homes"):
    with scope.connect(world.database.conninfo("troth_control"), "shown") as connection:
        return next(each for each in programmes(connection) if each.code == code)


def test_what_the_pages_show_of_a_programme(world, turn):
    noon(world)
    checked(world, "EML-2")
    turn(fails=False)
    turn(fails=True)
    programme = the_programme(world)
    with scope.connect(world.database.conninfo("troth_control"), "shown") as connection:
        stands, days = shown.standing(connection, programme), shown.days(connection, programme)
        (turned,) = shown.changes(connection, programme)
    assert (str(stands["EML-2"].state), stands["EML-2"].programme) == ("holds", "p-homes")
    assert (str(stands[ONE].state), stands[ONE].programme) == ("fails", None)
    assert str(stands["EML-3"].state) == "no data yet"
    promised = [each.id for each in catalogue.claims() if each.promised_by(programme.profile)]
    assert list(stands) == [each for each in promised if running.CONTROLS and each in stands]
    assert (turned.claim, turned.was, turned.state) == (ONE, "holds", "fails")
    assert days["EML-2"] == (None,) * 59 + ("holds",)
    assert days[ONE] == (None,) * 59 + ("fails",)
    assert "EML-3" not in days


def test_days_without_a_look_are_stale_and_between_failures_failed(world, turn):
    noon(world)
    checked(world, "EML-2")
    turn(fails=True)
    move(world, days=3)
    checked(world, "EML-2")
    turn(fails=False)
    programme = the_programme(world)
    with scope.connect(world.database.conninfo("troth_control"), "shown") as connection:
        days = shown.days(connection, programme, 6)
        assert days["EML-2"] == (None, None, "holds", "stale", "stale", "holds")
        assert days[ONE] == (None, None, "fails", "fails", "fails", "fails")  # it failed until noon
        move(world, days=1)
        assert shown.days(connection, programme, 6)["EML-2"][-2:] == ("holds", "holds")  # the day is not over
        assert shown.days(connection, programme, 2)[ONE] == ("fails", "holds")
        move(world, days=40)
        assert shown.days(connection, programme, 3)["EML-2"] == ("stale", "stale", "stale")


def test_sixty_days_of_a_year_are_read_at_once(world):
    """76 claims of three programmes, looked at each day for a year."""
    names = [control.claim for control in running.CONTROLS][:76]
    world.quiet(
        "INSERT INTO claim_history (claim, programme_id, state, evidence, checked_at, was, first, version, entry)"
        " SELECT c, p.id, 'holds', '{}', now_v1() - make_interval(days => d), 'holds', false, 'ab',"
        " sha256(convert_to(c || p.id || d, 'UTF8')) FROM unnest(%s::text[]) AS c, programme p, generate_series(365, 0, -1) AS d",
        names,
    )
    world.quiet("INSERT INTO claim_state SELECT claim, programme_id, state, evidence, max(checked_at), min(checked_at), max(checked_at)"
                " FROM claim_history GROUP BY 1, 2, 3, 4")  # fmt: skip
    world.sql("ANALYZE claim_history, claim_state")
    programme, taken = the_programme(world), []
    with scope.connect(world.database.conninfo("troth_control"), "shown") as connection:
        for _ in range(7):
            begun = datetime.now(UTC)
            found = shown.days(connection, programme)
            taken.append((datetime.now(UTC) - begun).total_seconds())
        asked = {"programme": programme.id, "days": 60, "claims": names}
        plan = "\n".join(line for (line,) in connection.execute(f"EXPLAIN {shown._DAYS}", asked))
    assert {len(each) for each in found.values()} == {60}
    assert min(taken) < 1, taken  # about 25 ms on a machine that does nothing else
    assert "Seq Scan on claim_history" not in plan, plan
