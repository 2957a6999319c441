"""A whole installation as real processes, for the fault tests: `troth up` with its own PostgreSQL (fsync on), the sink
beside it, and the means to kill, stop and look at each of them from outside.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from tests.faults.sinking import SinkProcess
from tests.support.firm import key_end, make_firm, make_operator
from tests.support.postgres import _PREPARE, Database

from troth.keys.api_keys import make_key
from troth.outside.postgres import Server, find
from troth.outside.processes import look
from troth.rules.states import State

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "troth"
_CLEARED = "| ended what an earlier start had left"
_UP = "| up: mail is taken"
PEOPLE = tuple(f"person-{n}@example.net" for n in range(40))


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@dataclass
class House:
    """`var` is the installation's folder; settings go in by the environment alone, as an operator's would."""

    var: Path
    settings: dict[str, str] = field(default_factory=dict)
    key: str = ""
    sender: str = ""
    tenant: object = None
    domain: object = None
    secrets: object = None
    sessions: tuple = ()  # of the two owners
    doors: int = 0
    workers: int = 0
    supervisor: subprocess.Popen | None = None
    clearings: int = 0
    ups: int = 0  # how often the log said that all is up, before the last start
    sink: SinkProcess | None = None

    # ---- setting up

    def found(self):
        """Cluster, schema, owners, one firm with verified people and a live key: as `firm.py` governs them."""
        bin_dir = os.environ.get("TROTH_PG_BIN")
        with Server(self.var / "postgres", find(Path(bin_dir) if bin_dir else None)) as server:
            conninfos = [server.conninfo(), server.conninfo("troth_migrate", DATABASE)]
            subprocess.run([sys.executable, "-c", _PREPARE, json.dumps(conninfos)], check=True, cwd=ROOT)
            with psycopg.connect(**server.conninfo("troth_flow", DATABASE), autocommit=True) as connection:
                connection.execute("SELECT troth.make_partitions_v1()")
            database = Database(server, DATABASE)
            self._firm(database)
            for connection in database.opened:
                connection.close()
        return self

    def _firm(self, database):
        operator = make_operator(database)
        firm = make_firm(operator, floor=1_000_000)
        for address in PEOPLE:
            firm.person(address)
        key = make_key("a")
        operator.govern("api-key", firm.tenant, "load", {
            "name": "load", "prefix": key.prefix, "hash": key.hash.hex(), "categories": ["rent"],
            "expires_at": key_end(), "policy": {}})  # fmt: skip
        self.key, self.sender = key.text, f"rent@{firm.name}"
        self.tenant, self.domain, self.secrets = firm.tenant, firm.domain, operator.secrets
        self.sessions = operator.sessions
        self.settings["TROTH_KEY_FILE"] = str(operator.kms_path)

    def configure(self, *, doors=1, workers=1, lease=5, **more):
        """`more`: settings by their names."""
        self.doors, self.workers = doors, workers
        given = {
            "mode": "test", "var_dir": self.var, "http_port": free_port(), "web_port": free_port(), "metrics_port": free_port(),
            "door_processes": doors, "worker_processes": workers, "lease_seconds": lease, "relay_host": "127.0.0.1",
            "relay_port": self.sink.port, "relay_tls": "none", "relay_max_connections": 10, "ehlo_name": "house.test",
            "return_path_domain": "bounces.example.net", "spf_mechanism": "include:spf.example.net",
            "dns_resolvers": f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}", "log_level": "warning", "log_json": "true",
        } | more  # fmt: skip
        self.settings |= {f"TROTH_{name.upper()}": str(value) for name, value in given.items()}
        return self

    @property
    def port(self):
        return int(self.settings["TROTH_HTTP_PORT"])

    # ---- running

    def up(self):
        """Start `troth up`; returns at once, see `ready`."""
        # Killed processes leave no coverage data, and tracing would only slow down what is to be fast.
        mine = {n: v for n, v in os.environ.items() if not n.startswith(("COVERAGE", "COV_", "TROTH_"))}
        self.ups, self.clearings = self.log().count(_UP), self.log().count(_CLEARED)
        out = (self.var / "log").open("ab")
        self.supervisor = subprocess.Popen(
            [sys.executable, "-m", "troth.cli", "up"], env={**mine, **self.settings}, cwd=self.var, stdin=subprocess.DEVNULL,
            stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
        out.close()

    def troth(self, *words):
        """One command beside the running platform, or after it."""
        mine = {n: v for n, v in os.environ.items() if not n.startswith(("COVERAGE", "COV_", "TROTH_"))}
        return subprocess.run(
            [sys.executable, "-m", "troth.cli", *map(str, words)], env={**mine, **self.settings}, cwd=self.var,
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    def check(self):
        assert self.supervisor.poll() is None, f"`troth up` ended:\n{self.log()[-4000:]}"

    async def ready(self, within=60.0):
        """Until the supervisor says so, every process has its run file, and the door answers that the store does."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            self.check()
            if self.log().count(_UP) <= self.ups:
                pass  # what an earlier one left may still serve, and is about to be ended
            elif (
                len(self.pids("door")) == self.doors
                and len(self.pids("worker")) == self.workers
                and await self.healthy()
            ):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"not ready within {within:g} s:\n{self.log()[-4000:]}")

    async def healthy(self):
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                line = await reader.readline()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError):
            return False
        return b" 200 " in line

    def cleared(self):
        """Whether the last start has ended what the one before it had left."""
        return self.log().count(_CLEARED) > self.clearings

    def down(self):
        """The end as an operator would ask for it."""
        if self.supervisor and self.supervisor.poll() is None:
            self.supervisor.send_signal(signal.SIGTERM)
            self.supervisor.wait(60)

    def kill_supervisor(self):
        self.supervisor.kill()
        self.supervisor.wait()

    def pids(self, kind):
        """Live processes of a kind, by the supervisor's own run files: {"worker-1": 4711}."""
        found = {}
        for file in sorted((self.var / "run").glob(f"{kind}*.json")):
            try:
                record = json.loads(file.read_bytes())
            except (OSError, ValueError):
                continue
            seen = look(record["pid"])
            if seen and seen.started == record["started"]:
                found[file.stem] = record["pid"]
        return found

    def postmaster(self):
        try:
            pid = int((self.var / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None
        seen = look(pid)
        return pid if seen and "postgres" in seen.command else None

    def log(self):
        return (self.var / "log").read_text(errors="replace") if (self.var / "log").exists() else ""

    # ---- looking

    @contextmanager
    def database(self, role="postgres"):
        """A connection from outside, autocommitting."""
        where = Server(self.var / "postgres", find(None)).conninfo(role, DATABASE)
        with psycopg.connect(**where, autocommit=True, options="-c search_path=troth") as connection:
            yield connection

    def rows(self, query, *params):
        with self.database() as connection:
            cursor = connection.execute(query, params or None)
            return cursor.fetchall() if cursor.description else []

    def states(self):
        """How many messages are in each state, by their events' cache."""
        return Counter(
            {State(s).name.lower(): n for s, n in self.rows("SELECT state, count(*) FROM message GROUP BY 1")}
        )

    def spooled(self):
        return self.rows("SELECT count(*) FROM spool")[0][0]

    async def drained(self, within=60.0):
        """Until the spool is empty; says how long that took."""
        began = time.monotonic()
        while time.monotonic() - began < within:
            try:
                if not self.spooled():
                    return time.monotonic() - began
            except psycopg.OperationalError:
                pass
            await asyncio.sleep(0.25)
        left = self.rows("SELECT state, lost_claims, attempts, due - now(), schedule FROM spool LIMIT 5")
        raise AssertionError(
            f"after {within:g} s {self.spooled()} are still spooled, such as {left}:\n{self.log()[-3000:]}"
        )


@contextmanager
def open_house(**sink):
    """A founded house with its sink, taken down and away afterwards, whatever happened."""
    folder = Path(tempfile.mkdtemp(prefix="troth-faults-", dir="/tmp"))
    folder.chmod(0o711)  # PostgreSQL's account must reach its own folder
    house = House(folder / "var")
    house.var.mkdir()
    house.sink = SinkProcess(folder / "sink", **sink)
    try:
        house.found()
        yield house
    except BaseException:
        (Path(tempfile.gettempdir()) / "troth-faults-last.log").write_text(house.log())
        raise
    finally:
        _clear(house)
        shutil.rmtree(folder, ignore_errors=True)


def _clear(house):
    """Ends what a failed test left: the supervisor's own session, and, when it was killed, what it would have found."""
    try:
        house.down()
    except subprocess.TimeoutExpired:
        house.kill_supervisor()
    for kind in ("door", "worker", "duties", "pages"):
        for pid in house.pids(kind).values():
            os.killpg(pid, signal.SIGKILL)
    if pid := house.postmaster():
        os.kill(pid, signal.SIGQUIT)
        time.sleep(1)
    house.sink.end()
