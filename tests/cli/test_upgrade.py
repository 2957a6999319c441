"""An upgrade beside working processes: it waits for nobody long, nobody waits long for it, and nothing is lost. Old code
does not work on a newer database.
"""

import asyncio
import subprocess
import sys
import threading
import time

import psycopg
import pytest
from tests.cli.backup.test_restore import Place

from troth.cli import database as upgrades
from troth.cli import schema_guard, standing_rules
from troth.rules.states import State


@pytest.fixture
def place(river, tmp_path):
    (tmp_path / "var" / "keys").mkdir(parents=True)
    (tmp_path / "master.key").rename(tmp_path / "var" / "keys" / "master")
    return Place(tmp_path, river.database)


def undo(database, tables=("person", "message", "spool")):
    """As if an older version had been here: policies and legal steps are of another one."""
    for table in tables:
        database.run(f"COMMENT ON POLICY own_tenant ON {table} IS 'older'")
    database.run("COMMENT ON FUNCTION refuse_step() IS 'older'")


async def test_mail_goes_on_while_the_schema_is_brought_up(river, stage, place):
    river.queue("ann@home.example", copies=400)
    stage.worker(connections=4)
    stage.worker(connections=4)
    await stage.until(lambda: len(stage.message_ids()) > 20)
    done = []
    while len(stage.message_ids()) < 350 and len(done) < 4:
        undo(river.database)
        done.append(await asyncio.to_thread(place.troth, "migrate"))
    await stage.until_all(State.SENT, 60)
    assert [one.returncode for one in done] == [0] * len(done), done[-1].stderr
    assert done
    assert len(stage.message_ids()) == len(set(stage.message_ids())) == 400
    await stage.stop()


def test_a_lock_that_is_held_is_tried_again_and_stands_in_nobody_s_way(river, place):
    """A long report holds a table; meanwhile others still come through, and in the end the upgrade does."""
    undo(river.database, ("person",))
    report = river.database.open("troth_flow")
    report.execute("BEGIN")
    report.execute("SELECT count(*) FROM person")
    upgrade = threading.Thread(target=lambda: place.__dict__.update(done=place.troth("migrate")))
    upgrade.start()
    other, worst, until = river.database.open("troth_flow"), 0.0, time.monotonic() + 6
    while time.monotonic() < until:
        began = time.monotonic()
        other.execute("SELECT count(*) FROM person")
        worst = max(worst, time.monotonic() - began)
        time.sleep(0.01)
    assert upgrade.is_alive(), "it went past a lock that somebody holds"
    report.execute("COMMIT")
    upgrade.join(60)
    assert place.done.returncode == 0, place.done.stderr
    assert worst < 1.5, f"a query waited {worst:.1f} s behind the upgrade"


def test_a_lock_that_never_comes_free_is_told(river, monkeypatch):
    monkeypatch.setattr(upgrades, "_PATIENCE", 0.5)
    undo(river.database, ("person",))
    report = river.database.open("troth_flow")
    report.execute("BEGIN")
    report.execute("SELECT count(*) FROM person")

    def act():
        with river.database.owner() as owner, owner.transaction():
            owner.execute("SET LOCAL lock_timeout = '100ms'")
            owner.execute("ALTER TABLE person ENABLE ROW LEVEL SECURITY")

    with pytest.raises(upgrades.Busy, match="run this again later"):
        upgrades._patiently(act)
    with pytest.raises(psycopg.errors.UndefinedTable):
        upgrades._patiently(lambda: report.execute("SELECT FROM nowhere"))


def test_an_upgrade_with_nothing_to_do_locks_no_table(river):
    with river.database.owner() as owner:
        statements = [s for transaction in standing_rules.transactions(owner) for s in transaction]
    assert not [s for s in statements if s.startswith(("ALTER TABLE", "CREATE POLICY", "DROP POLICY"))]


def test_what_someone_undid_by_hand_is_put_right(river, place):
    river.database.run("ALTER TABLE person DISABLE ROW LEVEL SECURITY")
    river.database.run("GRANT DELETE ON suppression TO troth_flow")
    river.database.run("DROP POLICY own_tenant ON message")
    assert place.troth("migrate").returncode == 0
    assert river.database.run("SELECT relrowsecurity FROM pg_class WHERE oid = 'person'::regclass") == [(True,)]
    assert river.database.run("SELECT has_table_privilege('troth_flow', 'suppression', 'DELETE')") == [(False,)]
    assert river.database.run("SELECT count(*) FROM pg_policy WHERE polrelid = 'message'::regclass") == [(2,)]


@pytest.mark.parametrize("newer", [("audit", "9999_tomorrow"), ("incidents", "0001_incidents")])
def test_old_code_refuses_a_newer_database(river, place, newer):
    river.database.fill("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())", *newer)
    relay = {"TROTH_RELAY_HOST": "127.0.0.1", "TROTH_SPF_MECHANISM": "a"}
    for words in (["migrate"], ["up"], ["serve", "worker"], ["serve", "door"], ["serve", "duties"], ["serve", "pages"]):
        said = place.refused(*words, **relay)
        assert "made by a newer Troth" in said, words
        assert ".".join(newer) in said


def test_the_guard_knows_every_migration_that_django_knows(river):
    code = (
        "import json, sys; from troth.cli import database, schema_guard\n"
        "known = database.known(json.loads(sys.argv[1]))\n"
        "schema_guard.refuse(known)\n"
        "assert schema_guard.ours() <= known, schema_guard.ours() - known"
    )
    import json

    where = json.dumps(river.database.conninfo("troth_migrate"))
    done = subprocess.run([sys.executable, "-c", code, where], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    schema_guard.refuse([("auth", "9999_theirs")])


def test_migrate_says_what_it_will_do(place):
    said = place.troth("migrate", "--plan")
    assert said.returncode == 0, said.stderr
    assert "to do: no migration" in said.stderr
    assert "Nothing was done" in said.stdout
