"""How long the pages take with a million messages: `python scripts/page_times.py [--messages N] [--suppressions N]`.

Makes a database of its own, fills one client with eight weeks of mail, starts `troth serve pages` over TLS, signs a
member in, and asks for each page in turn, round after round, so that a busy minute of the machine falls on all alike.
Prints p50 and p95 of each in milliseconds, and ends with 1 if a p95 is over 200.
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
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from statistics import quantiles

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support import pages, postgres, seeding
from tests.support.firm import Firm, make_firm, make_operator
from tests.support.pages import Site, Visitor

from troth.keys.ids import uuid7
from troth.outside.postgres import Server, find

BAR = 200  # milliseconds, p95
DATABASE = "page_times"
CATEGORIES = 8


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--suppressions", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60)
    args = parser.parse_args(arguments)
    with _house() as (firm, folder):
        categories = _fill(firm, args.messages, args.suppressions)
        site = pages.start(firm.operator, folder, firm=firm)
        try:
            return _told(_measured(site, categories, args.rounds), args.messages, args.suppressions)
        finally:
            pages.stop(site)


@contextmanager
def _house() -> Iterator[tuple[Firm, Path]]:
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


def _fill(firm: Firm, messages: int, suppressions: int) -> list[str]:
    started = time.monotonic()
    codes = [f"notice-{n}" for n in range(CATEGORIES)]
    sender = {"name": "Firm firm", "address": f"rent@{firm.name}"}
    subjects = [
        firm.operator.govern("category", firm.tenant, code, {
            "name": code, "purpose": "p", "sender": sender, "legal_class": "transactional", "raw": True, "policy": {}})
        for code in codes
    ]  # fmt: skip
    seeding.people(firm, 5000)
    seeding.messages(firm, messages, categories=[firm.category, *subjects])
    seeding.suppressions(firm, suppressions)
    seeding.analyzed(firm)
    print(f"filled in {time.monotonic() - started:.0f} s", flush=True)
    return codes


def _measured(site: Site, categories: list[str], rounds: int) -> dict[str, list[float]]:
    visitor = site.visitor(site.member)
    paths = _paths(site, visitor, categories)
    connection = http.client.HTTPSConnection(site.url.removeprefix("https://"), context=_unchecked())
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.cookies)
    taken: dict[str, list[float]] = {name: [] for name in paths}
    for number in range(rounds + 3):
        for name, path in paths.items():
            started = time.perf_counter()
            connection.request("GET", path, headers={"Cookie": cookies})
            answer = connection.getresponse()
            answer.read()
            if answer.status != HTTPStatus.OK:
                raise SystemExit(f"{name}: {path} answered {answer.status}")
            if number >= 3:  # the first rounds fill caches
                taken[name].append((time.perf_counter() - started) * 1000)
    return taken


def _unchecked() -> ssl.SSLContext:
    """The test's own certificate; as in a browser, one connection serves all of the pages."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _paths(site: Site, visitor: Visitor, categories: list[str]) -> dict[str, str]:
    deep = site.operator.admin.execute(
        "SELECT id FROM message WHERE tenant_id = %s ORDER BY id OFFSET 1000 LIMIT 1", (site.firm.tenant,)
    ).fetchone()[0]
    newest = site.operator.admin.execute(
        "SELECT id FROM message WHERE state = 6 AND tenant_id = %s ORDER BY id DESC LIMIT 1", (site.firm.tenant,)
    ).fetchone()[0]
    visitor.get("/messages")
    who = _found(site, visitor.post("/messages/find", q="tenant77@example.net").url)
    visitor.get("/suppressions")
    suppressed = _found(site, visitor.post("/suppressions/find", q="tenant77@example.net").url)
    visitor.get("/suppressions")
    day = f"{time.strftime('%Y-%m-%d', time.gmtime(time.time() - 20 * 86400))}"
    return {
        "first page": "/messages",
        "deep page": f"/messages?after=msg_a_{deep.hex}",
        "backwards from there": f"/messages?before=msg_a_{deep.hex}",
        "by address": who,
        "by state, bounced": "/messages?state=bounced",
        "by state, expired (1 in 2,000)": "/messages?state=expired",
        "by state, delivered": "/messages?state=delivered",
        "by state, queued": "/messages?state=queued",
        "by complaint (1 in 3,000)": "/messages?state=complained",
        "by category, half of all": "/messages?category=rent",
        "by category, 1 in 500": f"/messages?category={categories[-1]}",
        "by category and state": f"/messages?category={categories[-1]}&state=failed",
        "by a day": f"/messages?from={day}&to={day}",
        "by category in a day": f"/messages?category={categories[-1]}&from={day}&to={day}",
        "nothing at all (a new client's key)": f"/messages?email=em_a_{uuid7(seeding.now()).hex}",
        "one message": f"/messages/msg_a_{newest.hex}",
        "suppressions": "/suppressions",
        "suppressions by reason": "/suppressions?reason=complaint",
        "suppressions by address": suppressed,
        "domains": "/domains",
        "one domain": f"/domains/{site.firm.domain}",
    }


def _found(site: Site, url: str) -> str:
    return url.removeprefix(site.url)


def _told(taken: dict[str, list[float]], messages: int, suppressions: int) -> int:
    print(f"{messages:,} messages, {suppressions:,} suppressions of one client; {os.cpu_count()} cores\n")
    print("| page | p50 ms | p95 ms |\n|---|---|---|")
    slow = 0
    for name, each in taken.items():
        cuts = quantiles(each, n=20)
        slow += cuts[18] > BAR
        print(f"| {name} | {cuts[9]:.0f} | {cuts[18]:.0f} |")
    return int(slow > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
