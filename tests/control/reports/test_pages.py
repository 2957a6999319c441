"""What other servers told stands on pages, each client's own alone, in figures that add up."""

import csv
import io
from datetime import date, timedelta

from tests.support import told
from tests.support.told import row

from troth.control.reports import chart, reading


def test_nothing_yet_says_which_record_to_publish(site):
    for who in (site.member, site.staff):
        visitor = site.visitor(who)
        page = visitor.get("/dmarc")
        assert page.status == 200
        assert "No report has come yet" in page.text
        assert "rua=mailto:" in page.text
        assert "_smtp._tls" in visitor.get("/tls-reports").text
        assert "No report has come yet" in visitor.get("/dmarc/reports").text
    assert "when the first report has come" in visitor.get("/dmarc/reviews").text


def test_sources_alignment_volume_and_what_changed(site):
    name = "mail.firm.example"
    told.dmarc(site.operator, name, row("192.0.2.1", 100, domain=name), ago=12)
    told.dmarc(site.operator, name, row("192.0.2.1", 150, domain=name), row("203.0.113.9", 40, dkim=False, spf=False,
               disposition="reject", spf_domain="evil.example"), row("198.51.100.4", 5, spf=False, domain=name), ago=1)  # fmt: skip
    told.dmarc(site.operator, name, row("198.51.100.77", 9, dkim=False, spf=False), reporter="", org="Nobody")
    member = site.visitor(site.member)
    page = member.get("/dmarc").text
    assert 'class="c-line"' in page
    assert "style=" not in page
    assert page.index("203.0.113.9") < page.index('<th role="columnheader" scope="col">Domain')
    for word in ("Ours", "Forwarded", "Not aligned", "evil.example"):
        assert word in page
    signed = member.get("/dmarc?signed=1").text
    assert "198.51.100.77" in page
    assert "198.51.100.77" not in signed.partition('id="sources-h"')[2]
    one = member.get("/dmarc/sources/203.0.113.9").text
    assert "40 messages in 90 days, 0 of them aligned" in one
    assert "reject" in one
    assert member.get("/dmarc/sources/203.0.113.10").status == 404
    assert member.get("/dmarc/sources/nobody").status == 404
    assert "192.0.2.1" in site.visitor(site.staff).get(f"/dmarc?domain={name}").text


def test_one_report_and_its_records(site):
    name = "mail.firm.example"
    made = told.dmarc(site.operator, name, row("192.0.2.1", 3, domain=name), reporter="")
    member = site.visitor(site.member)
    assert f'href="/dmarc/reports/{made}"' in member.get("/dmarc/reports").text
    page = member.get(f"/dmarc/reports/{made}").text
    for word in ("Not signed", "signed with our key", "p=reject", "Receiver Inc tells of 3 messages"):
        assert word in page
    assert site.visitor(site.staff).get(f"/dmarc/reports/{made}").status == 200


def test_another_client_sees_nothing_of_it(site):
    name = "mail.firm.example"
    made, tls = told.dmarc(site.operator, name), told.tls(site.operator, name)
    outsider = site.visitor(site.outsider)
    for path in ("/dmarc", "/dmarc/reports", "/tls-reports", "/tls-reports/all", "/dmarc/records.csv"):
        page = outsider.get(path)
        assert page.status == 200
        assert "192.0.2.1" not in page.text
        assert name not in page.text
    for path in (f"/dmarc/reports/{made}", f"/tls-reports/{tls}", "/dmarc/sources/192.0.2.1"):
        assert outsider.get(path).status == 404
    assert outsider.get("/dmarc/reviews").status == 404
    assert site.visitor(site.member).get("/dmarc/reviews").status == 404


def test_figures_as_a_file_hold_no_formula(site):
    name = "mail.firm.example"
    told.dmarc(site.operator, name, row("192.0.2.1", 3, domain=name, dkim_selector="=cmd()"), org="@Sum Inc")
    member = site.visitor(site.member)
    answer = member.get("/dmarc/records.csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert (line["source_ip"], line["messages"], line["dkim_aligned"], line["our_key"]) == (
        "192.0.2.1",
        "3",
        "yes",
        "no",
    )
    assert (line["dkim_selector"], line["reporter"]) == ("'=cmd()", "'@Sum Inc")


def test_reports_come_page_by_page(site):
    for n in range(52):
        told.dmarc(site.operator, "mail.firm.example", ago=n / 100)
    member = site.visitor(site.member)
    first = member.get("/dmarc/reports").text
    older = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = member.get(older).text
    assert (first.count("not signed") + first.count("signed by"), second.count("signed by")) == (50, 2)
    assert member.get("/dmarc/reports?before=nonsense").text.count("signed by") == 50


def test_tls_reports_say_why_sessions_failed(site):
    made = told.tls(site.operator, "mail.firm.example")
    told.tls(site.operator, "mail.firm.example", failed=0, reporter="receiver.test")
    member = site.visitor(site.member)
    page = member.get("/tls-reports").text
    for word in ("The certificate had expired.", "180 encrypted", "sts", "mx.mail.firm.example"):
        assert word in page
    assert member.get("/tls-reports/all").text.count("/tls-reports/") >= 2
    one = member.get(f"/tls-reports/{made}").text
    assert "RFC 8460 asks for a DKIM signature" in one
    assert "mode: enforce" in one


def test_the_chart_names_days_evenly_with_the_last():
    days = [reading.Day(date(2026, 11, 1) + timedelta(days=n), n, 0) for n in range(28)]
    assert [day.day for day in chart.volume(days).days] == [1, 10, 19, 28]
