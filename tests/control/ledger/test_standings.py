"""What claims stand at is what the ledger was told: any edit of either table is found, and honest rows never are."""

from datetime import timedelta

import pytest

from troth.ledger.verify import Found

OLD, NEW = "a" * 32, "b" * 32
EDITS = (
    ("claim_history", "claim = 'EML-3' WHERE claim = 'EML-2' AND state = 'fails'"),
    ("claim_history", "programme_id = gen_random_uuid() WHERE state = 'fails'"),
    ("claim_history", "programme_id = NULL WHERE programme_id IS NOT NULL AND state = 'fails'"),
    ("claim_history", "state = 'holds' WHERE state = 'fails'"),
    ("claim_history", "evidence = '{}' WHERE state = 'fails'"),
    ("claim_history", "checked_at = checked_at - interval '1 microsecond' WHERE state = 'fails'"),
    ("claim_history", "was = 'stale' WHERE state = 'fails'"),
    ("claim_history", "was = NULL WHERE state = 'fails'"),
    ("claim_history", "first = NOT first WHERE state = 'fails'"),
    ("claim_history", f"version = '{'c' * 32}' WHERE state = 'fails'"),
    ("claim_history", "entry = sha256('x') WHERE state = 'fails'"),
    ("claim_history", "entry = NULL, first = NULL, version = NULL WHERE state = 'fails'"),
    ("claim_state", "claim = 'EML-4' WHERE claim = 'EML-2' AND programme_id IS NOT NULL"),
    ("claim_state", "programme_id = NULL WHERE claim = 'EML-2'"),
    ("claim_state", "state = 'holds' WHERE state = 'fails'"),
    ("claim_state", "since = since - interval '1 day' WHERE state = 'fails'"),
    ("claim_state", "told_at = told_at + interval '1 microsecond' WHERE state = 'fails'"),
    ("claim_state", "checked_at = now_v1() + interval '1 hour' WHERE state = 'fails'"),
    ("claim_state", "checked_at = told_at - interval '1 hour' WHERE state = 'fails'"),
    ("claim_state", "evidence = '{}' WHERE state = 'fails'"),
)

_MORE = "INSERT INTO claim_history (claim, state, evidence, checked_at, first, version, entry)"


@pytest.fixture
def told(house):
    """EML-2 of a programme holds, then fails; SUP-3 of the installation holds; sealed, but for the last."""
    programme = house.database.run("SELECT id FROM programme LIMIT 1")[0][0]

    def tell(claim, state, whose=programme, evidence='{"why": [], "seen": {}}', version=NEW):
        house.database.run("SELECT claim_record_v2(ARRAY[%s], ARRAY[%s::uuid], ARRAY[%s], ARRAY[%s], %s)",
                           claim, whose, state, evidence, version)  # fmt: skip

    tell("EML-2", "holds")
    tell("SUP-3", "holds", None)
    tell("EML-2", "fails", evidence='{"why": ["no signature"], "seen": {"n": 1}}')
    house.seal()
    house.record = tell
    return house


def test_what_was_told_is_found_whole_sealed_or_waiting(told):
    assert told.verify().standings == 3
    told.record("EML-2", "fails")  # the same day: nothing is told
    told.record("EML-2", "holds")
    assert told.verify().standings == 4
    told.seal()
    report = told.verify()
    assert report.standings == 4
    assert "Claims: 4 states" in "\n".join(report.lines())


@pytest.mark.parametrize(("table", "edit"), EDITS, ids=[f"{table}: {edit}" for table, edit in EDITS])
def test_every_edit_of_either_table_is_found(told, table, edit):
    with told.database.filler() as superuser:
        superuser.execute("ALTER TABLE claim_history DROP CONSTRAINT told")
        assert superuser.execute(f"UPDATE {table} SET {edit}").rowcount >= 1
    with pytest.raises(Found):
        told.verify()


def test_a_row_that_is_gone_and_one_too_many_are_found(told):
    with told.database.filler() as superuser, superuser.transaction(force_rollback=True):
        assert superuser.execute("SELECT count(*) FROM claim_history").fetchone() == (3,)
    for statement, what in (
        ("DELETE FROM claim_history WHERE id = (SELECT max(id) FROM claim_history)", "is gone: the ledger has its entry"),
        ("DELETE FROM claim_history WHERE id = (SELECT min(id) FROM claim_history)", "is gone: the ledger has its entry"),
        ("DELETE FROM claim_state WHERE claim = 'SUP-3'", "SUP-3 stands at is gone"),
        ("INSERT INTO claim_history (claim, state, evidence, checked_at) VALUES ('SUP-3', 'holds', '{}', now_v1())", "1 rows of a time"),
        (f"{_MORE} VALUES ('SUP-3', 'holds', '{{}}', now_v1(), false, 'ab', sha256('y'))", "no entry in the ledger"),
        ("INSERT INTO claim_state VALUES ('SUP-2', NULL, 'holds', '{}', now_v1(), now_v1(), now_v1())", "no row in claim_h"),
    ):  # fmt: skip
        told.database.fill("CREATE TABLE public.h AS SELECT * FROM claim_history")
        told.database.fill("CREATE TABLE public.s AS SELECT * FROM claim_state")
        told.database.fill(statement)
        with pytest.raises(Found, match=what):
            told.verify()
        told.database.fill("DELETE FROM claim_history")
        told.database.fill("DELETE FROM claim_state")
        told.database.fill("INSERT INTO claim_history OVERRIDING SYSTEM VALUE SELECT * FROM public.h")
        told.database.fill("INSERT INTO claim_state SELECT * FROM public.s")
        told.database.fill("DROP TABLE public.h, public.s")
        assert told.verify().standings == 3


def test_an_edited_row_with_a_second_entry_that_says_so_is_found(told):
    """The superuser makes the row look told: its entry is one of two, and the ledger keeps both."""
    row, checked = told.database.run(
        "SELECT id, (extract(epoch FROM checked_at) * 1000000)::bigint::text FROM claim_history WHERE state = 'fails'"
    )[0]
    leaf = ("SELECT leaf_json(ARRAY['checked_at', 'claim', 'evidence', 'first', 'programme', 'row', 'state', 'version', 'was'],"
            " ARRAY[%s, claim, encode(sha256(convert_to(evidence, 'UTF8')), 'hex'), 'no', programme_id::text, id::text, 'holds',"
            " version, was]) FROM claim_history WHERE id = %s")  # fmt: skip
    with told.database.filler() as superuser:
        (made,) = superuser.execute(leaf, (checked, row)).fetchone()
        (waits,) = superuser.execute(
            "SELECT ledger_entry('{trust:claim:check}', '{NULL}', ARRAY[%s])", (made,)
        ).fetchone()
        superuser.execute("UPDATE claim_history SET state = 'holds', entry = (SELECT leaf_hash FROM ledger_pending WHERE id = %s)"
                          " WHERE id = %s", (waits[0], row))  # fmt: skip
        superuser.execute("UPDATE claim_state SET state = 'holds' WHERE claim = 'EML-2'")
    for _ in range(2):
        with pytest.raises(Found, match="a second entry|differs|another entry"):
            told.verify()
        told.seal()


def test_rows_of_before_are_paired_with_the_entries_of_that_time(house):
    before(house, "EML-2", "holds")
    before(house, "EML-2", "fails")
    assert house.verify().standings == 2
    house.seal()
    house.database.run("SELECT claim_record_v2('{EML-2}', '{NULL}', '{fails}', '{\"{}\"}', %s)", NEW)
    assert house.verify().standings == 3
    first = house.database.run("SELECT first, was FROM claim_history ORDER BY id DESC LIMIT 1")
    assert first == [(True, "fails")]
    house.database.fill("UPDATE claim_history SET state = 'holds' WHERE entry IS NULL")
    with pytest.raises(Found, match="is not what the entry of its place says"):
        house.verify()


def test_an_entry_of_the_older_form_is_not_believed_later(told):
    before(told, "SUP-2", "holds")
    with pytest.raises(Found, match="names no row"):
        told.verify()


def before(house, claim, state):
    """What claim_record_v1 did."""
    with house.database.filler() as superuser:
        superuser.execute(
            "INSERT INTO claim_history (claim, state, evidence, checked_at) VALUES (%s, %s, '{}', now_v1())",
            (claim, state),
        )
        superuser.execute(
            "INSERT INTO claim_state VALUES (%s, NULL, %s, '{}', now_v1(), now_v1(), now_v1()) ON CONFLICT (claim, programme_id)"
            " DO UPDATE SET state = EXCLUDED.state", (claim, state))  # fmt: skip
        superuser.execute(
            "UPDATE claim_state k SET (checked_at, since, told_at) = (SELECT h.checked_at, h.checked_at, h.checked_at"
            " FROM claim_history h WHERE h.claim = k.claim ORDER BY h.id DESC LIMIT 1) WHERE claim = %s", (claim,))  # fmt: skip
        superuser.execute("SELECT ledger_entry('{trust:claim:check}', '{NULL}', ARRAY[leaf_json("
                          "ARRAY['claim', 'evidence', 'programme', 'state'], ARRAY[%s, encode(sha256('{}'), 'hex'), '', %s])])",
                          (claim, state))  # fmt: skip


def test_the_database_itself_refuses_what_was_not_told(told):
    with told.database.open("postgres") as superuser:
        for statement in (
            "UPDATE claim_state SET state = 'holds' WHERE state = 'fails'",
            "UPDATE claim_state SET checked_at = now_v1() + interval '1 hour'",
            "DELETE FROM claim_state",
            "TRUNCATE claim_state",
            "INSERT INTO claim_state VALUES ('SUP-1', NULL, 'holds', '{}', now_v1(), now_v1(), now_v1())",
            "UPDATE claim_history SET state = 'holds'",
        ):
            with pytest.raises(
                Exception, match="ledger was told|looked at since|for good|insert-only|not allowed|only"
            ):
                superuser.execute(statement)


def test_a_first_look_of_another_version_is_no_turn(told):
    told.record("EML-2", "holds", version=OLD)
    rows = told.database.run("SELECT state, was, first FROM claim_history WHERE claim = 'EML-2' ORDER BY id")
    assert rows == [("holds", None, True), ("fails", "holds", False), ("holds", "fails", True)]
    assert told.database.run("SELECT count(*) FROM claim_turned_v1()") == [(0,)]


def test_a_day_is_told_of_once_and_a_clock_ahead_does_not_stop_it(told):
    def rows():
        return told.database.run("SELECT count(*) FROM claim_history")[0][0]

    def move(by):
        told.database.fill("UPDATE installation SET clock_offset = clock_offset + %s", by)

    before_move = rows()
    move(timedelta(days=1))
    told.record("EML-2", "fails")
    assert rows() == before_move + 1
    move(-timedelta(hours=30))  # somebody set it back: what is told for the future is told anew
    told.record("EML-2", "fails")
    assert rows() == before_move + 2


def test_a_state_that_somebody_keeps_young_is_found(told):
    """No look is told of, day after day, and the page would say that there was one just now."""
    told.database.fill("UPDATE installation SET clock_offset = clock_offset + interval '2 days'")
    told.database.fill("UPDATE claim_state SET checked_at = now_v1()")
    with pytest.raises(Found, match="a day of which the ledger was not told"):
        told.verify()
