"""A day's room for reports is by whose domain it is, not by names that anybody makes up; a signature is no standing."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.flow.inbound.conftest import DOMAIN
from tests.flow.inbound.test_reports import OURS, Desk, about
from tests.support.dmarc import letter, tls

from troth.flow.feedback.reports import NAMES

_FILL = """
INSERT INTO dmarc_report SELECT gen_random_uuid(), %s, 'n' || g || '.' || %s, 'o', g::text, sha256((%s || g)::bytea), sha256('a'),
replace(%s, '#', g::text), now_v1() - %s, now_v1(), now_v1() - %s, 0, 0, 0, 0, '{}' FROM generate_series(1, %s) AS g
"""


@pytest.fixture
def desk(house, post, page):
    page.operator.admin.execute("UPDATE domain_state SET name = %s", (OURS,))
    return Desk(house, post, page)


def fill(desk, reporter, n, days=0, tenant=True):
    """So many reports about names below ours; `#` in the reporter's name is another one each."""
    ago = timedelta(days=days)
    whose = desk.page.firm.tenant if tenant else None
    desk.page.operator.admin.execute(_FILL, (whose, OURS, f"{reporter}{days}", reporter, ago, ago, n))


async def outcome(desk, reporter, name=f"new.{OURS}"):
    """What becomes of one report more."""
    before = desk.counts()
    desk.signer = reporter
    assert await desk.mail(letter(about(name=name, report=f"r{sum(before.values())}"))) == "250"
    (found,) = (each for each, n in desk.counts().items() if n != before.get(each))
    return found.partition(" ")[2]


async def test_names_below_ours_are_one_owners(desk):
    fill(desk, "", 499)
    assert await outcome(desk, "") == "taken"
    assert await outcome(desk, "", f"other.{OURS}") == "flooded"
    assert await outcome(desk, "receiver.test") == "taken"


async def test_a_signature_of_anybodys_own_domain_raises_nothing(desk):
    fill(desk, "evil.example", 100)
    assert await outcome(desk, "evil.example") == "flooded"
    assert await outcome(desk, "else.example") == "taken"
    fill(desk, "evil#.example", 399)
    assert await outcome(desk, "else.example") == "flooded"


async def test_a_known_reporter_is_kept_out_by_no_stranger(desk):
    fill(desk, "receiver.test", 1, days=6)
    fill(desk, "", 600)
    fill(desk, "evil#.example", 600)
    fill(desk, "receiver.test", 1_999)
    assert await outcome(desk, "receiver.test") == "taken"
    assert await outcome(desk, "receiver.test") == "flooded"


async def test_a_day_has_an_end(desk):
    fill(desk, "", 5_000, tenant=False)
    assert await outcome(desk, "") == "flooded"
    assert await outcome(desk, "receiver.test") == "flooded"
    fill(desk, "receiver.test", 1, days=6)
    assert await outcome(desk, "receiver.test") == "taken"


async def test_a_tls_report_is_about_a_few_domains(desk, page):
    today = datetime.now(UTC)
    made = json.loads(tls(OURS, day=f"{today:%Y-%m-%d}"))
    one = made["policies"][0]
    made["policies"] = [{**one, "policy": {**one["policy"], "policy-domain": f"t{n}.{OURS}"}} for n in range(NAMES + 7)]
    sent = letter(json.dumps(made).encode(), type_="application/tlsrpt+gzip")
    assert await desk.mail(sent, f"tlsrpt@{DOMAIN}") == "250"
    assert page.rows("SELECT count(*) FROM tls_report") == [(NAMES,)]
    assert desk.counts() == {"tls taken": NAMES, "tls flooded": 1}
    ((words,),) = page.rows("SELECT DISTINCT policies->0->'text'->>-1 FROM tls_report")
    assert words == "The report is about 7 domains more, of which nothing is kept."
