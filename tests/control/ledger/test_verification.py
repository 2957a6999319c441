"""What `troth verify` finds on a running house, and what it says when all is well."""

import threading

import psycopg
import pytest
from tests.support.firm import make_operator

from troth.control.ledger import rows
from troth.control.ledger.verification import Asked, verify
from troth.flow.events import Happening, row
from troth.keys.ids import uuid7
from troth.ledger.checkpoint import sign
from troth.ledger.note import sign_note, vkey
from troth.ledger.verify import CannotVerify, Found
from troth.rules.states import Kind


def test_a_whole_ledger_is_ok_and_says_what_was_looked_at(house):
    house.tell()  # these wait in the line
    report = house.verify()
    assert report.entries == int(house.newest().split("\n")[1])
    assert (report.events, report.sealed, report.opened, report.erased) == (15, 12, 15, 0)
    assert report.governed == 9
    assert report.lines()[0].startswith(
        f"OK: {report.entries} entries, 12 sealed events, 3 signed checkpoints, the newest of"
    )
    assert "the database says so itself" in "".join(report.lines())
    assert report.as_json()["ok"] is True


def test_a_ledger_of_no_entry_yet_is_ok(database):
    make_operator(database)
    report = bare(database)
    assert report.lines()[0] == "OK: 0 entries, 0 sealed events, 0 signed checkpoints (the database)."
    assert report.waiting == 2
    assert "No sequencer runs" in report.lines()[-1]
    with pytest.raises(Found, match="no key and no entry yet"):
        bare(database, key=vkey("log", bytes(32)))


def bare(database, **asked):
    with rows.connect(database.conninfo("troth_ledger"), "verify") as connection:
        return verify(connection, connection, Asked(**asked))


def test_without_the_keyring_what_is_sealed_stays_closed_and_the_rest_is_judged(house):
    report = bare(house.database)
    assert (report.opened, report.events) == (None, 12)
    house.database.fill("UPDATE event SET source_key = 'other' WHERE kind = 2")
    bare(house.database)


def test_an_erased_persons_events_are_counted_and_stay_sealed(house):
    person = house.firm.people["erased@example.org"]
    with house.database.owner() as owner, owner.transaction():
        owner.execute("SELECT set_config('troth.tenant', %s, true)", (str(house.firm.tenant),))
        owner.execute("SELECT erase_person_v1(%s, %s)", (house.firm.tenant, person))
    report = house.verify()
    assert (report.events, report.opened, report.erased) == (12, 9, 3)
    assert "3 of erased people" in "".join(report.lines())


@pytest.mark.parametrize(
    "edit",
    [
        "kind = 10",
        "at = at + interval '1 microsecond'",
        "source_key = 'u'",
        "tenant_id = gen_random_uuid()",
        "detail_ct = set_byte(detail_ct, 40, get_byte(detail_ct, 40) # 1)",
        "detail_ct = NULL",
        "detail_ct = (SELECT detail_ct FROM event WHERE kind = 2 LIMIT 1)",
        "leaf_hash = set_byte(leaf_hash, 0, get_byte(leaf_hash, 0) # 1)",
    ],
)
def test_an_event_that_was_changed_after_it_was_told_is_found(house, edit):
    house.database.fill(f"UPDATE event SET {edit} WHERE message_id = %s AND kind = 1", house.messages[0])
    with pytest.raises(Found, match=str(house.messages[0])):
        house.verify()


def test_an_event_of_another_message_is_found(house):
    house.database.fill(
        "UPDATE event SET message_id = %s WHERE message_id = %s AND kind = 1", uuid7_of(house), house.messages[1]
    )
    with pytest.raises(Found, match="its message is gone"):
        house.verify()


def uuid7_of(house):
    return uuid7(house.database.run("SELECT now_v1()")[0][0])


def test_an_event_that_is_gone_is_found_at_the_entry_that_seals_it(house):
    house.database.fill("DELETE FROM event WHERE message_id = %s AND kind = 2", house.messages[0])
    with pytest.raises(Found, match="1 of the events that it seals have no row any more") as found:
        house.verify()
    assert found.value.index == house.database.run("SELECT min(index) FROM ledger_batch")[0][0]


def test_an_event_that_was_put_in_beside_the_line_is_found(house):
    at = house.database.run("SELECT now_v1()")[0][0]
    told = row(Happening(house.messages[0], house.firm.tenant, Kind.DELIVERED, "x", None), at)
    house.database.fill(
        "INSERT INTO event (message_id, kind, source_key, tenant_id, at, leaf_hash) VALUES (%s,%s,'x',%s,%s,%s)",
        told.message_id, told.kind, told.tenant_id, told.at, told.leaf_hash,
    )  # fmt: skip
    with pytest.raises(Found, match="in no sealed batch and not in the line"):
        bare(house.database)


def test_an_event_twice_is_found(house):
    house.database.fill(
        "INSERT INTO event SELECT message_id, kind, 'again', tenant_id, at, detail_ct, leaf_hash FROM event LIMIT 1"
    )
    with pytest.raises(Found, match="in no sealed batch"):
        bare(house.database)


def test_more_events_than_memory_takes_are_compared_just_so(house):
    assert house.verify(memory=200).events == 12
    house.database.fill("DELETE FROM event WHERE kind = 2 AND message_id = %s", house.messages[-1])
    with pytest.raises(Found, match="no row any more"):
        house.verify(memory=200)


def test_events_told_and_sealed_while_it_reads_are_nothing_wrong(house):
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            house.tell(copies=3)
            house.seal()

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(15):
            house.verify()
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    ("column", "value"),
    [("code", "'other'"), ("artefact", "'{}'"), ("digest", "sha256('x')"), ("approver_human", "proposer_human"),
     ("subject", "gen_random_uuid()"), ("kind", "'policy'"), ("change_id", "gen_random_uuid()")],
)  # fmt: skip
def test_an_approved_version_that_was_changed_is_found(house, column, value):
    with house.database.filler() as connection:
        for (name,) in connection.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'troth.snapshot'::regclass AND contype = 'c'"
        ).fetchall():
            connection.execute(f"ALTER TABLE snapshot DROP CONSTRAINT {name}")
    house.database.fill(f"UPDATE snapshot SET {column} = {value} WHERE kind = 'template'")
    with pytest.raises(Found, match="the approved version"):
        house.verify()


@pytest.mark.parametrize("forged", ["person", "snapshot"])
def test_a_version_that_nobody_approved_is_found(house, forged):
    del forged
    house.database.fill(
        "INSERT INTO snapshot SELECT gen_random_uuid(), kind, tenant_id, subject, code, version + 1, artefact, digest,"
        " gen_random_uuid(), proposer_human, approver_human, approved_at FROM snapshot WHERE kind = 'template'"
    )
    with pytest.raises(Found, match="has no entry in the ledger"):
        house.verify()


# ---- earlier checkpoints


def since(*notes):
    return [("held", notes)]


def test_a_ledger_extends_what_was_seen_of_it_before(house):
    notes = [note for (note,) in house.database.run("SELECT note FROM ledger_checkpoint ORDER BY size")]
    report = house.verify(since=since(*notes))
    assert report.since == 3
    assert "it extends 3 earlier checkpoints" in "".join(report.lines())


def test_a_rolled_back_database_is_found(house):
    """Back to an earlier checkpoint and then on with another history, or only back."""
    held, size = house.newest(), house.database.run("SELECT max(size) FROM ledger_checkpoint")[0][0]
    roll_back(house, 2)
    with pytest.raises(Found, match=f"rolled back: the checkpoint of .* saw {size} entries, this ledger has") as found:
        house.verify(since=since(held))
    assert found.value.index == house.database.run("SELECT max(index) + 1 FROM ledger_leaf")[0][0]
    house.witness.unlink()
    while house.database.run("SELECT max(size) FROM ledger_checkpoint")[0][0] <= size:
        house.tell()
        house.seal()
    assert house.verify().since == 0  # a true ledger, to whom holds nothing of before
    with pytest.raises(Found, match=f"rolled back: the checkpoint of {size} entries, .* has another root"):
        house.verify(since=since(held))


def roll_back(house, keep):
    """As from a backup: to the checkpoint `keep`, with events and messages of then."""
    size = house.database.run("SELECT size FROM ledger_checkpoint ORDER BY size LIMIT 1 OFFSET %s", keep - 1)[0][0]
    for table in ("leaf", "batch"):
        house.database.fill(f"DELETE FROM ledger_{table} WHERE index >= %s", size)
    house.database.fill("DELETE FROM ledger_checkpoint WHERE size > %s", size)
    house.database.fill("DELETE FROM ledger_node WHERE (index + 1) * (1::bigint << level) > %s", size)
    house.database.fill("DELETE FROM event WHERE message_id = ANY(%s)", house.messages[keep:])
    house.database.fill("DELETE FROM event_tally")
    house.database.fill(
        "INSERT INTO event_tally SELECT tenant_id, date_trunc('hour', at, 'UTC'), kind, count(*) FROM event GROUP BY 1, 2, 3"
    )


def test_a_checkpoint_that_is_not_one_or_not_this_logs_is_not_judged(house):
    body = sign(bytes(32), "troth/other/1", 1, bytes(32), house.database.run("SELECT now()")[0][0])
    for held, words in [
        ((body,), "of another log, troth/other/1"),
        (("text\n",), "not a checkpoint"),
        ((), "holds no checkpoint"),
    ]:
        with pytest.raises(CannotVerify, match=words):
            house.verify(since=since(*held))


def test_a_checkpoint_of_this_log_under_another_key_is_found(house):
    text = house.newest().split("\n\n")[0] + "\n"
    with pytest.raises(Found, match="key was replaced, or this checkpoint is false"):
        house.verify(since=since(sign_note(bytes(32), house.signer.origin, text)))


# ---- keys


def test_the_key_that_a_person_trusts_is_the_ledgers(house):
    assert house.verify(key=house.signer.vkey + "\n").key_given
    with pytest.raises(Found, match="keeps another key than the trusted one"):
        house.verify(key=vkey(house.signer.origin, bytes(32)))
    with pytest.raises(CannotVerify, match="--key"):
        house.verify(key="nonsense")


def test_a_ledger_signed_anew_from_the_start_is_found_by_the_key_alone(house):
    """Whoever owns the machine can make a whole ledger of his own; not under a key that he does not have."""
    other = bytes(32)
    with house.database.filler() as connection:
        for size, root, at in connection.execute("SELECT size, root, at FROM ledger_checkpoint").fetchall():
            note = sign(other, house.signer.origin, size, bytes(root), at)
            connection.execute("UPDATE ledger_checkpoint SET note = %s WHERE size = %s", (note, size))
        connection.execute("UPDATE ledger_key SET vkey = %s", (vkey(house.signer.origin, other),))
    house.verify()
    with pytest.raises(Found, match="keeps another key"):
        house.verify(key=house.signer.vkey)


def test_a_key_that_is_missing_is_found(house):
    house.database.fill("DELETE FROM ledger_key")
    with pytest.raises(Found, match="key is missing"):
        house.verify()


# ---- the line


def test_what_waits_though_a_sequencer_runs_is_found(house):
    house.tell()
    with psycopg.connect(**house.database.conninfo("troth_ledger"), autocommit=True) as sequencer:
        assert "No sequencer runs" in house.verify(patience=0).lines()[-1]
        sequencer.execute("SELECT pg_advisory_lock(7403)")
        with pytest.raises(Found, match="is not taken, though a sequencer runs"):
            house.verify(patience=0.6)


def test_what_waits_and_is_taken_in_time_is_nothing_wrong(house):
    house.tell()
    with psycopg.connect(**house.database.conninfo("troth_ledger"), autocommit=True) as sequencer:
        sequencer.execute("SELECT pg_advisory_lock(7403)")
        timer = threading.Timer(0.3, lambda: (sequencer.execute("SELECT pg_advisory_unlock(7403)"), house.seal()))
        timer.start()
        said = "".join(house.verify().said)
        timer.join()
    assert said == "" or said.startswith("No sequencer runs")


def test_an_entry_in_the_line_that_is_not_canonical_is_found(house):
    house.firm.operator.revoke(house.firm.template)
    house.database.fill(
        "UPDATE ledger_pending SET leaf = replace(leaf, ':', ': '),"
        " leaf_hash = sha256('\\x00'::bytea || convert_to(replace(leaf, ':', ': '), 'UTF8'))"
    )
    with pytest.raises(Found, match="of the line: its leaf is not in canonical form"):
        house.verify()


def test_no_leaf_is_longer_in_the_tree_than_its_log(house):
    """A change of a leaf and its hash together is found where it is, by the stored node above it."""
    with house.database.filler() as connection:
        connection.execute(
            'UPDATE ledger_leaf SET leaf = replace(leaf, \'"of":"template"\', \'"of":"Template"\'), leaf_hash = sha256('
            "'\\x00'::bytea || convert_to(replace(leaf, '\"of\":\"template\"', '\"of\":\"Template\"'), 'UTF8'))"
            " WHERE kind = 'governance:change:propose'"
        )
        (changed,) = connection.execute("SELECT min(index) FROM ledger_leaf WHERE leaf LIKE '%Template%'").fetchone()
    with pytest.raises(Found) as found:
        house.verify()
    assert found.value.index in (changed, changed - 1)


def test_an_unknown_kind_of_event_is_found(house):
    house.database.fill("ALTER TABLE event DROP CONSTRAINT known_event")
    house.database.fill("UPDATE event SET kind = 99 WHERE message_id = %s AND kind = 1", house.messages[0])
    with pytest.raises(Found, match="does not make an event"):
        house.verify()
