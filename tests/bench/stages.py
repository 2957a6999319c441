"""Along the bench's river: microseconds of CPU a message, stage by stage, against the budget of 921.

Measured in a run of its own, whose door, worker and sequencer are watched from inside (`sampled`): the main thread's
time by stage, other threads (which compose and sign) by the kernel's own count, PostgreSQL by the name of each
connection. "Loop" is what no stage claims: the event loop, TLS and sockets.

    python -m tests.bench.stages FOLDER COUNT     a platform of its own; prints the figures as JSON
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psycopg
from tests.bench import processes
from tests.bench.ground import ROOT, Ground, stand
from tests.bench.measure import RunFailed, ours
from tests.bench.sampled import told

BUDGET = 921  # microseconds of both cores that seven times Postfix + OpenDKIM leaves for a message
WATCHED = ("door", "worker", "sequencer")
# Addresses and events are the gate's business in the door; what else a process touches is its loop's.
OWN = {("door", "door"), ("door", "gate"), ("door", "loop"), ("sequencer", "sequencer")} | {
    ("worker", stage) for stage in ("claim", "compose", "mark", "smtp", "settle", "loop")
}
_POSTGRES = {  # by application_name
    "troth gate": "postgresql: gate", "troth door": "postgresql: door", "troth worker claim": "postgresql: claim",
    "troth worker mark": "postgresql: mark", "troth worker record": "postgresql: settle",
    "troth sequencer": "postgresql: sequencer",
}  # fmt: skip


def measure(ground: Ground, count: int) -> dict[str, float]:
    """One run on a platform that was started with the wrapper; microseconds a message by stage."""
    pids = ground.pids()
    began, before = processes.cpu(pids.values()), _seconds(ground)
    ours(ground, "2k", count)
    total, parts = processes.cpu(pids.values()) - began, _seconds(ground)
    parts.subtract(before)
    parts["all else"] = max(0.0, total - sum(parts.values()))  # type: ignore[assignment]  # a Counter counts seconds too
    found = {name: round(seconds / count * 1e6, 1) for name, seconds in parts.most_common() if seconds > 0}
    return {**found, "all": round(total / count * 1e6, 1)}


def _seconds(ground: Ground) -> Counter[str]:
    """Everything that is known by name, until now."""
    found = _postgres(ground)
    found["worker: compose and sign"] = _composing(ground)  # type: ignore[assignment]  # a Counter counts seconds too
    for name, pid in ground.pids().items():
        if name.startswith(WATCHED):
            kind = name.rpartition("-")[0] or name
            for stage, seconds in _told(ground, pid).items():
                place = stage if (kind, stage) in OWN else ("gate" if kind == "door" else "loop")
                found[f"{kind}: {place}"] += seconds  # type: ignore[assignment]  # as above
    return found


def lines(found: dict[str, float]) -> list[str]:
    rows = [f"  {name:24s} {micros:8.1f}" for name, micros in found.items() if name != "all"]
    return [*rows, f"  {'all':24s} {found['all']:8.1f}   (budget {BUDGET})"]


def _postgres(ground: Ground) -> Counter[str]:
    """Seconds by stage, of the backends that live."""
    seconds: Counter[str] = Counter()
    query = "SELECT pid, application_name, backend_type FROM pg_stat_activity"
    with psycopg.connect(**ground.conninfo(), autocommit=True) as connection:
        rows = connection.execute(query).fetchall()
    for pid, name, kind in rows:
        stage = next((found for part, found in _POSTGRES.items() if name.startswith(part)), None)
        stage = stage or (f"postgresql: {kind}" if kind in {"walwriter", "checkpointer", "autovacuum worker"} else None)
        if stage is not None:
            try:
                seconds[stage] += processes.own_cpu(pid)  # type: ignore[assignment]  # a Counter counts seconds too
            except OSError:
                continue
    return seconds


def _composing(ground: Ground) -> float:
    """Seconds of the workers' threads but the main one."""
    pids = [pid for name, pid in ground.pids().items() if name.startswith("worker")]
    return sum(seconds for pid in pids for thread, seconds in processes.threads(pid) if thread != pid)


def _told(ground: Ground, pid: int) -> dict[str, float]:
    """What a watched process says of itself when it is asked."""
    file = told(ground.folder, pid)
    file.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR2)
    until = time.monotonic() + 10
    while not file.exists():
        if time.monotonic() > until:
            raise RunFailed(f"The watched process {pid} does not tell its stages.")
        time.sleep(0.02)
    told_now: dict[str, float] = json.loads(file.read_text())
    return told_now


def apart(folder: Path, count: int) -> dict[str, float]:
    """Measured in a process of its own: Django, and with it `troth init`, knows one database a process."""
    argv = [sys.executable, "-m", "tests.bench.stages", str(folder), str(count)]
    done = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RunFailed("The stages could not be measured; the lines above say why.")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    with stand(folder, "tests.bench.sampled") as watched:
        ours(watched, "2k", min(count, 300))
        found = measure(watched, count)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
