"""Backup and restore by their commands, between two databases of one server: what comes back is what was there, and
sends nothing by itself.
"""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from tests.support.postgres import Database
from tests.support.river import River

from troth.rules import restore_drill
from troth.rules.states import Kind, State

_CLASSES = """
SELECT relname, relkind, relrowsecurity, relforcerowsecurity,
       array(SELECT a::text FROM unnest(relacl) a WHERE a::text NOT LIKE 'troth_owner=%')
FROM pg_class WHERE relnamespace = 'troth'::regnamespace ORDER BY 1
"""
PASSPHRASE = "orange tulip under the bridge"


def call(home, database, *words, **settings):
    where = database.conninfo()
    url = f"postgresql://postgres@/{where['dbname']}?host={quote(where['host'], safe='')}&port={where['port']}"
    given = {"TROTH_MODE": "test", "TROTH_VAR_DIR": str(home / "var"), "TROTH_DATABASE_URL": url} | settings
    env = {n: v for n, v in os.environ.items() if not n.startswith("TROTH_")} | given
    return subprocess.run(
        [sys.executable, "-m", "troth.cli", *map(str, words)],
        cwd=home,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )


@dataclass
class Place:
    """A machine: a folder and a database on the test's server."""

    home: Path
    database: Database

    def troth(self, *words, **settings):
        # what the river's fixture writes past approve_v1 has no entry in the ledger; tests/faults has one that verifies
        more = ("--without-verify",) if words[0] == "restore" else ()
        return call(self.home, self.database, *words, *more, **settings)

    def refused(self, *words, **settings):
        done = self.troth(*words, **settings)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr.splitlines()[-1]


@pytest.fixture
def here(river, tmp_path):
    """The platform that is backed up; the river's master key is in its place."""
    home = tmp_path / "here"
    (home / "var" / "keys").mkdir(parents=True)
    (tmp_path / "master.key").rename(home / "var" / "keys" / "master")
    (home / "var" / "keys" / "web").write_text("signs the pages' cookies")
    (home / "var" / "keys" / "web").chmod(0o600)
    (home / "troth.toml").write_text('relay_host = "relay.example"\nspf_mechanism = "include:spf.example"\n')
    return Place(home, river.database)


@contextmanager
def another(server, home):
    name = f"restored_{os.getpid()}_{os.urandom(3).hex()}"
    home.mkdir()
    made = Database(server, name)
    try:
        yield Place(home, made)
    finally:
        for connection in made.opened:
            connection.close()
        with psycopg.connect(**server.conninfo(), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def there(pg_server, tmp_path):
    """A wiped machine."""
    with another(pg_server, tmp_path / "there") as place:
        yield place


def back_up(here, *words):
    done = here.troth("backup", here.home / "b", *words)
    assert done.returncode == 0, done.stderr
    return here.home / "b"


def exists(place):
    with psycopg.connect(**place.database.server.conninfo()) as admin:
        return (
            admin.execute("SELECT FROM pg_database WHERE datname = %s", (place.database.name,)).fetchone() is not None
        )


def untouched(place):
    """No schema of ours, and no file."""
    if exists(place):
        with psycopg.connect(**place.database.conninfo("postgres")) as admin:
            assert not admin.execute("SELECT FROM pg_class WHERE relnamespace = to_regnamespace('troth')").fetchone()
    return not [path for path in place.home.rglob("*") if path.is_file()]


async def test_what_comes_back_is_what_was_there_and_waits_for_two_people(river, here, there, stage):
    now = datetime.now(UTC)
    waited = river.queue("ann@home.example", copies=3)
    later = river.queue("ann@home.example", due=now + timedelta(hours=5))
    path = back_up(here)
    told = json.loads((here.home / "var" / "backup.json").read_text())
    assert told["rows"] > 20
    assert here.database.run("SELECT count(*) FROM ledger_pending WHERE kind = 'backup:database:take'") == [(1,)]
    done = there.troth("restore", path, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["uncertain"] == 3
    assert (there.home / "var/keys/web").read_text() == "signs the pages' cookies"
    assert (there.home / "troth.toml").read_bytes() == (here.home / "troth.toml").read_bytes()
    assert (there.home / "var/keys/master").stat().st_mode & 0o777 == 0o600

    river.database = there.database  # from here on the workers are the restored platform's
    worker = stage.worker()
    await stage.until(lambda: all(river.told(one)[:1] == [Kind.UNCERTAIN] for one in waited))
    await stage.until(lambda: worker.counters.suppressed + worker.counters.returned + worker.counters.held >= 0)
    assert not stage.got(), "something was sent before two people said so"
    assert river.told(later[0]) == []
    river.database.fill("UPDATE pause SET released_at = now(), release_change = gen_random_uuid()")
    river.database.fill("UPDATE spool SET due = now() WHERE message_id = ANY(%s)", waited)
    for one in waited:
        await stage.until_state(one, State.SENT)
    assert river.told(waited[0])[-1] is Kind.SENT
    assert len(stage.got()) == 3
    assert sorted(stage.message_ids()) == sorted(f"<{one.hex}@mail.acme.example>" for one in waited)
    await stage.stop()


def test_every_table_constraint_grant_and_sequence_is_the_same(river, here, there):
    river.queue("ann@home.example", copies=5)
    river.suppress("bea@home.example")
    done = there.troth("restore", back_up(here))
    assert done.returncode == 0, done.stderr

    def shape(database):
        return [
            row
            for query in (
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'troth'::regnamespace ORDER BY 1, 2",
                "SELECT tgname, tgrelid::regclass::text, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
                _CLASSES,
                "SELECT tablename, policyname, qual, with_check FROM pg_policies ORDER BY 1, 2",
                "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'troth' ORDER BY 1",
                "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_class c WHERE c.relispartition ORDER BY 1",
            )
            for row in database.run(query)
        ]

    ours, theirs = shape(here.database), shape(there.database)
    assert [row for row in ours if row not in theirs] == [row for row in theirs if row not in ours] == []
    ours, theirs = (
        dict(p.database.run("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'troth'"))
        for p in (here, there)
    )
    # what the backup and the restore themselves have told the ledger
    assert ours.pop("ledger_pending_id_seq") <= theirs.pop("ledger_pending_id_seq")
    assert ours == theirs
    kinds = [k for (k,) in there.database.run("SELECT kind FROM ledger_pending ORDER BY id")]
    assert kinds[-2:] == ["sending:pause:start", "backup:database:restore"]


@pytest.mark.parametrize("lost", [True, False])
def test_without_its_keyring_a_backup_is_refused(here, there, lost):
    path = back_up(here)
    copy = path.with_name("b.key")
    if lost:
        copy.unlink()
        says = "The keyring of this backup is missing"
    else:
        from troth.outside.kms import LocalKms

        copy.unlink()
        LocalKms.create(copy)
        says = "does not open this backup"
    words = there.refused("restore", path)
    assert says in words
    assert "can never be read" in words
    assert untouched(there)


def test_a_backup_without_key_says_so_and_wants_it(here, there):
    done = here.troth("backup", here.home / "b", "--without-key")
    assert "THE KEYRING IS NOT IN IT" in done.stdout
    assert "can never be read" in done.stdout
    assert not (here.home / "b.key").exists()
    assert "is missing" in there.refused("restore", here.home / "b")
    assert there.troth("restore", here.home / "b", "--key", here.home / "var/keys/master").returncode == 0


def test_a_keyring_under_a_passphrase_travels_in_the_backup(here, there, tmp_path):
    words = tmp_path / "words"
    words.write_text(PASSPHRASE)
    words.chmod(0o600)
    path = back_up(here, "--with-key", "--passphrase-file", words)
    key = json.loads((here.home / "var/keys/master").read_text())["keys"][0]["key"]
    assert key.encode() not in path.read_bytes()
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase")
    wrong.chmod(0o600)
    assert "does not open the keyring" in there.refused("restore", path, "--passphrase-file", wrong)
    assert untouched(there)
    assert there.troth("restore", path, "--passphrase-file", words).returncode == 0
    assert (there.home / "var/keys/master").read_bytes() == (here.home / "var/keys/master").read_bytes()


def test_nothing_can_be_read_in_the_file(river, here):
    river.queue("ann@home.example")
    octets = back_up(here).read_bytes()
    for plain in (b"ann@home", b"Acme Homes", b"Rent due", b"relay.example", b"signs the pages"):
        assert plain not in octets
    assert (here.home / "b").stat().st_mode & 0o777 == 0o600
    assert (here.home / "b.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("how", ["cut", "changed", "emptied"])
def test_a_damaged_file_changes_nothing(here, there, how):
    path = back_up(here)
    octets = bytearray(path.read_bytes())
    if how == "changed":
        octets[len(octets) // 2] ^= 1
    path.write_bytes(octets[: {"cut": len(octets) * 2 // 3, "emptied": 0}.get(how, len(octets))])
    said = there.refused("restore", path)
    assert {"cut": "ends too early", "changed": "was changed", "emptied": "not a Troth backup"}[how] in said
    assert not exists(there)
    assert untouched(there)


def test_a_full_house_is_left_alone(here):
    path = back_up(here)
    before = here.database.run("SELECT count(*) FROM ledger_pending")
    assert "is not empty" in here.refused("restore", path)
    assert here.database.run("SELECT count(*) FROM ledger_pending") == before


def test_another_installation_s_key_in_the_place_is_not_replaced(here, there):
    from troth.outside.kms import LocalKms

    (there.home / "var" / "keys").mkdir(parents=True)
    LocalKms.create(there.home / "var" / "keys" / "master")
    before = (there.home / "var/keys/master").read_bytes()
    assert "is another key and is not replaced" in there.refused("restore", back_up(here))
    assert (there.home / "var/keys/master").read_bytes() == before
    assert not (there.home / "troth.toml").exists()


def test_a_newer_version_s_backup_is_refused(here, there):
    here.database.fill("INSERT INTO django_migrations (app, name, applied) VALUES ('audit', '9999_tomorrow', now())")
    said = there.refused("restore", back_up(here))
    assert "made by a newer Troth" in said
    assert "audit.9999_tomorrow" in said
    assert untouched(there)


def test_a_key_that_does_not_fit_the_database_makes_no_backup(here):
    from troth.outside.kms import LocalKms

    (here.home / "var/keys/master").unlink()
    LocalKms.create(here.home / "var/keys/master")
    here.refused("backup", here.home / "b")
    assert not (here.home / "b").exists()
    assert not (here.home / "b.key").exists()


def test_no_file_is_replaced_and_a_folder_gets_one_by_its_date(here):
    (here.home / "b").write_text("mine")
    assert "is not replaced" in here.refused("backup", here.home / "b")
    assert (here.home / "b").read_text() == "mine"
    (here.home / "all").mkdir()
    for _ in range(2):
        done = here.troth("backup", here.home / "all", "--key-to", here.home / "key copy")
        assert done.returncode == 0, done.stderr
        if len(list((here.home / "all").iterdir())) == 1:
            import time

            time.sleep(1)
    assert len(list((here.home / "all").glob("troth-*.backup"))) == 2
    assert "make the folder first" in here.refused("backup", here.home / "none" / "b", "--without-key")


def test_a_full_disk_is_told_and_leaves_nothing(here, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", small]).returncode:
        # not root, or in a container without mounts: the kernel's own full device says the same words
        from troth.cli.backup.files import cannot_write

        assert "no room left" in cannot_write(small / "b", OSError(28, "No space left on device"))
        return
    try:
        assert "no room left" in here.refused("backup", small / "b", "--without-key")
        assert not list(small.iterdir())
    finally:
        subprocess.run(["umount", small], check=True)


def test_the_waiting_may_be_told_never_to_go(river, here, there):
    [one] = river.queue("ann@home.example")
    done = there.troth("restore", back_up(here), "--waiting", "expire")
    assert done.returncode == 0, done.stderr
    assert "never: it expires" in done.stdout
    found = River.spooled(type("R", (), {"database": there.database})(), one)
    assert found["due"] == found["lifetime_ends"]
    assert found["state"] == State.SENDING


def test_a_settings_file_in_a_lost_folder_comes_back_in_its_place(here, there):
    kept = here.home / "conf" / "mine.toml"
    kept.parent.mkdir()
    kept.write_text('mode = "test"\nehlo_name = "mail.example"\nvar_dir = "../other"\n')
    done = here.troth("backup", here.home / "b", TROTH_CONFIG=str(kept))
    assert done.returncode == 0, done.stderr
    lost = there.home / "gone" / "mine.toml"
    done = there.troth("restore", here.home / "b", TROTH_CONFIG=str(lost), TROTH_VAR_DIR="")
    assert done.returncode == 0, done.stderr
    assert lost.read_bytes() == kept.read_bytes()
    assert (there.home / "other" / "keys" / "master").exists(), "the restored settings say where"


def test_a_ledger_that_does_not_verify_is_told_at_the_end(here, there):
    done = call(there.home, there.database, "restore", back_up(here), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["verified"] is False
    assert "All is restored as it was, but its ledger does not verify" in done.stderr


def test_what_a_killed_restore_has_left_is_no_obstacle(here, there):
    path = back_up(here)
    assert there.troth("restore", path).returncode == 0
    there.database.fill("TRUNCATE installation, tenant CASCADE")
    again = there.troth("restore", path)
    assert again.returncode == 0, again.stderr


def test_a_check_alone_touches_nothing(here, there):
    done = there.troth("restore", back_up(here), "--check")
    assert done.returncode == 0, done.stderr
    assert "is whole" in done.stdout
    assert untouched(there)
    assert not exists(there)


def test_a_drill_writes_what_it_measured(river, here, there):
    record = there.home / "drill.json"
    done = there.troth("restore", back_up(here), "--drill", record)
    assert done.returncode == 0, done.stderr
    found = restore_drill.read(record.read_bytes())
    assert 0 <= found.lost_minutes <= found.took_minutes + 5
    assert 1 <= found.took_minutes <= 5
    assert not found.verified  # nobody looked: it shows nothing
