"""A thousand forged reports, bombs among them: 0 suppressions, in bounded time and memory, and nothing raises."""

import asyncio
import gzip
import time
import tracemalloc
from pathlib import Path

import pytest
from tests.flow.inbound.conftest import DOMAIN
from tests.flow.inbound.test_reports import OURS, about
from tests.support.dmarc import letter, record, tls

from troth.flow.feedback.reports import Reports

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpora" / "dmarc-tlsrpt"
pytestmark = pytest.mark.slow


def forged():
    bomb = gzip.compress(bytes(5_000_000), 9)
    for n in range(1_000):
        content = (
            letter(about(record(f"10.{n % 7}.0.{n % 250}", n + 1, dkim="fail", spf="fail", domain=OURS), report=f"r{n % 700}")),
            letter(tls(OURS, f"t{n}"), packed=False),
            letter(bomb, packed=False),
            letter(b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + about()),
        )[0 if n % 10 else (n // 10) % 4]  # fmt: skip
        yield content


async def test_a_thousand_forged_reports_suppress_nobody(house, post, page):
    page.operator.admin.execute("UPDATE domain_state SET name = %s", (OURS,))
    desk = Reports(house.lend, house.operator_keys, DOMAIN)
    server = await post((desk,))
    letters = list(forged())
    tracemalloc.start()
    times = []
    for chunk in range(0, len(letters), 50):
        who = await server.stranger()
        for each in letters[chunk : chunk + 50]:
            started = time.perf_counter()
            assert (await who.mail(f"dmarc@{DOMAIN}", each)).startswith("250")
            times.append(time.perf_counter() - started)
        await who.close()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 120_000_000
    assert sorted(times)[990] < 2.0
    assert page.stopped() == ([], [])
    taken, kept = page.rows("SELECT (SELECT count(*) FROM dmarc_report), (SELECT count(*) FROM inbound_letter)")[0]
    assert taken == 500, "no more of one domain in a day where nobody signed"
    assert kept <= 1_000


async def test_every_file_of_the_corpus_comes_in_as_a_letter(house, post, page):
    if not CORPUS.exists():
        pytest.skip("the corpora are not here")
    who = await (await post((Reports(house.lend, house.operator_keys, DOMAIN),))).stranger()
    for path in sorted(CORPUS.rglob("*.*")):
        content = path.read_bytes()
        if path.suffix == ".eml":
            content = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n"
        else:
            content = letter(content, packed=False)
        async with asyncio.timeout(20):
            assert (await who.mail(f"dmarc@{DOMAIN}", content)).startswith("250"), path
    assert {reason for (reason,) in page.rows("SELECT DISTINCT reason FROM inbound_letter")} == {
        "foreign",
        "not-a-report",
    }
