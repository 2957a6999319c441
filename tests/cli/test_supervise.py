"""The supervisor: real processes, real kills."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from troth.cli.supervise import AnotherRuns, Backoff, Child, StartFailed, Supervisor
from troth.cli.supervise_child import ending
from troth.outside import processes
from troth.outside.postgres import Server, find

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
PARENT = "import subprocess, time; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); time.sleep(600)"
LAST_WORDS = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye'))); print('up', flush=True); time.sleep(600)"

SUPERVISOR = """
import sys, time
from pathlib import Path
from troth.cli.supervise import Child, Supervisor
with Supervisor(Path(sys.argv[1])) as supervisor:
    for number, code in enumerate(sys.argv[2:]):
        supervisor.add(Child(f"child{number}", (sys.executable, "-c", code), grace=5))
    supervisor.say("troth", "ready")
    supervisor.wait()
print("after", flush=True)
"""


class Lines(io.StringIO):
    """What the supervisor wrote, waited for."""

    def await_line(self, part, seconds=10, times=1):
        until = time.monotonic() + seconds
        while self.getvalue().count(part) < times:
            assert time.monotonic() < until, self.getvalue()
            time.sleep(0.02)


@pytest.fixture
def out():
    return Lines()


@pytest.fixture
def supervisor(tmp_path, out):
    with Supervisor(tmp_path, out) as supervisor:
        yield supervisor


def python(name, code, **more):
    return Child(name, (sys.executable, "-u", "-c", code), **more)


def until(condition, seconds=10):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def alive(pid):
    return processes.look(pid) is not None


def start(tmp_path, *codes):
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path), *codes], stdout=subprocess.PIPE, text=True
    )
    lines = []
    while not lines or "ready" not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], lines
    return process, lines


def recorded(tmp_path, name):
    return json.loads((tmp_path / "run" / f"{name}.json").read_text())["pid"]


def test_lines_carry_their_childs_name_and_environment(supervisor, out):
    code = "import os; os.write(1, b'\\xff' + os.environ['WORD'].encode() + b'\\n'); import time; time.sleep(600)"
    supervisor.add(python("door", code, env={"WORD": "hello"}))
    out.await_line("door       | \ufffdhello\n")


def test_a_line_without_end_is_passed_on_in_pieces(supervisor, out):
    supervisor.add(python("door", "import time; print('x' * 200_000); time.sleep(600)"))
    out.await_line("x" * 65_536 + "\n", times=3)


def test_a_killed_child_is_started_again_and_the_run_file_follows(supervisor, tmp_path, out):
    supervisor.add(python("worker", "import time; print('up'); time.sleep(600)"))
    out.await_line("up")
    first = supervisor.pids()["worker"]
    assert recorded(tmp_path, "worker") == first
    os.kill(first, signal.SIGKILL)
    out.await_line("up", times=2)
    assert supervisor.pids()["worker"] not in (None, first)
    assert supervisor.restarts() == {"worker": 1}
    assert recorded(tmp_path, "worker") == supervisor.pids()["worker"]
    assert "ended with SIGKILL" in out.getvalue()


def test_a_crash_loop_slows_down(supervisor, out):
    supervisor.add(python("worker", "print('up')"))
    time.sleep(3)
    assert 2 <= out.getvalue().count("up") <= 5
    assert "starting it again in 0.8 s" in out.getvalue()


def test_pauses_double_to_half_a_minute_and_a_healthy_minute_forgets():
    backoff = Backoff()
    pauses = [backoff.after(0) for _ in range(10)]
    assert pauses[:3] == [0.2, 0.4, 0.8]
    assert pauses[-1] == 30
    assert backoff.after(5) == 15
    assert backoff.after(60) == 0.2
    assert backoff.after(10) == 0.2
    assert backoff.after(4.9) == 0.4


def test_add_returns_when_the_child_is_ready(supervisor, tmp_path):
    flag = tmp_path / "flag"
    code = f"import time, pathlib; time.sleep(.3); pathlib.Path({str(flag)!r}).touch(); time.sleep(600)"
    supervisor.add(python("door", code, ready=flag.exists))
    assert flag.exists()


def test_a_child_that_ends_before_it_is_ready_fails_the_start(supervisor, out):
    with pytest.raises(StartFailed, match=r"door did not start: ended before it was ready \(status 3\)"):
        supervisor.add(python("door", "import sys; print('no such setting'); sys.exit(3)", ready=lambda: False))
    assert "door       | no such setting\n" in out.getvalue()
    assert supervisor.restarts() == {"door": 0}


def test_a_child_killed_from_outside_at_its_start_is_tried_again(supervisor, tmp_path):
    flag, killed = tmp_path / "flag", tmp_path / "killed"
    code = f"""
import os, pathlib, time
if not pathlib.Path({str(killed)!r}).exists():
    pathlib.Path({str(killed)!r}).touch()
    os.kill(os.getpid(), 9)
pathlib.Path({str(flag)!r}).touch()
time.sleep(600)
"""
    supervisor.add(python("door", code, ready=flag.exists))
    assert supervisor.restarts() == {"door": 1}


def test_a_child_that_is_always_killed_at_its_start_fails_it(supervisor, monkeypatch):
    monkeypatch.setattr("troth.cli.supervise._KILLED_STARTS", 2)
    with pytest.raises(StartFailed, match=r"door did not start: ended before it was ready \(SIGKILL\)"):
        supervisor.add(python("door", "import os; os.kill(os.getpid(), 9)", ready=lambda: False))
    assert supervisor.restarts() == {"door": 2}


def test_a_child_that_never_gets_ready_fails_the_start(supervisor):
    with pytest.raises(StartFailed, match=r"door did not start: was not ready within 0.3 s"):
        supervisor.add(python("door", "import time; time.sleep(600)", ready=lambda: False, ready_within=0.3))
    assert supervisor.pids() == {"door": None}


def test_a_program_that_is_not_there_fails_the_start(supervisor):
    with pytest.raises(StartFailed, match="worker did not start: .*No such file"):
        supervisor.add(Child("worker", ("/no/such/program",)))


def test_a_later_start_that_fails_is_tried_again(supervisor, tmp_path, out):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho up\nexec sleep 600\n")
    program.chmod(0o755)
    supervisor.add(Child("worker", (str(program),)))
    out.await_line("up")
    program.rename(tmp_path / "away")
    os.kill(supervisor.pids()["worker"], signal.SIGKILL)
    out.await_line("worker did not start")
    (tmp_path / "away").rename(program)
    out.await_line("up", times=2)


def test_the_last_started_is_stopped_first_with_its_own_signal(tmp_path, out):
    with Supervisor(tmp_path, out) as supervisor:
        for name in ("first", "second", "third"):
            code = LAST_WORDS.replace("SIGTERM", "SIGINT") if name == "second" else LAST_WORDS
            sign = signal.SIGINT if name == "second" else signal.SIGTERM
            supervisor.add(python(name, code, stop_signal=sign))
            out.await_line(f"{name:<10} | up")
    said = [line.split()[0] for line in out.getvalue().splitlines() if line.endswith("bye")]
    assert said == ["third", "second", "first"]
    assert not list((tmp_path / "run").glob("*.json"))


def test_a_child_that_ignores_its_signal_is_ended_after_its_grace(tmp_path, out):
    with Supervisor(tmp_path, out) as supervisor:
        supervisor.add(python("worker", STUBBORN, grace=0.3))
        out.await_line("up")
    assert "worker     | ended with SIGKILL" in out.getvalue()


def test_what_a_killed_child_left_is_ended_before_it_starts_again(supervisor, out):
    supervisor.add(python("door", PARENT))
    out.await_line("door       | ")
    grandchild = int(out.getvalue().split("|")[1].split()[0])
    os.kill(supervisor.pids()["door"], signal.SIGKILL)
    out.await_line("starting it again")
    until = time.monotonic() + 5
    while alive(grandchild):  # killed before that line, and gone when the kernel comes to it
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_second_supervisor_in_one_folder_says_who_is_there(supervisor, tmp_path):
    with pytest.raises(AnotherRuns, match=rf"already runs in .* \(process {os.getpid()}\): stop it first"):
        Supervisor(tmp_path).__enter__()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_gracefully(tmp_path, sign):
    process, lines = start(tmp_path, LAST_WORDS, LAST_WORDS)
    with process:
        pids = [recorded(tmp_path, "child0"), recorded(tmp_path, "child1")]
        while sum(line.endswith("| up\n") for line in lines) < 2:  # each child, once it can hear a signal
            lines.append(process.stdout.readline())
        process.send_signal(sign)
        said = process.stdout.read()
    assert process.returncode == 0
    assert said.index("child1     | bye") < said.index("child0     | bye") < said.index("after")
    assert not any(map(alive, pids))


def test_a_second_signal_forces(tmp_path):
    process, lines = start(tmp_path, STUBBORN)
    with process:
        while not any("up" in line for line in lines):
            lines.append(process.stdout.readline())
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        said = process.stdout.read()
    assert time.monotonic() - began < 4
    assert process.returncode == 0
    assert "ended with SIGKILL" in said


def test_a_signal_while_a_child_starts_ends_the_start(tmp_path):
    code = SUPERVISOR.replace("grace=5", "grace=5, ready=lambda: False").replace(
        "    for", "    supervisor.say('troth', 'ready')\n    for"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), LAST_WORDS], stdout=subprocess.PIPE, text=True
    )
    with process:
        while "up" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGTERM)
        assert "bye" in process.stdout.read()
    assert process.returncode == 0


def test_after_kill_9_the_next_start_ends_what_is_left_and_no_stranger(tmp_path, out):
    process, lines = start(tmp_path, PARENT, STUBBORN)
    with process:
        while not any("child0     | " in line for line in lines):
            lines.append(process.stdout.readline())
        grandchild = int(next(line for line in lines if "child0 " in line).split("|")[1])
        process.kill()
    left = [recorded(tmp_path, "child0"), recorded(tmp_path, "child1"), grandchild]
    assert all(map(alive, left))
    with subprocess.Popen(["sleep", "600"]) as stranger:
        mine = {"pid": stranger.pid, "started": "another boot:1", "argv": [], "stop": 15, "grace": 1}
        (tmp_path / "run" / "stranger.json").write_text(json.dumps(mine))
        (tmp_path / "run" / "broken.json").write_text("{")
        with Supervisor(tmp_path, out):
            assert not any(map(alive, left))
            assert "ended what an earlier start had left" in out.getvalue()
            assert not list((tmp_path / "run").glob("*.json"))
        assert stranger.poll() is None
        stranger.kill()


def test_a_child_of_which_nothing_was_written_down_is_found_too(tmp_path, out):
    process, _ = start(tmp_path, "import time; time.sleep(600)")
    with process:
        process.kill()
    left = recorded(tmp_path, "child0")
    (tmp_path / "run" / "child0.json").unlink()
    with Supervisor(tmp_path, out):
        assert not alive(left)


def test_two_folders_beside_one_another_do_not_meet(tmp_path, out):
    with Supervisor(tmp_path / "one", out) as one:
        one.add(python("worker", "import time; time.sleep(600)"))
        pid = one.pids()["worker"]
        with Supervisor(tmp_path / "two", out):
            assert alive(pid)


def test_a_reader_that_goes_away_stops_nothing(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    pipe = os.fdopen(writing, "w")
    with Supervisor(tmp_path, pipe) as supervisor:
        supervisor.add(python("worker", "import time; print('up'); time.sleep(600)"))
        time.sleep(0.3)
        assert alive(supervisor.pids()["worker"])
    with suppress(BrokenPipeError):
        pipe.close()


def test_outside_the_main_thread_no_handler_is_touched(tmp_path, out):
    before = signal.getsignal(signal.SIGTERM)

    def run():
        with Supervisor(tmp_path, out) as supervisor:
            supervisor.add(python("worker", "import time; print('up'); time.sleep(600)"))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before


def test_postgresql_is_started_again_while_the_others_live_on(tmp_path, out):
    import shutil
    import tempfile

    var = Path(tempfile.mkdtemp(dir="/tmp"))
    var.chmod(0o711)
    try:
        with Supervisor(var, out) as supervisor:
            server = Server(var / "postgres", find(), durable=False)
            supervisor.add(server)
            supervisor.add(python("worker", "import time; time.sleep(600)"))
            before = supervisor.pids()
            os.kill(before["postgres"], signal.SIGKILL)
            out.await_line("starting it again")

            def answers():
                with suppress(psycopg.OperationalError):
                    return psycopg.connect(**server.conninfo()).close() is None

            until(answers)
            assert supervisor.pids()["worker"] == before["worker"]
            assert supervisor.restarts() == {"postgres": 1, "worker": 0}
        assert not server.alive
    finally:
        shutil.rmtree(var)


def test_endings_in_words():
    assert (ending(0), ending(-9), ending(-200)) == ("status 0", "SIGKILL", "signal 200")
