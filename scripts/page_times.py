"""How long every page takes in a house with volume: `python scripts/page_times.py [--messages N] [--rounds N]`.

Makes a database of its own, fills one client with eight weeks of mail and the house with years of versions, records
and ledger, starts `troth serve pages` over TLS, and asks for each page of the URL map (tests/support/page_list.py) as
an admin of that client, as staff who look at it, at another of whom there is little, and at none. One request at a
time; the first ones of each page do not count. Prints p50 and p95 in milliseconds, the machine's load, how long
exports took and how long their longest transaction was; ends with 1 if a p95 is over 200. Where others use the
machine: `nice -n -15`.
"""

import argparse
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from statistics import quantiles
from typing import Any, Self

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

# the list's own imports want Django's settings, so they stand first
from tests.support import django_ready, page_list, pages, postgres, seeding, seeding_house  # noqa: F401 - the first
from tests.support.firm import Firm, make_firm, make_operator
from tests.support.page_list import Page
from tests.support.pages import Site, Visitor
from tests.support.seeding_house import House

from troth.outside.postgres import Server, find

BAR = 200  # milliseconds, p95
WARM = 2  # rounds that fill caches
DATABASE = "page_times"
CATEGORIES = 8
EXPORTS = (
    "/records/changes/export.csv",
    "/records/access/export.json",
    "/records/requests/export.csv",
    "/reviews/{review}/export.csv",
)


@dataclass(frozen=True)
class Timed:
    who: str
    page: Page
    status: int
    taken: list[float]

    @property
    def p50(self) -> float:
        return quantiles(self.taken, n=20)[9]

    @property
    def p95(self) -> float:
        return quantiles(self.taken, n=20)[18]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--suppressions", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", default="", help="a part of the page's address")
    args = parser.parse_args(arguments)
    with _ground() as (firm, folder):
        site, house = filled(firm, folder, args.messages, args.suppressions)
        try:
            return _told(_measured(site, house, args.rounds, args.only)) | exported(site)
        finally:
            pages.stop(site)


@contextmanager
def _ground() -> Iterator[tuple[Firm, Path]]:
    """A durable server, a migrated database, an operator and a firm; all of it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="troth-pages-", dir="/tmp"))  # where PostgreSQL's account reaches it
    folder.chmod(0o711)
    chosen = os.environ.get("TROTH_PG_BIN")
    try:
        with Server(folder / "pg", find(Path(chosen) if chosen else None)) as server:
            asked = json.dumps([server.conninfo(), server.conninfo("troth_migrate", DATABASE)])
            subprocess.run([sys.executable, "-c", postgres._PREPARE, asked], check=True)  # noqa: S603, SLF001 - as the tests do
            with psycopg.connect(**server.conninfo("troth_flow", DATABASE), autocommit=True) as flow:
                flow.execute("SELECT troth.make_partitions_v1()")
            database = postgres.Database(server, DATABASE)
            yield make_firm(make_operator(database)), folder
            for connection in database.opened:
                connection.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def filled(firm: Firm, folder: Path, messages: int, suppressions: int) -> tuple[Site, House]:
    """Mail, the rest of the house, and people who can sign in."""
    started = time.monotonic()
    codes = [f"notice-{n}" for n in range(CATEGORIES)]
    sender = {"name": "Firm firm", "address": f"rent@{firm.name}"}
    subjects = [
        firm.operator.govern("category", firm.tenant, code, {
            "name": code, "purpose": "p", "sender": sender, "legal_class": "transactional", "raw": True, "policy": {}})
        for code in codes
    ]  # fmt: skip
    site = pages.start(firm.operator, folder, firm=firm)
    seeding.people(firm, 5000)
    seeding.messages(firm, messages, categories=[firm.category, *subjects])
    seeding.suppressions(firm, suppressions)
    whole = seeding_house.Size()
    house = seeding_house.house(firm, folder, whole if messages >= 1_000_000 else whole.tenth())
    seeding.analyzed(firm)
    print(f"filled in {time.monotonic() - started:.0f} s", flush=True)
    return site, house


def _measured(site: Site, house: House, rounds: int, only: str) -> list[Timed]:
    member = site.visitor(site.member)
    asked = [*page_list.searched(site, member), *page_list.listed(site, house)]
    asked = [page for page in asked if only in page.name]
    looking = {
        "member": member,
        "staff at the client": _at(site, house.firm.tenant),
        "staff at a quiet client": _at(site, house.quiet),
        "staff": site.visitor(site.staff),
    }
    return [_timed(site, who, visitor, page, rounds) for page in asked for who, visitor in looking.items()]


def _at(site: Site, tenant: Any) -> Visitor:
    visitor = site.visitor(site.staff)
    visitor.get("/clients")
    visitor.post("/scope", client=str(tenant))
    return visitor


def _timed(site: Site, who: str, visitor: Visitor, page: Page, rounds: int) -> Timed:
    """As in a browser, one connection serves all of a page's requests."""
    connection = http.client.HTTPSConnection(site.url.removeprefix("https://"), context=_unchecked())
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.cookies)
    taken, status = [], 0
    for number in range(rounds + WARM):
        started = time.perf_counter()
        connection.request("GET", page.path, headers={"Cookie": cookies})
        answer = connection.getresponse()
        answer.read()
        status = answer.status
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise SystemExit(f"{page.name}: {page.path} answered {status} to {who}")
        if number >= WARM:
            taken.append((time.perf_counter() - started) * 1000)
    connection.close()
    return Timed(who, page, status, taken)


def _unchecked() -> ssl.SSLContext:
    """The test's own certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _told(found: list[Timed]) -> int:
    """What somebody may not have is answered at once and says nothing of the page: of these only slow ones are told."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| page | who | status | p50 ms | p95 ms | |\n|---|---|---|---|---|---|")
    for each in sorted(found, key=lambda one: -one.p95):
        verdict = "PASS" if each.p95 <= BAR else "FAIL"
        if each.status == HTTPStatus.OK or verdict == "FAIL":
            print(f"| {each.page.name} | {each.who} | {each.status} | {each.p50:.0f} | {each.p95:.0f} | {verdict} |")
    slow = [each for each in found if each.p95 > BAR]
    print(f"\n{len(found)} asked, {len(slow)} slower than {BAR} ms")
    return int(bool(slow))


def exported(site: Site) -> int:
    """Each export to its end: rows, seconds, how much the process grew, and the oldest transaction meanwhile."""
    query = "SELECT id FROM review WHERE tenant_id = %s AND closed_at IS NULL"
    (review,) = site.operator.admin.execute(query, (site.firm.tenant,)).fetchall()[0]
    visitor, bad = site.visitor(site.member), 0
    print("\n| export | MB | seconds | grew by MB | oldest snapshot s |\n|---|---|---|---|---|")
    for pattern in EXPORTS:
        watch = Watch(site)
        with watch:
            size, taken = _taken(site, visitor, pattern.format(review=review))
        bad |= watch.oldest > 30
        print(f"| {pattern} | {size / 1e6:.1f} | {taken:.1f} | {watch.grew:.0f} | {watch.oldest:.2f} |", flush=True)
    return int(bad)


def _taken(site: Site, visitor: Visitor, path: str) -> tuple[int, float]:
    connection = http.client.HTTPSConnection(site.url.removeprefix("https://"), context=_unchecked(), timeout=600)
    started, size = time.perf_counter(), 0
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.cookies)
    connection.request("GET", path, headers={"Cookie": cookies})
    answer = connection.getresponse()
    assert answer.status == HTTPStatus.OK, (path, answer.status)
    while part := answer.read(65536):
        size += len(part)
    return size, time.perf_counter() - started


class Watch:
    """Looks at the pages' processes and at their transactions, five times a second."""

    def __init__(self, site: Site) -> None:
        self._site, self._done = site, threading.Event()
        self.oldest, self.grew, self._began = 0.0, 0.0, self._memory()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        query = ("SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8"
                 " FROM pg_stat_activity WHERE usename = 'troth_control'")  # fmt: skip
        with psycopg.connect(**self._site.operator.database.conninfo("postgres"), autocommit=True) as connection:
            while not self._done.wait(0.2):
                self.oldest = max(self.oldest, connection.execute(query).fetchall()[0][0])
                self.grew = max(self.grew, self._memory() - self._began)

    def _memory(self) -> float:
        """MB of the pages' process and its children."""
        tasks = Path(f"/proc/{self._site.process.pid}/task")
        pids = [str(self._site.process.pid), *" ".join(p.read_text() for p in tasks.glob("*/children")).split()]
        lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
