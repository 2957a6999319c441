"""The doctor on databases that are really broken: stopped, silent, old, not let in, not migrated, with other rights."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest
from tests.support.clinic import free_port, sick, wrong

from troth.outside.postgres import Server, find

PASSWORD = "a-word:that/is@secret"
QUOTED = "a-word%3Athat%2Fis%40secret"


def binaries():
    given = os.environ.get("TROTH_PG_BIN")
    return find(Path(given) if given else None)


@pytest.fixture
def owner(well):
    """The installation's own embedded database, running; a connection as its superuser."""
    with contextlib.ExitStack() as stack:
        server = Server(well.home / "var" / "postgres", binaries())
        server.start()
        stack.callback(server.stop)
        yield stack.enter_context(psycopg.connect(**server.conninfo("postgres", "troth"), autocommit=True))


def test_a_database_that_is_not_where_the_setting_says(well):
    for url, says in (
        (f"postgresql://postgres:{QUOTED}@127.0.0.1:{free_port()}/troth", "Connection refused"),
        (f"postgresql://postgres:{QUOTED}@no-such-host.invalid/troth", "host in the setting"),
        (f"postgresql://postgres:{QUOTED}%zz@127.0.0.1/troth", "cannot be read"),
    ):
        well.write(database_url=url)
        found = well.doctor()
        assert "database" in sick(found)
        said = wrong(found, "database")
        assert says in said
        assert QUOTED not in str(found)
        assert PASSWORD not in str(found)
        assert "database_url" in said


def test_a_database_that_takes_the_connection_and_says_nothing(well):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        well.write(database_url=f"postgresql://postgres@127.0.0.1:{silent.getsockname()[1]}/troth")
        found = well.doctor()
        assert sick(found) == {"database"}
        assert "firewall" in wrong(found, "database")
        assert ("cannot tell", "the database cannot be asked", "Mend what is said of the database first.") in found[
            "schema"
        ]


def test_an_old_postgresql(well):
    """One that speaks the protocol and says that it is 13: there is no real one to be had here."""

    def pack(kind, body):
        return kind + (len(body) + 4).to_bytes(4) + body

    def serve(listening):
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                client.recv(int.from_bytes(client.recv(4)))
                client.sendall(pack(b"R", bytes(4)) + pack(b"S", b"server_version\x0013.4\x00")
                               + pack(b"S", b"client_encoding\x00UTF8\x00") + pack(b"Z", b"I"))  # fmt: skip
                while (head := client.recv(5)) and head[0:1] != b"X":
                    client.recv(int.from_bytes(head[1:]) - 4)
                    client.sendall(pack(b"C", b"SELECT 0\x00") + pack(b"Z", b"I"))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        url = f"postgresql://postgres@127.0.0.1:{listening.getsockname()[1]}/troth?sslmode=disable&gssencmode=disable"
        well.write(database_url=url)
        assert "is too old: it is PostgreSQL 13" in wrong(well.doctor(), "database")


def test_the_embedded_databases_folder_is_gone_or_its_programs_are(well):
    cluster = (well.home / "var" / "postgres").resolve() / "cluster"
    cluster.rename(cluster.with_name("away"))
    try:
        assert "There is no database" in wrong(well.doctor(), "database")
    finally:
        cluster.with_name("away").rename(cluster)
    version = cluster / "PG_VERSION"
    kept = version.read_text()
    version.write_text("12\n")
    try:
        assert "was made by PostgreSQL 12" in wrong(well.doctor(), "database")
    finally:
        version.write_text(kept)
    well.write(pg_bin=str(well.home))
    assert "TROTH_PG_BIN" in wrong(well.doctor(), "database")


@pytest.fixture(scope="module")
def scram():
    """An installation on a server of its own, which wants passwords over TCP (on an address that nobody else uses)."""
    home = Path(tempfile.mkdtemp(prefix="troth tcp ", dir="/tmp"))
    home.chmod(0o755)
    server = Server(home / "pg", binaries(), durable=False,
                    options={"listen_addresses": "127.0.0.2"})  # fmt: skip
    try:
        server.start()
        with psycopg.connect(**server.conninfo(), autocommit=True) as admin:
            admin.execute(f"ALTER ROLE postgres PASSWORD '{PASSWORD}'")
        (home / "troth.toml").write_text('mode = "test"\nrelay_host = "localhost"\nspf_mechanism = "a"\n'
                                         f'database_url = "postgresql://postgres:{QUOTED}@127.0.0.2/troth"\n')  # fmt: skip
        (home / "troth.toml").chmod(0o600)
        owners = ("--owner", "Ada One <ada@a.example>", "--owner", "Ben Two <ben@a.example>", "--generate-passphrases")
        env = {
            name: value for name, value in os.environ.items() if not name.startswith("TROTH_") or name == "TROTH_PG_BIN"
        }
        begun = subprocess.run(
            [sys.executable, "-m", "troth.cli", "init", *owners], cwd=home, env=env, capture_output=True, text=True
        )
        assert begun.returncode == 0, begun.stderr
        yield home, server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def behind(scram, clinic):
    """The clinic's doctor, in that other installation's folder."""
    home, server = scram
    kept = (home / "troth.toml").read_text()
    mine, clinic.home = clinic.home, home
    yield clinic, server
    clinic.home = mine
    (home / "troth.toml").write_text(kept)


def test_passwords_that_are_wrong(behind):
    clinic, server = behind
    found = clinic.doctor()
    assert found["database"][0][0] == "ok", found
    assert PASSWORD not in str(found)
    file = clinic.home / "troth.toml"
    kept = file.read_text()
    file.write_text(kept.replace(QUOTED, "another-word"))
    found = clinic.doctor()
    assert len(found["database"]) == 1
    assert "lets nobody in" in wrong(found, "database")
    assert "password" in wrong(found, "database")
    file.write_text(kept)
    with psycopg.connect(**server.conninfo("postgres", "troth"), autocommit=True) as admin:
        admin.execute("ALTER ROLE troth_flow PASSWORD 'changed by somebody'")
        try:
            said = wrong(clinic.doctor(), "database")
            assert "troth_flow" in said
            assert "troth_control" not in said
        finally:
            admin.execute(f"ALTER ROLE troth_flow PASSWORD '{PASSWORD}'")
        admin.execute("ALTER ROLE troth_ledger NOLOGIN")
        try:
            assert "LOGIN" in wrong(clinic.doctor(), "database")
        finally:
            admin.execute("ALTER ROLE troth_ledger LOGIN")


def test_a_superuser_at_run_time(behind):
    clinic, _ = behind
    url = f"postgresql://postgres:{QUOTED}@127.0.0.2/troth"
    found = clinic.doctor(TROTH_DATABASE_URL_CONTROL=url)
    assert "troth_control connects as postgres, a superuser" in wrong(found, "rights")


@pytest.mark.parametrize(
    ("breaks", "mends", "check", "says"),
    [
        ("GRANT DELETE ON troth.suppression TO troth_flow", "REVOKE DELETE ON troth.suppression FROM troth_flow",
         "rights", "too much is granted: DELETE on suppression to troth_flow"),
        ("REVOKE SELECT ON troth.spool FROM troth_control", "GRANT SELECT ON troth.spool TO troth_control",
         "rights", "too little is granted: SELECT on spool to troth_control"),
        ("GRANT SELECT ON troth.api_key TO PUBLIC", "REVOKE SELECT ON troth.api_key FROM PUBLIC",
         "rights", "too much is granted: SELECT on api_key to PUBLIC"),
        ("REVOKE EXECUTE ON FUNCTION troth.approve_v1(uuid, bytea, bytea) FROM troth_control",
         "GRANT EXECUTE ON FUNCTION troth.approve_v1(uuid, bytea, bytea) TO troth_control", "rights", "approve_v1"),
        ("ALTER TABLE troth.person NO FORCE ROW LEVEL SECURITY", "ALTER TABLE troth.person FORCE ROW LEVEL SECURITY",
         "rights", "row-level security is off on person"),
        ("ALTER TABLE troth.event DISABLE TRIGGER ALL", "ALTER TABLE troth.event ENABLE TRIGGER ALL",
         "rights", "triggers are switched off on event"),
        ("ALTER ROLE troth_flow BYPASSRLS", "ALTER ROLE troth_flow NOBYPASSRLS", "rights", "troth_flow may do more"),
        ("GRANT troth_owner TO troth_flow", "REVOKE troth_owner FROM troth_flow", "rights", "act as an owner"),
        ("UPDATE troth.django_migrations SET name = '0001_later' WHERE app = 'pipeline' AND name = '0001_pipeline'",
         "UPDATE troth.django_migrations SET name = '0001_pipeline' WHERE app = 'pipeline' AND name = '0001_later'",
         "schema", "not migrated: pipeline 0001_pipeline"),
        ("INSERT INTO troth.django_migrations (app, name, applied) VALUES ('audit', '9999_later', now())",
         "DELETE FROM troth.django_migrations WHERE name = '9999_later'", "schema", "a newer Troth"),
    ],
)  # fmt: skip
def test_what_differs_inside_it(well, owner, breaks, mends, check, says):
    owner.execute(breaks)
    try:
        found = well.doctor()
        assert check in sick(found)
        assert says in wrong(found, check)
    finally:
        owner.execute(mends)
    assert not sick(well.doctor())


def test_an_installation_of_another_mode(well):
    well.write(mode="demo", cell="b")
    assert "is a test installation of cell a" in wrong(well.doctor(), "schema")


# ---- clock


def test_a_mark_ahead_of_the_clock(well, owner):
    mark = "INSERT INTO troth.clock_mark (high_water) VALUES (troth.now_v1() + interval '%s') ON CONFLICT (single) DO UPDATE SET high_water = EXCLUDED.high_water"
    try:
        for ahead, said in (("30 seconds", " s behind"), ("3 hours", " h behind"), ("400 days", "400 days behind")):
            owner.execute(mark % ahead)
            found = well.doctor()
            assert sick(found) == {"clock"}
            assert said in wrong(found, "clock")
            assert "highest mark" in wrong(found, "clock")
            assert "troth pause clock --reason" in str(found)
    finally:
        owner.execute(mark % "0 seconds")


@pytest.mark.needs_root
@pytest.mark.parametrize("shift", ["-1d", "+1d", "+10s", "-400d"])
def test_a_clock_that_is_set_wrong(well, owner, shift):
    """The doctor's machine has another time than the database's."""
    assert shutil.which("faketime"), "install Debian's package faketime"
    found = well.doctor(before=("faketime", "-f", shift))
    assert "clock" in sick(found)
    assert "the database's clock is" in wrong(found, "clock")


@pytest.mark.needs_root
@pytest.mark.parametrize("shift", ["-1d", "+1d"])
def test_a_whole_machine_whose_clock_is_wrong(well, shift):
    """The embedded database has the same wrong time, so only what it knew before tells."""
    found = well.doctor(before=("faketime", "-f", shift))
    assert "clock" in sick(found)


def test_files_from_the_future(well):
    key = well.home / "var" / "keys" / "master"
    kept = key.stat().st_mtime
    os.utime(key, (kept + 90_000, kept + 90_000))
    try:
        assert "files here are from" in wrong(well.doctor(), "clock")
    finally:
        os.utime(key, (kept, kept))


# ---- queue


def test_mail_that_waits_too_long(well, owner):
    owner.execute("SET session_replication_role = replica")
    owner.execute("INSERT INTO troth.spool (message_id, tenant_id, email_id, person_id, blind_index, category_id, category_snapshot,"
                  " domain_id, state, due, lifetime_ends) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
                  " gen_random_uuid(), ''::bytea, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), s,"
                  " now() - interval '2 hours', now() FROM unnest(ARRAY[2, 10]) AS s")  # fmt: skip
    try:
        found = well.doctor()
        assert sick(found) == {"queue"}
        assert "1 messages are due and the oldest has waited 120 min" in wrong(found, "queue")
    finally:
        owner.execute("TRUNCATE troth.spool")
