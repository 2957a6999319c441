"""What the gate costs a message with few and with very many suppressions and recipients:
`.venv/bin/python scripts/gate_scale.py`.

Makes two databases on one durable server, a firm in each, and fills them: `--few` (10,000) and `--many` (10,000,000)
recipients of the firm and as many suppressed addresses. Then the real gate (flow/gate/accept.Gate, both lanes) accepts
bursts of new emails in turn in the one and in the other, each to other recipients, one in fifty of them suppressed; the
recipients asked for lie evenly among all. A round's cost is the CPU of the gate's process and of its backends, and the
time it took, by message. Prints each round, the medians and their ratio; the last line is one JSON object. Ends with 1
when the ratio of the CPU, or of the time, is over `--bar` (1.2). Some ten minutes and twelve gigabytes of disk for the
ten million.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support import postgres
from tests.support.firm import Firm, make_firm, make_operator, now

from troth.flow.gate.accept import Gate
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Taken
from troth.keys import places
from troth.keys.ids import uuid7
from troth.outside.postgres import Server, find
from troth.rules.profile import load_profile
from troth.store.connection import connect

_AN_ASK = 50  # emails
_EVERY = 50  # one recipient in so many is suppressed
_PLENTY = 9_000_000
_TICK = os.sysconf("SC_CLK_TCK")
_WIDE = "-c maintenance_work_mem=1GB -c work_mem=512MB -c synchronous_commit=off"
_PERSON = (
    "COPY person (id, tenant_id, blind_index, address_ct, data_key, salt, status, pathway, verified_at, created_at)"
    " FROM STDIN"
)
_LISTED = "COPY suppression (blind_index, reason, source, tenant_id, address_ct, created_at) FROM STDIN"
# As long as real ones, and as random; only those that are asked for have keys that open. Sorted by the index, so that
# every B-tree grows at its end and ten million take minutes.
_FILLERS = """
INSERT INTO person (id, tenant_id, blind_index, address_ct, data_key, salt, status, pathway, verified_at, created_at)
SELECT (lpad(to_hex(row_number() OVER (ORDER BY made)), 12, '0') || encode(substr(made, 1, 10), 'hex'))::uuid,
       %(tenant)s, made, '\\x02'::bytea || made || substr(made, 1, 16), '\\x01'::bytea || made || made,
       substr(made, 17), 2, 'confirmation-link', now(), now()
FROM (SELECT sha256(convert_to('person ' || n, 'UTF8')) AS made FROM generate_series(1, %(n)s::bigint) AS n) AS m
ORDER BY made
"""
_FILLED_LIST = """
INSERT INTO suppression (blind_index, reason, source, tenant_id, address_ct, created_at)
SELECT made, 1, 'smtp:' || substr(encode(made, 'hex'), 1, 36), %(tenant)s, '\\x01'::bytea || made || made, now()
FROM (SELECT sha256(convert_to('listed ' || n, 'UTF8')) AS made FROM generate_series(1, %(n)s::bigint) AS n) AS m
ORDER BY made
"""
_COUNTED = """
SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM suppression), pg_database_size(current_database())
"""


@dataclass(slots=True)
class House:
    """One database: its firm, the addresses that are asked for, and its gate."""

    name: str
    firm: Firm
    addresses: list[str]
    gate: Gate


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds a message."""

    cpu: float
    wall: float


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--burst", type=int, default=500, help="messages of a round")
    parser.add_argument("--bar", type=float, default=1.2)
    args = parser.parse_args(arguments)
    wanted = args.rounds * args.burst
    if wanted > args.few:
        parser.error(f"{wanted:,} recipients are asked for, once each: --few must be at least that")
    with _server() as server:
        firms = [(name, _filled(server, name, many, wanted)) for name, many in (("few", args.few), ("many", args.many))]
        return asyncio.run(_measured(firms, args))


@contextmanager
def _server() -> Iterator[Server]:
    """A durable one, with both databases migrated; all of it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="troth-scale-", dir="/tmp"))  # where PostgreSQL's account reaches it
    folder.chmod(0o711)
    chosen = os.environ.get("TROTH_PG_BIN")
    try:
        with Server(folder / "pg", find(Path(chosen) if chosen else None)) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _filled(server: Server, name: str, many: int, wanted: int) -> tuple[Firm, list[str]]:
    started, where = time.monotonic(), f"scale_{name}"
    asked = json.dumps([server.conninfo(), server.conninfo("troth_migrate", where)])
    subprocess.run([sys.executable, "-c", postgres._PREPARE, asked], check=True)  # noqa: S603, SLF001 - as the tests do
    with psycopg.connect(**server.conninfo("troth_flow", where), autocommit=True) as flow:
        flow.execute("SELECT troth.make_partitions_v1()")
    operator = make_operator(postgres.Database(server, where))
    firm = make_firm(operator, floor=100_000_000)  # else the watch holds all but the first thousand
    promise = json.loads(json.dumps(load_profile("property").document))
    promise["limits"] = dict.fromkeys(promise["limits"], _PLENTY)
    promise["anomaly"] |= {key: _PLENTY for key in promise["anomaly"] if key.endswith("floor")}
    operator.govern("policy", None, "programme:p-firm", promise, _subject(firm))
    addresses = _people(firm, wanted)
    with ThreadPoolExecutor() as both:
        list(both.map(lambda each: _fill(firm, *each), (
            ("person", _FILLERS, many - wanted), ("suppression", _FILLED_LIST, many - wanted // _EVERY),
        )))  # fmt: skip
    with _filler(firm) as connection:
        connection.execute("CHECKPOINT")
        there = connection.execute(_COUNTED).fetchone()
    assert there is not None
    print(f"{name}: {there[0]:,} recipients, {there[1]:,} suppressions, {there[2] / 1e9:.1f} GB, "
          f"filled in {time.monotonic() - started:.0f} s", flush=True)  # fmt: skip
    return firm, addresses


def _fill(firm: Firm, table: str, statement: str, many: int) -> None:
    with _filler(firm) as connection:
        connection.execute(statement, {"tenant": firm.tenant, "n": many})
        connection.execute(f"VACUUM (FREEZE, ANALYZE) {table}")


def _subject(firm: Firm) -> Any:
    query = "SELECT subject FROM governed WHERE kind = 'policy' AND code = 'programme:p-firm'"
    return firm.operator.admin.execute(query).fetchone()[0]


@contextmanager
def _filler(firm: Firm) -> Iterator[psycopg.Connection[Any]]:
    """Past the triggers: each real suppression is fed to other cells too, which is not what is measured here."""
    options = f"-c session_replication_role=replica -c search_path=troth {_WIDE}"
    where = firm.operator.database.conninfo("postgres")
    with psycopg.connect(**where, options=options, autocommit=True) as connection:
        yield connection


def _people(firm: Firm, wanted: int) -> list[str]:
    """Recipients with keys of their own, who are asked for; their indexes lie evenly among all."""
    addresses = [f"tenant-{n}@letters{n % 97}.example" for n in range(wanted)]
    with _filler(firm) as connection, connection.cursor() as cursor:
        with cursor.copy(_PERSON) as copy:
            for address in addresses:
                person = uuid7(now())
                key, wrapped = firm.keys.new_person_key(person)
                sealed = key.seal(address.encode(), places.address(person))
                values = (person, firm.tenant, firm.index(address), sealed, wrapped, os.urandom(16), 2)
                copy.write_row((*values, "confirmation-link", now(), now()))
        with cursor.copy(_LISTED) as copy:
            for address in addresses[::_EVERY]:
                copy.write_row((firm.index(address), 1, "smtp:bench", firm.tenant, None, now()))
    return addresses


async def _measured(firms: Sequence[tuple[str, tuple[Firm, list[str]]]], args: argparse.Namespace) -> int:
    houses = [await _opened(name, firm, addresses) for name, (firm, addresses) in firms]
    rounds: dict[str, list[Cost]] = {house.name: [] for house in houses}
    try:
        parts = range(0, args.rounds * args.burst, args.burst)
        for house in houses:  # everybody once, so that what is measured is a gate that has run for a while
            for at in parts:
                await _burst(house, house.addresses[at : at + args.burst])
        for n, at in enumerate(parts):
            order = houses if n % 2 else houses[::-1]
            found = {house.name: await _burst(house, house.addresses[at : at + args.burst]) for house in order}
            for name, cost in found.items():
                rounds[name].append(cost)
            told = ", ".join(f"{h.name} {found[h.name].cpu:.0f} ({found[h.name].wall:.0f})" for h in houses)
            print(f"round {n + 1:2}: {told} microseconds of CPU a message (of time)", flush=True)
    finally:
        for house in houses:
            await house.gate.stop()
            for connection in house.firm.operator.database.opened:
                connection.close()
    return _told(rounds, args)


async def _opened(name: str, firm: Firm, addresses: list[str]) -> House:
    random.Random(5).shuffle(addresses)  # noqa: S311 - an order that is the same in every run
    operator = firm.operator
    where = operator.database.conninfo("troth_flow")
    gate = Gate(lambda who: connect(where, who), operator.keyring, operator.secrets, batch=256)
    await gate.start()
    return House(name, firm, addresses, gate)


async def _burst(house: House, addresses: Sequence[str]) -> Cost:
    asks, many = [], len(addresses)
    for at in range(0, many, _AN_ASK):
        to = addresses[at : at + _AN_ASK]
        emails = tuple(EmailAsked(to=(each,), template="reminder", variables={"name": "Ann"}) for each in to)
        asks.append(Ask(Caller(key_hash=house.firm.key_hash), emails, "POST", "/emails/batch", False, None))
    before, began = _cpu(house), time.monotonic()
    answers = await asyncio.gather(*(house.gate.submit(ask) for ask in asks))
    wall, cpu = time.monotonic() - began, _cpu(house) - before
    assert all(isinstance(each, Taken) for each in answers), answers
    return Cost(cpu / many * 1e6, wall / many * 1e6)


def _cpu(house: House) -> float:
    """Seconds of this process and of the gate's backends, which live as long as the gate."""
    query = "SELECT pid FROM pg_stat_activity WHERE usename = 'troth_flow' AND datname = current_database()"
    pids = [pid for (pid,) in house.firm.operator.admin.execute(query).fetchall()]
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / _TICK


def _told(rounds: dict[str, list[Cost]], args: argparse.Namespace) -> int:
    few, many = rounds["few"], rounds["many"]
    found = {
        "few": args.few,
        "many": args.many,
        "messages_each": args.rounds * args.burst,
        "cpu_us": [round(median(each.cpu for each in some), 1) for some in (few, many)],
        "wall_us": [round(median(each.wall for each in some), 1) for some in (few, many)],
    }
    ratios = {name: found[f"{name}_us"][1] / found[f"{name}_us"][0] for name in ("cpu", "wall")}
    told = {**found, **{f"{name}_ratio": round(value, 3) for name, value in ratios.items()}, "bar": args.bar}
    print(f"CPU {ratios['cpu']:.3f} times, time {ratios['wall']:.3f} times; the bar is {args.bar}")
    print(json.dumps(told))
    return int(max(ratios.values()) > args.bar)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
