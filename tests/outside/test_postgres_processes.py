"""The house's eyes on other processes, and what a dead PostgreSQL leaves."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from troth.outside import postgres_orphan, processes
from troth.outside.postgres_errors import CannotPrepare


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "60"], cwd="/", env={**os.environ, "MARK": "here"})
    while not (seen := processes.look(process.pid)) or "sleep" not in seen.command:
        time.sleep(0.01)
    yield process
    process.kill()
    process.wait()


def test_a_process_is_seen_with_what_names_it(sleeper):
    seen = processes.look(sleeper.pid)
    assert (seen.pid, seen.uid, seen.command, seen.folder) == (sleeper.pid, os.geteuid(), "sleep 60", "/")
    assert seen == processes.look(sleeper.pid)
    assert seen in list(processes.everyone())
    assert processes.carries(sleeper.pid, "MARK", "here")
    assert not processes.carries(sleeper.pid, "MARK", "her")


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1])
def test_no_such_process(pid):
    assert processes.look(pid) is None
    assert not processes.carries(pid, "MARK", "here")


def test_a_zombie_is_gone(sleeper):
    sleeper.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert processes.look(sleeper.pid) is None
    assert sleeper.pid not in {seen.pid for seen in processes.everyone()}


@pytest.mark.skipif(shutil.which("ps") is None, reason="no ps on this machine, and /proc serves")
def test_ps_sees_the_same_where_there_is_no_proc(sleeper, monkeypatch):
    monkeypatch.setattr(processes, "_has_proc", lambda: False)
    seen = processes.look(sleeper.pid)
    assert (seen.pid, seen.uid, seen.command, seen.folder) == (sleeper.pid, os.geteuid(), "sleep 60", None)
    assert len(seen.started.split()) == 5
    assert seen in list(processes.everyone())
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert processes.look(sleeper.pid) is None
    assert processes.look(2**22 + 1) is None


def test_ending_takes_the_next_step_when_the_first_is_ignored():
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as stubborn:
        stubborn.stdout.readline()
        seen = processes.look(stubborn.pid)
        assert processes.end([seen], [(signal.SIGTERM, 0.2)]) == [seen]
        assert processes.end([seen], [(signal.SIGTERM, 0.1), (signal.SIGKILL, 5)]) == []
    assert stubborn.returncode == -9


def test_a_number_that_a_stranger_uses_now_is_not_signalled(sleeper):
    seen = processes.look(sleeper.pid)
    before = processes.Seen(seen.pid, seen.uid, "boot:1", seen.command, seen.folder)
    assert processes.end([before], [(signal.SIGKILL, 1)]) == []
    time.sleep(0.1)
    assert sleeper.poll() is None


def pid_file(cluster, pid):
    (cluster / "postmaster.pid").write_text(f"{pid}\n{cluster}\n1\n5432\n/tmp/x\n\n")
    return cluster / "postmaster.pid"


@pytest.mark.parametrize("first", ["", "nonsense", "-5", "99999999"])
def test_a_pid_file_of_nobody_stops_nobody(tmp_path, first):
    pid_file(tmp_path, first)
    assert not postgres_orphan.stop_orphan(tmp_path)
    assert postgres_orphan.socket_folder(tmp_path) is None


def test_a_zombies_pid_file_is_cleared(tmp_path, sleeper):
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    file = pid_file(tmp_path, sleeper.pid)
    assert not postgres_orphan.stop_orphan(tmp_path)
    assert not file.exists()


def test_another_postgres_whose_folder_cannot_be_seen_is_left_to_postgres_itself(tmp_path, monkeypatch):
    file = pid_file(tmp_path, 4242)
    other = processes.Seen(4242, 1, "start", "/usr/bin/postgres -D /elsewhere", None)
    monkeypatch.setattr(processes, "look", lambda _pid: other)
    assert not postgres_orphan.stop_orphan(tmp_path)
    assert file.exists()
    ours = processes.Seen(4242, 1, "start", f"/usr/bin/postgres -D {tmp_path.resolve()} -c a=b", None)
    monkeypatch.setattr(processes, "look", lambda _pid: ours)
    assert postgres_orphan.socket_folder(tmp_path) == Path("/tmp/x")


def test_what_does_not_end_is_told(tmp_path, monkeypatch):
    pid_file(tmp_path, 4242)
    ours = processes.Seen(4242, 1, "start", f"postgres -D {tmp_path.resolve()}", None)
    monkeypatch.setattr(processes, "look", lambda _pid: ours)
    monkeypatch.setattr(processes, "end", lambda these, _steps: list(these))
    with pytest.raises(CannotPrepare, match="process 4242"):
        postgres_orphan.stop_orphan(tmp_path)
    monkeypatch.setattr(processes, "everyone", lambda: [processes.Seen(7, 1, "s", "postgres: mark: client", None)])
    with pytest.raises(CannotPrepare, match=r"Old backends of PostgreSQL do not end: processes \[7\]"):
        postgres_orphan.end_backends("mark", 1)
    postgres_orphan.end_backends("mark", 2)


def test_a_postmaster_that_does_not_listen_yet_has_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(postgres_orphan, "_is_ours", lambda _seen, _cluster: True)
    lines = [str(os.getpid()), str(tmp_path), "1", "5432"]
    for last, folder in (([], None), ([""], None), (["/tmp/socket"], Path("/tmp/socket"))):
        (tmp_path / "postmaster.pid").write_text("\n".join([*lines, *last]) + "\n")
        assert postgres_orphan.socket_folder(tmp_path) == folder
