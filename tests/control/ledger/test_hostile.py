"""What nobody writes by chance: values of no year, nothing at all, counts, erasures and entries that were made up."""

import json
import os
from collections.abc import Iterator

import psycopg
import pytest
from tests.control.ledger.test_edits import CATEGORY, quiet, sender

from troth.control.ledger.export import CannotExport, export
from troth.control.ledger.offline import verify_export
from troth.control.ledger.verification import Asked, verify
from troth.ledger.canonical import canonical
from troth.ledger.checkpoint import notes
from troth.ledger.leaf import leaf_hash
from troth.ledger.verify import Found
from troth.rules.states import Kind

TABLES = (
    "ledger_leaf", "ledger_batch", "ledger_node", "ledger_checkpoint", "ledger_key", "ledger_pending",
    "event_pending", "event_tally", "event", "snapshot",
)  # fmt: skip
# what is only a place in the line, and what verification does not read
FREE = {("ledger_pending", "id"), ("event_pending", "id"), ("event_pending", "at"), ("snapshot", "id")} | {
    ("snapshot", name) for name in ("version", "proposer_human", "approved_at")
}
TIMES = ("infinity", "-infinity", "290000-01-01 00:00Z", "4000-01-01 00:00Z BC", "0001-01-01 00:00Z")


@pytest.fixture
def open_house(house) -> Iterator[tuple]:
    """With entries and events in the line, and a database without a rule."""
    house.firm.operator.govern("category", house.firm.tenant, "late", CATEGORY | {"sender": sender(house)})
    house.tell("late@example.org", (Kind.ACCEPTED,))
    with house.database.filler() as connection:
        for table, name in connection.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE conrelid = ANY(%s::regclass[])"
            " AND contype IN ('c', 'p', 'f', 'u') AND conparentid = 0 ORDER BY contype = 'p'",
            ([f"troth.{table}" for table in TABLES],),
        ).fetchall():
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE")
        for table, column, kind, empty, _ in described(connection):
            if kind == "YES":
                connection.execute(f"ALTER TABLE {table} ALTER {column} DROP IDENTITY")
            if empty == "NO" and (table, column) != ("event", "message_id"):
                connection.execute(f"ALTER TABLE {table} ALTER {column} DROP NOT NULL")
        yield house, connection


def described(connection):
    return connection.execute(
        "SELECT table_name, column_name, is_identity, is_nullable, udt_name FROM information_schema.columns"
        " WHERE table_schema = 'troth' AND table_name = ANY(%s) ORDER BY 1, 2",
        (list(TABLES),),
    ).fetchall()


def edits(connection):
    """(table, column, SQL value) of every column: nothing, and the times that no calendar of ours has."""
    for table, column, _, _, kind in described(connection):
        if (table, column) in FREE or (table, column) == ("event", "message_id"):
            continue
        if kind == "timestamptz":
            yield from ((table, column, f"'{time}'::timestamptz") for time in TIMES)
        if (table, column) != ("ledger_leaf", "tenant_id"):
            yield table, column, "NULL"


def test_nothing_and_no_year_in_any_column_is_found(open_house):
    house, connection = open_house
    house.verify(patience=0)
    missed = []
    for table, column, value in edits(connection):
        ctid, part, before = connection.execute(
            f"SELECT ctid::text, tableoid::regclass::text, {column}::text FROM {table}"
            f" WHERE {column} IS NOT NULL ORDER BY ctid LIMIT 1"
        ).fetchone()
        kind = connection.execute(f"SELECT pg_typeof({column})::text FROM {table} LIMIT 1").fetchone()[0]
        moved = connection.execute(
            f"UPDATE {part} SET {column} = {value} WHERE ctid = %s::tid RETURNING ctid::text", (ctid,)
        ).fetchone()[0]
        try:
            house.verify(patience=0)
        except Found:
            pass
        except Exception as trouble:  # noqa: BLE001 - what is not Found is what this looks for
            missed.append((table, column, value, repr(trouble)[:200]))
        else:
            missed.append((table, column, value, "OK"))
        connection.execute(f"UPDATE {part} SET {column} = %s::{kind} WHERE ctid = %s::tid", (before, moved))
    assert missed == []
    house.verify(patience=0)


def test_what_is_approved_and_erased_while_it_reads_is_nothing_wrong(house):
    erased = iter(["zoe@example.org", "yan@example.org"])

    def meanwhile(_done, _all):
        house.firm.operator.govern("category", house.firm.tenant, "late", CATEGORY | {"sender": sender(house)})
        erase(house, next(erased))

    assert house.verify(progress=meanwhile).entries


def erase(house, address):
    with house.database.owner() as owner, owner.transaction():
        owner.execute("SELECT set_config('troth.tenant', %s, true)", (str(house.firm.tenant),))
        owner.execute("SELECT erase_person_v1(%s, %s)", (house.firm.tenant, house.firm.people[address]))


def test_an_erasure_that_nobody_ordered_is_found(house):
    """Else whoever owns the machine could hide a change of an event behind it."""
    house.database.fill("UPDATE person SET status = 4, erased_at = now(), data_key = NULL, address_ct = NULL"
                        " WHERE id = %s", house.firm.people["zoe@example.org"])  # fmt: skip
    with pytest.raises(Found, match="no entry in the ledger says that"):
        house.verify()


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE event_tally SET n = n + 1 WHERE kind = 1",
        "UPDATE event_tally SET n = n - 1 WHERE kind = 1",
        "DELETE FROM event_tally WHERE kind = 1",
        "UPDATE event_tally SET kind = 13 WHERE kind = 1",
        "UPDATE event_tally SET hour = hour + interval '1 microsecond' WHERE kind = 1",
        "UPDATE event_tally SET tenant_id = gen_random_uuid() WHERE kind = 1",
        "INSERT INTO event_tally SELECT gen_random_uuid(), hour, kind, n FROM event_tally LIMIT 1",
    ],
)
def test_counts_that_are_not_the_events_are_found(house, edit):
    house.database.fill(edit)
    with house.ledger() as connection, pytest.raises(Found, match="counts"):
        verify_bare(connection)


def verify_bare(connection):
    return verify(connection, connection, Asked(patience=0))


def test_an_event_sealed_twice_in_one_batch_is_found(house):
    """By someone with the signing key, who owns the database: everything else agrees."""
    house.tell("twice@example.org", (Kind.ACCEPTED,))
    house.database.fill("UPDATE event_pending SET hashes = hashes || hashes")
    house.seal()
    with pytest.raises(Found, match="twice"):
        house.verify()


def test_a_checkpoint_that_is_gone_from_the_middle_is_found(house, tmp_path):
    with house.ledger() as connection:
        export(connection, tmp_path / "export", quiet)
    path = tmp_path / "export" / "checkpoints" / "000"
    first, gone, last = notes(path.read_text())
    path.write_text(f"{first}\n{last}")
    with pytest.raises(Found, match="as it sealed, is missing"):
        verify_export(tmp_path / "export", None, [], quiet)
    house.database.fill("DELETE FROM ledger_checkpoint WHERE note = %s", gone)
    with pytest.raises(Found, match="as it sealed, is missing"):
        house.verify()


# ---- entries of any length


def test_an_entry_too_long_for_an_export_is_refused(house):
    with house.database.open("troth_control") as control:
        with pytest.raises(psycopg.Error, match="65535") as refused:
            append(control, "x" * 65_500)
        assert refused.value.sqlstate == "22023"
        append(control, "x" * 65_000)


def append(connection, text):
    connection.execute(
        "SELECT ledger_append_v1(ARRAY['access:page:view'], ARRAY[NULL]::uuid[], ARRAY[%s])",
        (json.dumps({"x": text}),),
    )


def test_an_entry_too_long_is_not_exported(house, tmp_path):
    """Nor does it end in anything but a sentence."""
    with house.database.filler() as connection:
        for table in ("ledger_pending", "ledger_leaf"):
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT fits_a_bundle")
        (at,) = connection.execute(
            "SELECT (extract(epoch FROM '2026-05-05Z'::timestamptz) * 1000000)::bigint"
        ).fetchone()
        leaf = canonical({"at": at, "kind": "a:b:c", "tenant": "", "x": "y" * 70_000}).decode()
        connection.execute(
            "INSERT INTO ledger_pending (kind, at, leaf, leaf_hash) VALUES ('a:b:c', '2026-05-05Z', %s, %s)",
            (leaf, leaf_hash(leaf.encode())),
        )
    house.seal()
    with house.ledger() as connection, pytest.raises(CannotExport, match="longer than"):
        export(connection, tmp_path / "export", quiet)


# ---- names that no terminal shows


def test_a_file_with_a_name_that_is_not_text_is_named_all_the_same(house, tmp_path):
    with house.ledger() as connection:
        export(connection, tmp_path / "export", quiet)
    (tmp_path / "export" / os.fsdecode(b"tile/\xff\x1b[2J")).write_bytes(b"x")
    with pytest.raises(Found, match="none of this export") as found:
        verify_export(tmp_path / "export", None, [], quiet)
    str(found.value).encode()
    assert "\x1b" not in str(found.value)
