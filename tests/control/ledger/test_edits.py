"""Any one byte of any row of the ledger, or of any file of an export, changed: it is found."""

import random
import secrets
import string
from collections import Counter
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from troth.control.ledger.export import export
from troth.control.ledger.offline import verify_export
from troth.ledger.note import parse_vkey
from troth.ledger.verify import Found

EDITS = 1000
TABLES = ("ledger_leaf", "ledger_batch", "ledger_node", "ledger_checkpoint", "ledger_key", "ledger_pending")
UNCOVERED = {("ledger_pending", "id")}  # a place in the line, until it is a place in the tree
NAMED = {"leaf", "leaf_hash", "kind", "at", "tenant_id"}


def quiet(_done, _all):
    """No progress."""


@pytest.fixture
def unguarded(house):
    """With two entries in the line; the database refuses nothing any more, as for someone who owns its machine."""
    house.firm.operator.govern("category", house.firm.tenant, "late", CATEGORY | {"sender": sender(house)})
    with house.database.filler() as connection:
        found = connection.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE conrelid = ANY(%s::regclass[])"
            " AND contype IN ('c', 'p', 'f') ORDER BY contype = 'p'",
            ([f"troth.{table}" for table in TABLES],),
        ).fetchall()
        for table, name in found:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for table, column in connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE is_identity = 'YES'"
            " AND table_name = 'ledger_pending'"
        ).fetchall():
            connection.execute(f"ALTER TABLE {table} ALTER {column} DROP IDENTITY")
        # indexes that read the leaf as JSON would refuse what is none
        for (index,) in connection.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = ANY(%s::regclass[])"
            " AND (indexprs IS NOT NULL OR indpred IS NOT NULL)",
            ([f"troth.{table}" for table in TABLES],),
        ).fetchall():
            connection.execute(f"DROP INDEX {index}")
        yield connection


CATEGORY = {"name": "Late", "purpose": "Late notices", "legal_class": "transactional", "raw": True, "policy": {}}


def sender(house):
    return {"name": "Firm firm", "address": f"rent@{house.firm.name}"}


def edited(chance, value):
    """The value with one byte of it changed."""
    if isinstance(value, bytes):
        at = chance.randrange(len(value))
        return value[:at] + bytes((value[at] ^ chance.randrange(1, 256),)) + value[at + 1 :]
    if isinstance(value, str):
        at = chance.randrange(len(value))
        other = chance.choice([c for c in string.printable if c != value[at]])
        return value[:at] + other + value[at + 1 :]
    if isinstance(value, UUID):
        return UUID(bytes=edited(chance, value.bytes))
    if value is None:
        return UUID(int=chance.getrandbits(128))
    if isinstance(value, int):
        return value ^ (1 << chance.randrange(15 if value < 2**15 else 40))
    return value + timedelta(microseconds=chance.choice((-1, 1)) << chance.randrange(40))


def places(connection):
    """Every (table, column, ctid) there is."""
    for table in TABLES:
        cursor = connection.execute(f"SELECT ctid::text, * FROM {table}")
        names = [column.name for column in cursor.description[1:]]
        rows = cursor.fetchall()
        yield from ((table, name) for name in names if rows and (table, name) not in UNCOVERED)


@pytest.mark.slow
def test_one_byte_of_any_column_of_any_row_is_found(house, unguarded):
    house.verify(patience=0)
    seed = secrets.randbits(32)
    chance, columns, seen, missed = random.Random(seed), list(places(unguarded)), Counter(), []
    for number in range(EDITS):
        table, column = columns[number % len(columns)]
        ctid, key, before = chance.choice(
            unguarded.execute(f"SELECT ctid::text, to_jsonb({table}) ->> 'index', {column} FROM {table}").fetchall()
        )
        after = edited(chance, before)
        changed = change(unguarded, table, column, ctid, after)
        found = judged(lambda: house.verify(patience=0))
        named = table != "ledger_leaf" or column not in NAMED or (found and found.index == int(key))
        if found is None or not named:
            missed.append((table, column, before, after, found))
        seen[table, column] += 1
        change(unguarded, table, column, changed, before)
    assert missed == [], seed
    assert set(seen) == set(columns)
    house.verify(patience=0)


def judged(verify):
    """What was found; None: nothing."""
    try:
        verify()
    except Found as found:
        return found
    return None


def change(connection, table, column, ctid, value):
    """Sets one column of one row; where the row now lies."""
    query = f"UPDATE {table} SET {column} = %s WHERE ctid = %s::tid RETURNING ctid::text"
    return connection.execute(query, (value, ctid)).fetchone()[0]


@pytest.mark.parametrize("table", TABLES[:4])
def test_a_row_that_is_gone_is_found(house, table):
    with house.database.filler() as connection:
        first = "size" if table == "ledger_checkpoint" else "index"
        connection.execute(f"DELETE FROM {table} WHERE ctid = (SELECT ctid FROM {table} ORDER BY {first} DESC LIMIT 1)")
    with pytest.raises(Found):
        house.verify(patience=0)


@pytest.mark.parametrize("table", TABLES[:5])
def test_a_row_too_many_is_found(house, unguarded, table):
    unguarded.execute(f"INSERT INTO {table} SELECT * FROM {table} ORDER BY ctid LIMIT 1")
    with pytest.raises(Found):
        house.verify(patience=0)


@pytest.fixture
def exported(house, tmp_path):
    """Large enough for tiles of two levels, full ones and partial ones."""
    with psycopg.connect(**house.database.conninfo("postgres"), options="-c search_path=troth") as admin:
        for _ in range(3):
            entries = ["people:session:open"] * 150
            admin.execute("SELECT ledger_entry(%s, %s::uuid[], %s)", (entries, [None] * 150, ['{"account":"x"}'] * 150))
            admin.commit()
            house.tell()
            house.seal()
    with house.ledger() as connection:
        export(connection, tmp_path / "export", quiet)
    return tmp_path / "export"


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_one_byte_of_any_file_of_an_export_is_found(exported):
    verify_export(exported, None, [], quiet)
    seed = secrets.randbits(32)
    chance, paths, missed, seen = random.Random(seed), files(exported), [], Counter()
    for number in range(EDITS):
        path = paths[number % len(paths)]
        before = path.read_bytes()
        path.write_bytes(edited(chance, before))
        if judged(lambda: verify_export(exported, None, [], quiet)) is None:
            missed.append((path, before, path.read_bytes()))
        seen[path] += 1
        path.write_bytes(before)
    assert missed == [], seed
    assert set(seen) == set(paths)
    assert verify_export(exported, None, [], quiet).files == len(paths)


@pytest.mark.parametrize("cut", ["missing", "empty", "shorter", "longer"])
def test_any_file_of_an_export_missing_truncated_or_longer_is_found(exported, cut):
    for path in files(exported):
        before = path.read_bytes()
        if cut == "missing":
            path.unlink()
        else:
            path.write_bytes({"empty": b"", "shorter": before[:-1], "longer": before + b"\n"}[cut])
        with pytest.raises(Found):
            verify_export(exported, None, [], quiet)
        path.write_bytes(before)


@pytest.mark.parametrize(
    "name", ["README", "tile/0/000.p/3", "tile/entries/x001/000", "batches/007", "checkpoints/001"]
)
def test_a_file_too_many_in_an_export_is_found(exported, name):
    (exported / name).parent.mkdir(parents=True, exist_ok=True)
    (exported / name).write_bytes(b"x")
    with pytest.raises(Found, match="none of this export|not signed notes"):
        verify_export(exported, None, [], quiet)


def test_the_exports_key_is_a_note_key_of_its_log(exported):
    assert parse_vkey((exported / "log.vkey").read_text().strip()).name.startswith("troth/")
