"""The bench of the simulator: `python -m tests.bench.simulated [--messages N]`. Makes a week's history (history.py), then
runs the real `troth simulate` on it: with the policy of the day, and with one that is stricter.

It ends with a status other than 0 when the policy of the day does not give again what the gate decided of each message of
the sample, or when a run over a million messages took a minute or longer. The last line is one JSON object.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from tests.bench import history
from tests.support.firm import Operator, make_operator
from tests.support.postgres import _PREPARE, TEMPLATE, Database, cloned

from troth.outside.postgres import Server, find

MINUTE, MILLION = 60.0, 1_000_000
SAMPLE = 10_000
DAY = {"content": {"schedule_days": 7}}  # the operator's own, as history.cast had it approved
STRICTER = {
    "content": {**DAY["content"], "variable_bytes": 850},
    "limits": {"template_hour": 900},
    "anomaly": {"percent": 120},
}


@dataclass(frozen=True, slots=True)
class House:
    """An installation with a week behind it."""

    operator: Operator
    folder: Path

    def environment(self) -> dict[str, str]:
        where = self.operator.database.conninfo("troth_control")
        url = f"postgresql://troth_control@/{where['dbname']}?host={quote(str(where['host']), safe='')}&port={where['port']}"
        return {**os.environ, "TROTH_DATABASE_URL_CONTROL": url, "TROTH_KEY_FILE": str(self.operator.kms_path),
                "TROTH_MODE": "test", "TROTH_VAR_DIR": str(self.folder)}  # fmt: skip

    def simulate(self, document: dict[str, Any], *more: str) -> dict[str, Any]:
        """Run the command; its answer, with the seconds that it took as a whole."""
        file = self.folder / "policy.json"
        file.write_text(json.dumps(document))
        began, spent = time.monotonic(), _spent()
        command = [sys.executable, "-m", "troth.cli", "simulate", "--policy", str(file), "--days", "7", "--json", *more]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)  # noqa: S603 - our own command
        if done.returncode:
            raise SystemExit(f"troth simulate ended with {done.returncode}: {done.stderr[-2000:]}")
        return {**json.loads(done.stdout), "whole_seconds": round(time.monotonic() - began, 1),
                "cpu_seconds": round(_spent() - spent, 1)}  # fmt: skip


def _spent() -> float:
    """Processor seconds of children that have ended; PostgreSQL is none of them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def house(messages: int, processes: int = 2) -> Iterator[House]:
    """Stand it up, fill it, and take it down again."""
    with tempfile.TemporaryDirectory(prefix="troth-simulated-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        with _served(Path(folder)) as server, cloned(server, TEMPLATE) as database:
            operator = make_operator(database)
            began = time.monotonic()
            made = history.fill(operator, history.cast(operator, messages), processes)
            history.analyze(operator)
            print(f"{made:,} messages made in {time.monotonic() - began:.0f} s; {_size(database)}", flush=True)
            yield House(operator, Path(folder))


@contextmanager
def _served(folder: Path) -> Iterator[Server]:
    """A server of its own, with the migrated template."""
    bin_dir = os.environ.get("TROTH_PG_BIN")
    with Server(folder / "pg", find(Path(bin_dir) if bin_dir else None), durable=False) as server:
        where = [server.conninfo(), server.conninfo("troth_migrate", TEMPLATE)]
        subprocess.run([sys.executable, "-c", _PREPARE, json.dumps(where)], check=True)  # noqa: S603 - our own code
        with psycopg.connect(**server.conninfo("troth_flow", TEMPLATE), autocommit=True) as connection:
            connection.execute("SELECT troth.make_partitions_v1()")
        yield server


def _size(database: Database) -> str:
    with database.owner() as owner:
        row = owner.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchone()
    assert row is not None
    return f"the database has {row[0]}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.simulated")
    parser.add_argument("--messages", type=int, default=MILLION)
    options = parser.parse_args(argv)
    with house(options.messages) as made:
        told = {"messages": 0, "day": made.simulate(DAY), "stricter": made.simulate(STRICTER)}
    wrong = list(_wrong(told, options.messages))
    for name in ("day", "stricter"):
        found = told[name]
        print(f"{name}: {found['messages']:,} messages in {found['whole_seconds']} s ({history.started()}); changes "
              f"{found['changes']}; agreement {found['agreement']}")  # fmt: skip
    for line in wrong:
        print(f"WRONG: {line}")
    short = {name: {key: told[name][key] for key in ("messages", "whole_seconds", "cpu_seconds", "seconds", "then", "now", "changes",
             "agreement", "left_out")} for name in ("day", "stricter")}  # fmt: skip
    print(json.dumps(short))
    return 1 if wrong else 0


def _wrong(told: dict[str, Any], asked: int) -> Iterator[str]:
    day, stricter = told["day"], told["stricter"]
    if any(day["changes"].values()):
        yield f"the policy of the day changes something: {day['changes']}"
    compared = day["agreement"]
    if compared["sample"] < min(SAMPLE, day["messages"]) * 0.9:
        yield f"only {compared['sample']} sealed decisions were compared"
    if not compared["sample"] == compared["policy_of_the_day"] == compared["this_policy"]:
        yield f"not every sealed decision is given again: {compared}"
    if not stricter["changes"]["refused"]:
        yield "the stricter policy refuses nothing more"
    for found in (day, stricter):
        if asked >= MILLION and found["whole_seconds"] >= MINUTE:
            yield f"it took {found['whole_seconds']} s"


if __name__ == "__main__":
    sys.exit(main())
