"""Reports of others come in by SMTP, once each, and stay what they are: data of strangers that changes nothing of ours."""

import asyncio
import gzip
from datetime import UTC, datetime, timedelta

import pytest
from tests.flow.inbound.conftest import DOMAIN
from tests.support.dmarc import letter, record, tls, xml

from troth.flow.feedback import aside, reports
from troth.flow.feedback.reports import Reports
from troth.flow.feedback.reports_rows import ROWS, clean, domain
from troth.mail.arrived import Arrived, Verdict
from troth.store.inbound import Most

OURS = "mail.firm.example"
TO = f"dmarc@{DOMAIN}"
DAY = 86_400


def begin(days=1):
    return int((datetime.now(UTC) - timedelta(days=days)).timestamp()) // DAY * DAY


def about(*records, name=OURS, **given):
    rows = records or (
        record("192.0.2.1", 7, domain=name),
        record("203.0.113.9", 2, dkim="fail", spf="fail", domain=name),
    )
    return xml(*rows, domain=name, begin=given.pop("begin", begin()), **given)


class Desk:
    """The desk behind a real server; `signer` is who signs what comes."""

    def __init__(self, house, post, page):
        self.page, self.signer, self.post = page, "", post
        self.desk = Reports(house.lend, house.operator_keys, DOMAIN, self.signed)

    async def signed(self, octets, part, now):
        assert octets
        assert part.fields
        assert now.tzinfo
        return self.signer

    async def mail(self, content, to=TO):
        who = await (await self.post((self.desk,))).stranger()
        return (await who.mail(to, content))[:3]

    def counts(self):
        return dict(self.page.rows("SELECT kind || ' ' || outcome, n FROM report_count"))


@pytest.fixture
def desk(house, post, page):
    page.operator.admin.execute("UPDATE domain_state SET name = %s", (OURS,))
    return Desk(house, post, page)


async def test_a_report_is_taken_in_once_and_says_whose_it_is(desk, page):
    desk.signer = "receiver.test"
    for _ in range(2):
        assert await desk.mail(letter(about())) == "250"
    assert page.rows("SELECT tenant_id, domain, org, reporter, messages, passed, records, left_out FROM dmarc_report") == [
        (page.firm.tenant, OURS, "Receiver Inc", "receiver.test", 9, 7, 2, 0)]  # fmt: skip
    assert page.rows("SELECT n, host(source_ip), messages, dkim, spf, signed, ours, domain, spf_domain FROM dmarc_record ORDER BY n") == [
        (1, "192.0.2.1", 7, True, True, True, True, OURS, OURS), (2, "203.0.113.9", 2, False, False, True, False, OURS, OURS)]  # fmt: skip
    assert desk.counts() == {"dmarc taken": 1, "dmarc repeated": 1}
    assert page.rows("SELECT count(*) FROM inbound_letter") == [(0,)]


async def test_a_source_that_signs_with_another_key_is_not_ours(desk, page):
    await desk.mail(letter(about(report="").replace(b"<selector>s1", b"<selector>s2")))
    assert page.rows("SELECT DISTINCT ours FROM dmarc_record") == [(False,)]


async def test_a_forgery_that_came_before_keeps_no_signed_report_out(desk, page):
    await desk.mail(letter(about(record("198.51.100.1", 900, domain=OURS))))
    desk.signer = "receiver.test"
    await desk.mail(letter(about()))
    assert page.rows("SELECT reporter FROM dmarc_report ORDER BY arrived_at") == [("",), ("receiver.test",)]


async def test_reports_suppress_nobody_and_change_no_state(desk, page):
    message = await page.send()
    before = page.events(message)
    forged = [letter(about(report=f"r-{n}")) for n in range(20)] + [
        letter(tls(OURS, f"t-{n}"), packed=False) for n in range(9)
    ]
    for each in forged:
        assert await desk.mail(each) == "250"
    assert page.events(message) == before
    assert page.stopped() == ([], [])


async def test_whose_a_domain_is(desk, page):
    for n, name in enumerate(("firm.example", f"sub.{OURS}", OURS.upper())):
        await desk.mail(letter(about(record(domain=OURS), name=name, report=f"r{n}")))
    assert page.rows("SELECT DISTINCT tenant_id FROM dmarc_report") == [(page.firm.tenant,)]
    assert page.rows("SELECT DISTINCT tenant_id, domain FROM dmarc_record") == [(page.firm.tenant, OURS)]
    await desk.mail(letter(about(name=DOMAIN)))
    assert page.rows("SELECT tenant_id FROM dmarc_report WHERE domain = %s", DOMAIN) == [(None,)]


async def test_what_is_about_nobody_of_ours_is_kept_aside(desk, page):
    for n, name in enumerate(("example.com", "com", "co.uk", "not a name")):
        assert await desk.mail(letter(about(name=name, report=f"r{n}"))) == "250"
    assert page.rows("SELECT count(*) FROM dmarc_report") == [(0,)]
    assert page.rows("SELECT desk, reason, count(*) FROM inbound_letter GROUP BY 1, 2") == [("report", "foreign", 4)]
    assert desk.counts() == {"dmarc foreign": 4}


async def test_reports_of_another_time_are_kept_aside(desk, page):
    for n, days in enumerate((-9, 900)):
        await desk.mail(letter(about(begin=begin(days), report=f"r{n}")))
    await desk.mail(letter(about(begin=begin(99), days=90, report="long")))
    assert desk.counts() == {"dmarc untimely": 3}
    assert page.rows("SELECT reason FROM inbound_letter") == [("untimely",)] * 3


async def test_what_cannot_be_read_is_kept_for_a_person_and_a_flood_is_a_number(desk, page, monkeypatch):
    monkeypatch.setattr(aside, "MOST", Most(2, 2, 1_000_000))
    for n in range(3):
        assert await desk.mail(b"Subject: %d\r\n\r\nnothing\r\n" % n) == "250"
    assert await desk.mail(letter(gzip.compress(bytes(5_000_000)), packed=False)) == "250"
    assert page.rows("SELECT DISTINCT reason FROM inbound_letter") == [("not-a-report",)]
    assert page.rows("SELECT count(*) FROM inbound_letter") == [(2,)]
    assert desk.counts() == {"letter unreadable": 4}


async def test_a_day_takes_so_many_of_a_domain(desk, page):
    page.operator.admin.execute(
        "INSERT INTO dmarc_report SELECT gen_random_uuid(), %s, %s, 'o', g::text, sha256(g::text::bytea), sha256('a'), '', "
        "now_v1(), now_v1(), now_v1(), 0, 0, 0, 0, '{}' FROM generate_series(1, 500) AS g", (page.firm.tenant, OURS),
    )  # fmt: skip
    assert await desk.mail(letter(about())) == "250"
    desk.signer = "receiver.test"
    assert await desk.mail(letter(about())) == "250"
    assert desk.counts() == {"dmarc flooded": 1, "dmarc taken": 1}
    assert page.rows("SELECT count(*) FROM inbound_letter") == [(0,)]


async def test_a_reports_rows_are_few(desk, page):
    rows = [record(f"10.0.{n // 250}.{n % 250}", n + 1, domain=OURS) for n in range(ROWS + 10)] + [
        record(count=10**11)
    ] * 3
    await desk.mail(letter(about(*rows, record("nowhere"))))
    assert page.rows("SELECT count(*), max(messages) FROM dmarc_record") == [(ROWS, 3 * 10**11)]
    assert page.rows("SELECT records, left_out FROM dmarc_report") == [(ROWS, 12)]


async def test_a_tls_report_is_taken_in_for_each_domain(desk, page):
    today = datetime.now(UTC).date().isoformat()
    assert await desk.mail(letter(tls(OURS, day=today), type_="application/tlsrpt+gzip"), f"tlsrpt+a@{DOMAIN}") == "250"
    assert page.rows("SELECT tenant_id, domain, sessions, failed, policies->0->>'type' FROM tls_report") == [
        (page.firm.tenant, OURS, 40, 2, "sts")]  # fmt: skip
    assert page.rows("SELECT policy, result, mx, sending_ip, sessions FROM tls_failure") == [
        ("sts", "certificate-expired", f"mx.{OURS}", "192.0.2.9", 2)]  # fmt: skip
    await desk.mail(letter(tls(OURS, day=today), packed=False))
    await desk.mail(letter(tls("", "none", day=today), packed=False))
    assert desk.counts() == {"tls taken": 1, "tls repeated": 1, "tls foreign": 1}


async def test_only_its_own_addresses_are_known(desk):
    known = [f"dmarc@{DOMAIN}", f"DMARC+x@{DOMAIN.upper()}", f"tlsrpt@{DOMAIN}"]
    assert [await desk.desk.knows(each) for each in (*known, "dmarc@other.example", f"dmarcs@{DOMAIN}", "postmaster")] == (
        [True] * 3 + [False] * 3)  # fmt: skip


async def test_what_is_beyond_mending_costs_few_processes(desk, page, monkeypatch):
    asked = []
    monkeypatch.setattr(reports.report_child, "recover", asked.append)
    monkeypatch.setattr(reports, "RECOVERIES", 2)
    for n in range(4):
        await desk.mail(b"Subject: %d\r\n\r\n<feedback><x>\r\n" % n)
    assert len(asked) == 2
    assert page.rows("SELECT count(*) FROM inbound_letter WHERE reason = 'xml'") == [(4,)]


async def test_many_at_once_are_taken_one_by_one(desk, page):
    await asyncio.gather(*(desk.mail(letter(about(report=f"r{n % 3}"))) for n in range(9)))
    assert page.rows("SELECT count(*) FROM dmarc_report") == [(3,)]
    assert desk.counts() == {"dmarc taken": 3, "dmarc repeated": 6}


async def test_without_a_verifier_nobody_signed(house, post, page):
    page.operator.admin.execute("UPDATE domain_state SET name = %s", (OURS,))
    who = await (await post((Reports(house.lend, house.operator_keys, DOMAIN),))).stranger()
    assert (await who.mail(TO, letter(about()))).startswith("250")
    assert page.rows("SELECT reporter FROM dmarc_report") == [("",)]


async def test_records_of_long_ago_go(desk, page):
    await desk.mail(letter(about()))
    with page.operator.database.filler() as filler:
        filler.execute("UPDATE dmarc_record SET day = day - 500")
    await desk.mail(letter(about(report="next")))
    assert page.rows("SELECT count(*) FROM dmarc_record") == [(2,)]


def test_names_and_texts_are_made_harmless():
    assert [domain(each) for each in ("Ex.Example.", "bücher.example", "a", "a b.example", "é" * 300 + ".x")] == [
        "ex.example", "xn--bcher-kva.example", "", "", ""]  # fmt: skip
    assert clean("a\x00b\u202ec\ud800d" + "x" * 50, 10) == "a b c dxxx"


async def test_a_slow_dns_of_one_report_holds_no_other_up(desk):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(octets, part, now):
        if b"slow" in octets:
            begun.set()
            await go_on.wait()
        return ""

    desk.desk._signed = slow
    first = Arrived("192.0.2.1", "x@y.example", b"Subject: slow\r\n\r\nx")
    waiting = asyncio.create_task(desk.desk.take([TO], first))
    await begun.wait()
    other = Arrived("192.0.2.1", "x@y.example", letter(about()))
    assert await asyncio.wait_for(desk.desk.take([TO], other), 10) is Verdict.TAKEN
    go_on.set()
    assert await waiting is Verdict.TAKEN
