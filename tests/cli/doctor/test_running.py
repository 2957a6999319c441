"""The doctor beside a running platform: its own ports are its own, and what dies is named."""

import os
import signal
import time

import psycopg
import pytest
from tests.support.clinic import DOMAIN, sick, wrong

from troth.outside import processes
from troth.outside.postgres import Server, find


def ready(clinic, seconds=60):
    """Until the duties have looked at the domain."""
    end = time.monotonic() + seconds
    while (found := clinic.doctor())["domains"][0][0] != "ok":
        assert time.monotonic() < end, found
        time.sleep(0.5)
    return found


@pytest.mark.slow
def test_beside_a_running_platform_all_is_well_until_something_dies(well):
    with well.up() as supervisor:
        found = ready(well)
        assert not sick(found), found
        assert [state for state, _, _ in found["port"]] == ["ok"] * len(found["port"])
        assert "http_port" in found["port"][0][1]
        assert "is held by this Troth" in found["port"][0][1]
        assert found["processes"][0][0] == "ok"
        assert DOMAIN not in str(found["domains"])
        _a_stopped_database_is_named(well)
        _a_broken_relay_is_named(well)
    found = well.doctor()
    assert not sick(found), found
    assert "it is stopped" in found["processes"][0][1]
    assert supervisor.returncode == 0


def _a_stopped_database_is_named(well):
    """A postmaster that hangs: nobody starts a second one beside it."""
    server = Server(well.home / "var" / "postgres", find())
    with psycopg.connect(**server.conninfo("postgres", "troth"), autocommit=True) as admin:
        (pid,) = admin.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    postmaster = int(((well.home / "var" / "postgres").resolve() / "cluster" / "postmaster.pid").read_text().split()[0])
    assert pid != postmaster
    os.kill(postmaster, signal.SIGSTOP)
    try:
        found = well.doctor()
        assert "database" in sick(found), found
    finally:
        os.kill(postmaster, signal.SIGCONT)


def _a_broken_relay_is_named(well):
    well.relay.fault = "refuses"
    try:
        assert sick(well.doctor()) == {"relay"}
    finally:
        well.relay.fault = None


@pytest.mark.slow
def test_a_supervisor_that_was_killed_is_named_with_what_it_left(well):
    with well.up() as supervisor:
        supervisor.kill()
        supervisor.wait()
        found = well.doctor()
        said = wrong(found, "processes")
        assert "was killed" in said
        assert "troth up" in said
        assert "duties" in said
        left = [seen.pid for seen in processes.everyone() if seen.folder == str(well.home)]
        assert left
    with well.up():
        assert "processes" not in sick(well.doctor())
    assert "processes" not in sick(well.doctor())


def test_a_process_that_systemd_would_run_is_known_as_ours(well):
    import subprocess
    import sys

    door = subprocess.Popen([sys.executable, "-m", "troth.cli", "serve", "door"], cwd=well.home, env=well.env(),
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        end = time.monotonic() + 30
        while "held by this Troth" not in (found := well.doctor())["port"][0][1]:
            assert time.monotonic() < end, found
        assert found["processes"] == [("ok", "door run, each by itself, without `troth up`", None)]
        assert not sick(found), found
    finally:
        door.terminate()
        door.wait(30)
