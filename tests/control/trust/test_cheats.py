"""What somebody might do to let a claim of complaints and reports hold: each is seen, or refused."""

import json
import os
from datetime import timedelta

import psycopg
import pytest
from tests.control.trust import reported
from tests.control.trust.world import ADDRESS, LIST, open_session
from tests.support.firm import now

from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR
from troth.rules import cases
from troth.rules.profile import load_profile

HOMES, SITES = "p-homes", "p-sites"
_TAKE = """
SELECT dmarc_take_v1(%s, %s, %s, 'Org', 'r', 'sig.example', now_v1() - interval '1 day', now_v1(), %s, '{}', 0, 'in.example', %s)
"""
_OPEN = (
    "SELECT from_at, until_at, digest, jsonb_array_length(shown -> 'findings') FROM dmarc_review_open_v1(%s, NULL, %s)"
)
_SIGN = """
SELECT dmarc_review_v1(%s, %s, %s, %s, %s, 'Looked at.', %s::text[], %s::text[], %s::uuid[], %s::bytea[], '{}', '{}', %s)
"""


def move(world, **by):
    world.sql("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(**by))


def session(world):
    keyset = world.sql("SELECT operator_keyset FROM installation")[0][0]
    owner = world.sql("SELECT id FROM account WHERE tenant_id IS NULL AND role = 'owner' ORDER BY id LIMIT 1")[0][0]
    keys = world.operator.keyring.tenant(OPERATOR, keyset)
    return open_session(world, owner, keys.seal(b"{}", places.access("detail")))


def role(world, name="troth_control", tenant=None, *, autocommit=True):
    connection = psycopg.connect(**world.database.conninfo(name), autocommit=autocommit, options="-c search_path=troth")
    if tenant:
        connection.execute("SELECT set_config('troth.tenant', %s, false)", (str(tenant),))
    return connection


def step(world, case, name, value="", clocks=(), words=b"\1" * 60):
    given = (case, name, value, uuid7(now()), words, [one.name for one in clocks], [one.due_at for one in clocks])
    with role(world) as connection:
        connection.execute(reported._STEP, (*given, session(world)))


def state(world, claim, programme=HOMES):
    found = world.check(claim, programme=programme)[claim]
    return str(found.state), "\n".join(why for part in found.parts for why in part.evidence["why"])


# ---- CMP-1, FBL-2, FBL-1, EML-5


@pytest.fixture
def case(world):
    """An incident of a complaint that was reviewed; no other is open."""
    for (open_one,) in world.sql(
        "SELECT id FROM case_file WHERE kind = 'incident' AND state IN ('open', 'acknowledged')"
    ):
        if world.sql("SELECT 1 FROM case_clock WHERE case_id = %s AND name = 'told' AND met_at IS NULL", open_one):
            step(world, open_one, "tell")
        step(world, open_one, "resolve", "fixed")
    assert state(world, "CMP-1")[0] == "holds"
    tenant = world.firms["property"].tenant
    return world.sql(
        "SELECT id FROM case_file WHERE cause = 'complaint' AND tenant_id = %s ORDER BY id LIMIT 1", tenant
    )[0][0]


def again(world, case, clocks=None):
    rules = load_profile("property").policy
    fresh = cases.reopened("incident", "complaint", rules, reported.clock(world))
    step(world, case, "reopen", clocks=fresh if clocks is None else clocks)


def test_reopening_gives_a_review_no_more_time(world, case):
    again(world, case)
    move(world, hours=3)
    assert state(world, "CMP-1")[0] == "holds"
    for _ in range(2):
        step(world, case, "resolve", "fixed")
        again(world, case)
        move(world, hours=2)
    found, why = state(world, "CMP-1")
    assert found == "fails"
    assert "were not reviewed in time" in why


def test_what_is_reopened_after_a_day_has_its_own_time(world, case):
    move(world, days=2)
    again(world, case)
    move(world, hours=3)
    step(world, case, "resolve", "fixed")
    assert state(world, "CMP-1") == ("holds", "")


def test_a_reopened_review_is_due_no_later_than_promised(world, case):
    again(world, case, (cases.Clock("review", reported.clock(world) + timedelta(days=300)),))
    found, why = state(world, "CMP-1")
    assert found == "fails"
    assert "promised within 4 h" in why


def test_an_incident_without_a_clock_is_late(world, case):
    again(world, case)
    world.quiet("DELETE FROM case_clock WHERE case_id = %s AND met_at IS NULL", case)
    assert "were not reviewed in time" in state(world, "CMP-1")[1]


def test_a_review_is_written_down(world, case):
    world.quiet("UPDATE case_entry SET words_ct = '\\x01' WHERE case_id = %s AND kind = 'resolve'", case)
    assert "without a person's words" in state(world, "CMP-1")[1]


def test_a_loop_that_is_silent_and_letters_that_nobody_reads_are_told(world):
    assert state(world, "FBL-2")[0] == "holds"
    with role(world, "troth_flow") as connection:
        connection.execute(
            "SELECT letter_keep_v1(%s, 'complaint', 'unsigned', %s, 10, '\\x01aa', 100, 100, 100000)",
            (uuid7(now()), os.urandom(16)),
        )
    assert state(world, "FBL-2")[0] == "holds"
    world.quiet("UPDATE feedback_loop SET silent_days = 1")
    move(world, days=2)
    found, why = state(world, "FBL-2")
    assert (found, "1 of 1 feedback loops told nothing" in why) == ("stale", True)
    move(world, days=6)
    found, why = state(world, "FBL-2")
    assert found == "fails"
    assert "1 letters to the loops' addresses wait longer than 7 days" in why


def test_letters_that_were_not_kept_are_told(world):
    with role(world, "troth_flow") as connection:
        connection.execute("SELECT letter_count_v1('complaint', 'unsigned', true)")
    assert state(world, "FBL-2")[0] == "stale"


def test_a_complaint_without_its_arrival_is_none(world):
    message = world.sql("SELECT message_id, source_key, case_id FROM complaint LIMIT 1")[0]
    with role(world, "troth_flow") as connection, pytest.raises(psycopg.errors.NotNullViolation):
        connection.execute(
            "SELECT complaint_v1(%s, %s, %s, %s, NULL, 'fbl', 'abuse', NULL)",
            (uuid7(now()), message[0], message[1], message[2]),
        )


def test_readings_that_have_not_come_and_other_names_enrol_nobody(world):
    world.sql(
        "INSERT INTO provider_read SELECT s, '2099-01-01', '2099-01-01', '' FROM unnest('{gmail,snds}'::text[]) AS s"
    )
    with role(world) as connection:
        connection.execute(
            "SELECT feedback_loop_add_v1(%s, 'yx', 'Not yahoo at all', '{x.example}', 'fbl@x.example', '', 30, '2020-01-01', sha256('x'), %s)",
            (uuid7(now()), session(world)),
        )
    found, why = state(world, "FBL-1")
    assert found == "fails"
    assert "which has not come" in why
    world.sql("UPDATE provider_read SET (tried_at, read_at) = (SELECT t, t FROM now_v1() AS t)")
    assert state(world, "FBL-1")[0] == "no data yet"
    assert "no feedback loop that is promised" in state(world, "FBL-1")[1]


def test_a_look_that_has_not_come_is_none(world):
    for name, said in ((LIST, "clean"), ("reverse-name", "confirmed")):
        world.quiet(
            "INSERT INTO reputation_look VALUES (gen_random_uuid(), NULL, %s, %s, now_v1() + interval '25 days', %s, '')",
            ADDRESS, name, said,
        )  # fmt: skip
    move(world, days=20)
    assert state(world, "EML-5")[0] == "stale"


# ---- EML-4


@pytest.mark.parametrize(
    "change",
    [
        "words = 'somebody else said so'",
        "account_id = (SELECT id FROM account ORDER BY id DESC LIMIT 1)",
        "from_at = from_at - interval '6 hours'",
        "until_at = signed_at",
        "signed_at = signed_at + interval '6 hours'",
    ],
)
def test_a_review_is_as_its_entry_says(world, change):
    assert state(world, "EML-4", SITES)[0] == "holds"
    world.quiet(f"UPDATE dmarc_review SET {change} WHERE programme_id = %s", world.firms["construction"].programme)
    found, why = state(world, "EML-4", SITES)
    assert found == "fails"
    assert "as its entry of the ledger says" in why


def record(header_from):
    return json.dumps([
        {"n": 1, "source_ip": "203.0.113.7", "messages": 900, "disposition": "none", "dkim": False, "spf": False,
         "header_from": header_from, "envelope_from": "x", "dkim_domain": "", "dkim_selector": "", "spf_domain": "", "reason": ""}
    ])  # fmt: skip


def take(connection, domain):
    key = os.urandom(32)
    return connection.execute(_TAKE, (uuid7(now()), key, domain, key, record(domain))).fetchone()[0]


def test_a_report_that_is_just_being_taken_in_is_not_left_out(world):
    """Signing waits for it, and then it is not what was shown."""
    firm, secret = world.firms["property"], session(world)
    with role(world, "troth_flow", autocommit=False) as slow, role(world) as connection:
        assert take(slow, firm.name) == "taken"
        begin, until, digest, n = connection.execute(_OPEN, (firm.programme, secret)).fetchone()
        lists = ["accepted"] * n, [""] * n, [None] * n, [None] * n
        given = (uuid7(now()), firm.programme, begin, until, digest, *lists, secret)
        connection.execute("SET lock_timeout = '300ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            connection.execute(_SIGN, given)
        slow.commit()
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="not what you were shown"):
            connection.execute(_SIGN, given)


def test_what_is_no_single_clients_is_in_every_review(world):
    firms = world.firms["property"], world.firms["retail"]
    for firm, name in zip(firms, ("a.corp.example", "b.corp.example"), strict=True):
        world.quiet("UPDATE domain_state SET name = %s WHERE tenant_id = %s", name, firm.tenant)
    with role(world, "troth_flow") as connection:
        assert take(connection, "corp.example") == "taken"
    secret = session(world)
    with role(world) as connection:
        for firm in world.firms.values():
            query = "SELECT shown FROM dmarc_review_open_v1(%s, NULL, %s)"
            [shown] = connection.execute(query, (firm.programme, secret)).fetchone()
            [found] = [each for each in shown["findings"] if each["domain"] == "corp.example"]
            assert (found["client"], found["messages"], found["tenant"]) == ("no single client", 900, None)


def test_a_retired_domain_is_no_second_owner(world):
    old, new = world.firms["property"], world.firms["retail"]
    world.quiet("UPDATE governed SET retired = true WHERE kind = 'domain' AND tenant_id = %s", old.tenant)
    world.quiet("UPDATE domain_state SET name = %s WHERE tenant_id = %s", new.name, old.tenant)
    with role(world, "troth_flow") as connection:
        assert take(connection, new.name) == "taken"
    assert world.sql("SELECT tenant_id FROM dmarc_record WHERE source_ip = '203.0.113.7'") == [(new.tenant,)]


# ---- row security, letters, keys


def test_a_client_asks_only_of_itself(world):
    mine, other = world.firms["property"].tenant, world.firms["retail"].tenant
    asks = (
        ("complaint_clocks_v1(%s, '-infinity')", 0),
        ("complaint_times_v1(%s, '1 min', '-infinity')", 1),
        ("complaint_patterns_v1(%s, 1, 1, '-infinity')", 1),
    )
    for call, empty in asks:
        with role(world, tenant=mine) as connection:
            assert connection.execute(f"SELECT * FROM {call}", (mine,)).fetchall()[0][0] != 0
            found = connection.execute(f"SELECT * FROM {call}", (other,)).fetchall()
            assert len(found) == empty
            assert all(row[0] == 0 for row in found)
    with role(world, tenant=mine) as connection:
        programme = world.firms["retail"].programme
        assert connection.execute("SELECT * FROM dmarc_fact_v1(%s, now())", (programme,)).fetchall() == []


def test_who_is_done_with_letters_says_which_and_until_when(world):
    ids, secret = [uuid7(now()) for _ in range(3)], session(world)
    with role(world, "troth_flow") as connection:
        for one in ids:
            connection.execute(
                "SELECT letter_keep_v1(%s, 'abuse', 'letter', %s, 10, '\\x01aa', 10, 10, 1000)", (one, os.urandom(16))
            )
    with role(world) as connection:
        query = "SELECT letters_all_done_v1('abuse', 'letter', %s, %s)"
        for until in ("infinity", "2999-01-01", None):
            with pytest.raises(psycopg.errors.InvalidParameterValue, match="until when you saw"):
                connection.execute(query, (until, secret))
        assert connection.execute(query, (reported.clock(world), secret)).fetchone() == (3,)
    [(leaf, digest)] = world.sql(
        "SELECT leaf::jsonb, encode(sha256(convert_to(%s, 'UTF8')), 'hex') FROM ledger_pending WHERE kind = 'feedback:letter:done'",
        " ".join(str(one) for one in sorted(ids)),
    )
    assert (leaf["count"], leaf["desks"], leaf["letters"]) == ("3", "abuse", digest)


def test_a_letter_of_a_desk_is_for_who_may_open_its_papers(world):
    letter = uuid7(now())
    with role(world, "troth_flow") as connection:
        connection.execute(
            "SELECT letter_keep_v1(%s, 'security', 'letter', %s, 10, '\\x01aa', 10, 10, 1000)", (letter, os.urandom(16))
        )
    with role(world) as connection:
        secret = session(world)
        world.quiet(
            "UPDATE account SET role = 'deliverability' WHERE id = (SELECT account_id FROM session WHERE secret_hash = sha256(%s))",
            secret,
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT inbound_read_v1(%s, %s)", (letter, secret))
        assert world.sql("SELECT read_at FROM inbound_letter WHERE id = %s", letter) == [(None,)]


def test_a_key_that_nobody_saw_does_not_sign_and_stopping_it_names_who_did(world):
    firm, secret = world.firms["property"], session(world)
    domain, public = world.sql("SELECT domain_id, public_der FROM dkim_key WHERE tenant_id = %s", firm.tenant)[0]
    with role(world, tenant=firm.tenant) as connection:
        rotate = "SELECT dkim_rotate_v1(%s, 's2', '\\x0100', %s, 2048, %s)"
        [key] = connection.execute(rotate, (domain, public, secret)).fetchone()
        with role(world, "troth_flow") as flow:
            for given in ((None, None, None), (None, "0", "0"), (True, None, None)):
                assert flow.execute("SELECT dkim_looked_v1(%s, %s, %s, %s)", (key, *given)).fetchone() == ("pending",)
        stop = "SELECT dkim_stop_v1(%s, %s)", (domain, secret)
        assert connection.execute(*stop).fetchone() == (True,)
        assert connection.execute(*stop).fetchone() == (False,)
    [(leaf, human)] = world.sql(
        "SELECT leaf::jsonb, (SELECT a.human_id::text FROM account a WHERE a.tenant_id IS NULL AND a.role = 'owner' ORDER BY a.id LIMIT 1)"
        " FROM ledger_pending WHERE kind = 'sending:dkim:stopped'"
    )
    assert (leaf["by"], leaf["key"], leaf["domain"]) == (human, str(key), str(domain))
