"""The weekly review of DMARC reports, looked at: from letters that come in by SMTP to a signature, and each page beside it."""

import asyncio
import re
import smtplib
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.dmarc import letter, record, tls, xml

from troth.flow.feedback.reports import Reports
from troth.flow.inbound.limits import Limits
from troth.flow.inbound.server import Server
from troth.flow.submission import Connections
from troth.keys.keyring import OPERATOR
from troth.store.connection import connect

DOMAIN = "bounces.example"
DAY = 86_400


class Inbound:
    """The real server and desk on a thread of their own. Who sends from receiver.test has signed."""

    def __init__(self, operator):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.connections = Connections(lambda name: connect(operator.database.conninfo("troth_flow"), name))
        keyset = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
        desk = Reports(self.connections.lend, operator.keyring.tenant(OPERATOR, keyset), DOMAIN, self.signed)
        self.server = Server((desk,), "mx.example", Limits(), None)
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self.wait(self.server.start(listening))

    async def signed(self, octets, part, now):
        return "receiver.test" if "receiver.test" in part.first("from") else ""

    def wait(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def mail(self, content, to="dmarc"):
        with smtplib.SMTP("127.0.0.1", self.port) as client:
            client.sendmail("reports@receiver.test", [f"{to}@{DOMAIN}"], content)

    def stop(self):
        self.wait(self.server.stop())
        self.wait(self.connections.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture
def inbound(site):
    opened = Inbound(site.operator)
    yield opened
    opened.stop()


def weeks(site, inbound):
    """Four weeks of two receivers; in the last one a mailing list, a stranger who fails, and TLS that failed."""
    name, today = site.firm.name, int(datetime.now(UTC).timestamp()) // DAY * DAY
    for ago in range(27, 0, -1):
        count = 900 + 37 * (ago % 7) + (1_400 if ago < 6 else 0)
        rows = [record("192.0.2.1", count, domain=name), record("192.0.2.2", count // 3, domain=name)]
        if ago < 6:
            rows += [
                record(f"203.0.113.{n}", 20 + n, dkim="fail", spf="fail", disposition="reject", domain=name)
                for n in range(3)
            ]
            rows.append(record("2001:db8:85a3::8a2e:370:7334", 14, spf="fail", domain=name))
        inbound.mail(letter(xml(*rows, domain=name, begin=today - ago * DAY, report=f"day-{ago}", org="Receiver Inc")))
        site.operator.database.fill(
            "UPDATE dmarc_report SET arrived_at = %s WHERE report_id = %s", at(ago), f"day-{ago}"
        )
    site.operator.database.fill(
        "UPDATE dmarc_record r SET arrived_at = p.arrived_at FROM dmarc_report p WHERE p.id = r.report_id"
    )
    inbound.mail(letter(xml(record("198.51.100.9", 3, dkim="fail", spf="fail", domain=name), domain=name, begin=today - DAY,
                 report="forged", org="Nobody in particular"), sender="x@nobody.test"))  # fmt: skip
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    inbound.mail(letter(tls(name, day=day), packed=False, type_="application/tlsrpt+json"), "tlsrpt")


def at(ago):
    return datetime.now(UTC) - timedelta(days=ago - 0.5)


def test_a_review_from_the_reports_arrival_to_its_signature(look, site, inbound):
    looker = look(site.staff)
    for path, name in (("/dmarc", "dmarc-none"), ("/dmarc/reviews", "dmarc-reviews-none"), ("/tls-reports", "tls-none"),
                       (f"/dmarc/review/{site.firm.programme}", "dmarc-review-nothing")):  # fmt: skip
        looker.look_at(path, name)
    weeks(site, inbound)
    looker.look_at("/dmarc", "dmarc")
    looker.look_at("/dmarc/reviews", "dmarc-reviews-late")
    review = f"/dmarc/review/{site.firm.programme}"
    looker.look_at(review, "dmarc-review")
    page = looker.page
    looker.go(review)
    page.get_by_role("button", name="Sign the review").click()
    assert page.locator("[aria-invalid=true]").count() >= 1
    looker.picture("dmarc-review-faults")
    looker.console.clear()  # the 422 of it
    groups = page.get_by_role("radio", name=re.compile("Accept"))
    for n in range(groups.count()):
        groups.nth(n).check()
    page.get_by_role("radio", name=re.compile("Follow up")).first.check()
    page.get_by_label(re.compile("^Note")).first.fill(
        "Three addresses of one network: asked the client whether it knows them."
    )
    page.get_by_label(re.compile("^What you looked at")).fill(
        "All domains. The jump is the December billing; one finding is followed up."
    )
    page.get_by_role("button", name="Sign the review").click()
    assert re.search(r"/dmarc/reviews/[0-9a-f-]{36}$", page.url), page.url
    assert "became an incident" in page.content()
    looker.look_at(page.url.removeprefix(site.url), "dmarc-reviewed")
    looker.look_at("/dmarc/reviews", "dmarc-reviews")
    looker.look_at(review, "dmarc-review-next")


def test_the_pages_beside_it_are_looked_at(look, site, inbound):
    weeks(site, inbound)
    ids = dict(
        site.operator.admin.execute(
            "SELECT report_id, id FROM dmarc_report WHERE report_id IN ('day-1', 'forged')"
        ).fetchall()
    )
    (tls_id,) = site.operator.admin.execute("SELECT id FROM tls_report").fetchone()
    looker = look(site.member)
    for path, name in (
        ("/dmarc", "dmarc-client"), (f"/dmarc?domain={site.firm.name}&signed=1", "dmarc-signed"),
        ("/dmarc/sources/203.0.113.1", "dmarc-source"), ("/dmarc/sources/2001:db8:85a3::8a2e:370:7334", "dmarc-source-6"),
        ("/dmarc/reports", "dmarc-reports"), (f"/dmarc/reports/{ids['day-1']}", "dmarc-report"),
        (f"/dmarc/reports/{ids['forged']}", "dmarc-report-unsigned"), ("/tls-reports", "tls-reports"),
        ("/tls-reports/all", "tls-reports-all"), (f"/tls-reports/{tls_id}", "tls-report"),
    ):  # fmt: skip
        looker.look_at(path, name)
