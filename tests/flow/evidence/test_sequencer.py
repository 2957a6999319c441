"""The sequencer: all that waits is sealed in order, under a checkpoint that verifies; nothing else gets in or out."""

import asyncio
import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from tests.support.firm import make_operator

from troth.flow.evidence.sealing import SEAL
from troth.flow.evidence.sequencer import Keeper, KeyDiffers, Signer, run_sequencer
from troth.flow.evidence.witness import RolledBack, Witness
from troth.keys.ids import uuid7
from troth.ledger.checkpoint import notes, parse
from troth.ledger.tree import merkle_root, split

SIGNER = Signer.of(UUID(int=7), b"s" * 32)
TENANT = UUID(int=5)


@pytest.fixture
def admin(database):
    make_operator(database)  # its genesis is proposed and approved: two entries wait
    return database.open("postgres")


@pytest.fixture
def witness(tmp_path):
    return Witness(tmp_path / "elsewhere" / "witness")


@asynccontextmanager
async def leading(database, witness, signer=SIGNER):
    connection = await database.connect("sequencer", "troth_ledger")
    try:
        keeper = Keeper(signer, witness)
        await keeper.begin(connection)
        yield keeper, connection
    finally:
        await connection.close()


def tell(database, *kinds, at=None):
    """Events as the river writes them; their leaf hashes."""
    at = at or database.run("SELECT now_v1()")[0][0]
    hashes = [os.urandom(32) for _ in kinds]
    with psycopg.connect(**database.conninfo("troth_flow"), options="-c search_path=troth") as flow:
        flow.execute(
            "INSERT INTO event SELECT unnest(%s::uuid[]), unnest(%s::smallint[]), 'x', %s, %s, NULL, unnest(%s::bytea[])",
            ([uuid7(at) for _ in kinds], list(kinds), TENANT, at, hashes),
        )
    return hashes


def leaves(admin):
    return admin.execute("SELECT index, kind, leaf_hash FROM ledger_leaf ORDER BY index").fetchall()


def waiting(admin):
    return admin.execute(
        "SELECT (SELECT count(*) FROM ledger_pending), (SELECT count(*) FROM event_pending)"
    ).fetchone()


async def test_all_that_waits_is_sealed_under_a_checkpoint_that_verifies(database, admin, witness):
    told = [*tell(database, 1, 1, 3), *tell(database, 3)]
    async with leading(database, witness) as (keeper, connection):
        assert await keeper.turn(connection) is False
        assert await keeper.turn(connection) is False  # nothing waits: nothing is signed
    found = leaves(admin)
    assert [kind for _, kind, _ in found] == ["governance:change:propose", "governance:change:approve", SEAL]
    assert waiting(admin) == (0, 0)
    [(size, root, note)] = admin.execute("SELECT size, root, note FROM ledger_checkpoint").fetchall()
    seen = parse(note, SIGNER.vkey)
    assert (seen.size, seen.root) == (size, root) == (3, merkle_root(h for _, _, h in found))
    events, hashes = admin.execute("SELECT events, hashes FROM ledger_batch WHERE index = 2").fetchone()
    assert (events, sorted(split(hashes))) == (4, sorted(told))
    root_told = admin.execute("SELECT leaf::jsonb ->> 'root' FROM ledger_leaf WHERE index = 2").fetchone()[0]
    assert bytes.fromhex(root_told) == merkle_root(split(hashes))


async def test_counts_grow_with_what_is_sealed(database, admin, witness):
    at = datetime(2026, 3, 4, 5, 59, tzinfo=UTC)
    database.run("SELECT make_partitions_v1()")
    now = database.run("SELECT now_v1()")[0][0]
    async with leading(database, witness) as (keeper, connection):
        for moment in (now, now):
            tell(database, 1, 1, 3, at=moment)
            await keeper.turn(connection)
    rows = admin.execute("SELECT tenant_id, kind, n FROM event_tally ORDER BY kind").fetchall()
    assert rows == [(TENANT, 1, 4), (TENANT, 3, 2)]
    assert at < now


async def test_a_new_leader_goes_on_where_the_last_one_was(database, admin, witness):
    for _ in range(5):
        tell(database, 1)
        async with leading(database, witness) as (keeper, connection):
            await keeper.turn(connection)
    found = leaves(admin)
    assert [index for index, _, _ in found] == list(range(7))
    root = admin.execute("SELECT root FROM ledger_checkpoint ORDER BY size DESC LIMIT 1").fetchone()[0]
    assert root == merkle_root(h for _, _, h in found)


async def test_a_turn_that_could_not_be_kept_is_done_again_from_where_the_database_is(database, admin, witness):
    async with leading(database, witness) as (keeper, connection):
        admin.execute("ALTER TABLE ledger_checkpoint ADD CONSTRAINT away CHECK (size < 0) NOT VALID")
        with pytest.raises(psycopg.errors.CheckViolation):
            await keeper.turn(connection)
        assert leaves(admin) == []
        admin.execute("ALTER TABLE ledger_checkpoint DROP CONSTRAINT away")
        await keeper.turn(connection)
    assert len(leaves(admin)) == 2


async def test_it_runs_seals_within_five_seconds_and_leaves_its_word_with_the_witness(database, admin, witness):
    stop = asyncio.Event()
    run = asyncio.create_task(run_sequencer(
        lambda name: database.connect(name, "troth_ledger"), SIGNER, witness, stop, every=0.05))  # fmt: skip
    second = asyncio.create_task(run_sequencer(
        lambda name: database.connect(name, "troth_ledger"), SIGNER, witness, stop, every=0.05))  # fmt: skip
    tell(database, 1)
    async with asyncio.timeout(5):
        while waiting(admin) != (0, 0) or not leaves(admin):
            await asyncio.sleep(0.02)
        tell(database, 3)
        while waiting(admin) != (0, 0):
            await asyncio.sleep(0.02)
    stop.set()
    await asyncio.gather(run, second)
    newest = admin.execute("SELECT note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1").fetchone()[0]
    kept = notes(witness._path.read_text())
    assert kept[-1].strip() == newest.strip()
    assert witness.newest(SIGNER.vkey) == parse(newest, SIGNER.vkey)


async def test_a_database_that_is_away_is_waited_for(database, admin, witness):
    stop, tries = asyncio.Event(), []

    async def connect(name):
        tries.append(name)
        if len(tries) == 1:
            raise psycopg.OperationalError("away")
        stop.set()
        return await database.connect(name, "troth_ledger")

    await asyncio.wait_for(run_sequencer(connect, SIGNER, witness, stop, every=0.01), 5)
    assert len(tries) >= 1


async def test_a_ledger_that_was_rolled_back_is_not_signed_on(database, admin, witness):
    async with leading(database, witness) as (keeper, connection):
        await keeper.turn(connection)
        await keeper.testify()
    for table in ("ledger_checkpoint", "ledger_batch", "ledger_node", "ledger_leaf"):
        database.fill(f"DELETE FROM troth.{table}")
    with pytest.raises(RolledBack, match="holds a checkpoint of 2 leaves that this ledger does not"):
        async with leading(database, witness):
            pass
    stops = "SELECT effect, started_by, reason FROM pause WHERE tenant_id IS NULL AND released_at IS NULL"
    ((effect, by, reason),) = admin.execute(stops).fetchall()
    assert (effect, by) == ("stop-delivery", "ledger")
    assert "2 entries were seen before" in reason
    with pytest.raises(RolledBack):
        async with leading(database, witness):
            pass
    assert len(admin.execute(stops).fetchall()) == 1, "one stop, however often it is found"
    told = admin.execute("SELECT count(*) FROM ledger_pending WHERE kind = 'sending:pause:start'").fetchone()
    assert told == (1,), "it is an entry of the ledger like any stop"


async def test_a_ledger_of_another_key_is_not_signed_on(database, admin, witness):
    async with leading(database, witness) as (keeper, connection):
        await keeper.turn(connection)  # the key is kept with the first checkpoint
    with pytest.raises(KeyDiffers):
        async with leading(database, witness, Signer.of(UUID(int=7), b"t" * 32)):
            pass


async def test_a_witness_that_cannot_be_written_stops_nothing_and_is_tried_again(database, admin, tmp_path):
    blocked = Witness(tmp_path / "file" / "witness")
    (tmp_path / "file").write_text("in the way")
    async with leading(database, Witness(tmp_path / "other")) as (keeper, connection):
        keeper._witness = blocked
        await keeper.turn(connection)
        assert len(leaves(admin)) == 2
        (tmp_path / "file").unlink()
        await keeper.testify()
        await keeper.testify()  # said once
    assert len(notes((tmp_path / "file" / "witness").read_text())) == 1


def test_notes_of_others_in_the_file_are_passed_over(tmp_path):
    witness = Witness(tmp_path / "witness")
    assert witness.newest(SIGNER.vkey) is None
    witness.add("half a no")
    assert witness.newest(SIGNER.vkey) is None


async def test_a_full_turn_asks_for_another_at_once(database, admin, witness, monkeypatch):
    monkeypatch.setattr("troth.flow.evidence.sequencer.MOST", 1)
    async with leading(database, witness) as (keeper, connection):
        assert await keeper.turn(connection) is True
        assert await keeper.turn(connection) is True
        assert await keeper.turn(connection) is False


class TestTheDatabaseHoldsItWhoeverWrites:
    @pytest.fixture
    async def sealed(self, database, admin, witness):
        tell(database, 1)
        async with leading(database, witness) as (keeper, connection):
            await keeper.turn(connection)
        tell(database, 1)
        admin.execute("SELECT ledger_append_v1(ARRAY['access:page:read'], ARRAY[NULL::uuid], ARRAY['{}'])")
        return database.open("troth_ledger")

    @pytest.mark.parametrize(
        ("attempt", "state"),
        [
            ("DELETE FROM ledger_pending", "42501"),
            ("DELETE FROM event_pending", "42501"),
            ("UPDATE ledger_pending SET at = now()", "42501"),
            ("TRUNCATE event_pending", "42501"),
            ("DELETE FROM ledger_leaf", "42501"),
            ("UPDATE ledger_checkpoint SET size = 9", "42501"),
            ("INSERT INTO ledger_leaf SELECT 1, 4, tenant_id, kind, at, leaf, leaf_hash FROM ledger_pending", "23514"),
            ("INSERT INTO ledger_leaf SELECT 1, 2, tenant_id, kind, at, leaf, leaf_hash FROM ledger_pending", "23505"),
            (
                "INSERT INTO ledger_leaf SELECT 1, 3, tenant_id, 'a:b:c', at, leaf, leaf_hash FROM ledger_pending",
                "23514",
            ),
            (
                "INSERT INTO ledger_leaf SELECT 1, 3, NULL, kind, at, leaf, leaf_hash FROM ledger_leaf WHERE index = 0",
                "42501",
            ),
            ("INSERT INTO ledger_batch SELECT 1, 1, events, first_at, last_at, hashes FROM ledger_batch", "23514"),
            ("INSERT INTO ledger_pending (kind) VALUES ('a:b:c')", "42501"),
            # one entry twice, in one statement or in two; a node or a checkpoint of its own; hashes between two
            (
                "INSERT INTO ledger_leaf SELECT 1, 3 + n, tenant_id, kind, at, leaf, leaf_hash FROM ledger_pending, (VALUES (0), (1)) v(n)",
                "42501",
            ),
            ("INSERT INTO ledger_node SELECT 1, 1, 1, hash FROM ledger_node WHERE level = 1 AND index = 0", "23514"),
            ("INSERT INTO ledger_node SELECT 1, 40, 7, hash FROM ledger_node LIMIT 1", "23514"),
            ("INSERT INTO ledger_checkpoint SELECT 1, 1000, root, at, note FROM ledger_checkpoint", "23514"),
            ("INSERT INTO ledger_checkpoint SELECT 1, 2, root, at, note FROM ledger_checkpoint", "23514"),
        ],
    )
    def test_refused(self, sealed, attempt, state):
        with pytest.raises(psycopg.Error) as refused:
            sealed.execute(attempt)
        assert refused.value.sqlstate == state

    def test_an_events_place_in_the_line_cannot_be_avoided(self, database, sealed):
        before = database.run("SELECT count(*) FROM event_pending")[0][0]
        tell(database, 1, at=database.run("SELECT now_v1()")[0][0] + timedelta(seconds=1))
        assert database.run("SELECT count(*) FROM event_pending")[0][0] == before + 1

    def test_what_waited_once_is_in_the_tree_once_and_in_its_order(self, database, admin, sealed):
        admin.execute("SELECT ledger_append_v1(ARRAY['access:page:read'], ARRAY[NULL::uuid], ARRAY['{}'])")
        take = (
            "INSERT INTO ledger_leaf SELECT 1, %s + row_number() OVER (ORDER BY id {0}) - 1, tenant_id, kind, at, leaf,"
            " leaf_hash FROM (SELECT * FROM ledger_pending ORDER BY id {1}) AS p"
        )
        with pytest.raises(psycopg.errors.CheckViolation, match="in the order of the line"):
            sealed.execute(take.format("DESC", ""), (3,))
        sealed.execute(take.format("", "LIMIT 1"), (3,))
        (leaf,) = sealed.execute("SELECT leaf FROM ledger_leaf WHERE index = 3").fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="what waited in the line"):
            sealed.execute(
                "INSERT INTO ledger_leaf SELECT 1, 4, tenant_id, kind, at, leaf, leaf_hash FROM ledger_leaf"
                " WHERE leaf = %s", (leaf,)
            )  # fmt: skip
        assert admin.execute("SELECT count(*) FROM ledger_pending").fetchone() == (1,)

    @pytest.mark.parametrize("at", ["infinity", "-infinity", "20000-01-01", "0044-03-15 BC"])
    def test_no_event_of_a_time_that_nobody_can_read_stops_the_sequencer(self, database, sealed, at):
        with psycopg.connect(**database.conninfo("troth_flow"), options="-c search_path=troth") as flow:
            with pytest.raises(psycopg.errors.CheckViolation, match="of_this_era"):
                flow.execute(
                    "INSERT INTO event SELECT %s, 1, 'x', %s, %s::timestamptz, NULL, %s",
                    (uuid7(database.run("SELECT now_v1()")[0][0]), TENANT, at, os.urandom(32)),
                )
