"""The auditor's page: promises by law, populations with what was drawn, and the file that verifies elsewhere."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from tests.control.audits.conftest import found, written
from tests.control.ledger.house import House
from tests.support import pages

from troth.ledger.archive import unpack
from troth.ledger.bundle_check import verify
from troth.ledger.receipt_check import verify as verify_receipt


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


@pytest.fixture
def house(site):
    """Messages, and a promise that failed and holds again."""
    made = House(site.firm, site.folder)
    made.seal()
    made.tell("zoe@example.org", copies=3)
    written(made)
    found(made, "EML-2", site.firm.programme, "fails", why=["it was not so"])
    found(made, "EML-2", site.firm.programme, "holds")
    made.seal()
    return made


def staff(site, role):
    return site.visitor(pages.join(site.operator, f"Some {role} <{role}@operator.test>", role))


def code_of(site):
    return site.operator.database.run("SELECT code FROM programme WHERE id = %s", site.firm.programme)[0][0]


def asked(site, **more):
    today = datetime.now(UTC).date()
    given = {"from": f"{today - timedelta(days=2)}", "to": f"{today}", "sample": "2", **more}
    return "&".join(f"{name}={value}" for name, value in given.items())


def taken(visitor, path):
    """The octets of a file."""
    with visitor._opener.open(visitor.url + path, timeout=60) as got:
        return got.read()


def test_an_auditor_sees_promises_by_law_and_samples(site, house):
    auditor, code = staff(site, "auditor"), code_of(site)
    empty = auditor.get("/audits")
    assert "Choose a programme and a period" in empty.text
    page = auditor.get(f"/audits?programme={code}&{asked(site)}")
    assert page.status == 200
    assert re.search(r"Messages<small>.*?</th><td[^>]*data-label=\"Members\">3</td>", page.text)
    row = re.search(r">EML-2<small>.*?</tr>", page.text, re.DOTALL)[0]
    assert [word.lower() for word in re.findall(r"holds|fails", row, re.IGNORECASE)][-1] == "fails"
    assert "holds" in row.lower()
    assert "zoe@" not in page.text
    for law in ("GDPR", "CAN-SPAM"):
        assert f"<h2>{law}</h2>" in page.text


def test_the_file_that_is_taken_verifies_elsewhere_and_the_taking_is_told(site, house):
    auditor, code = staff(site, "auditor"), code_of(site)
    answer = taken(auditor, f"/audits/{code}/bundle.zip?{asked(site)}")
    judged = verify(answer, house.signer.vkey, code)
    assert judged.receipts == 2
    assert judged.tellings == 2
    assert b"example.org" not in answer
    house.seal()
    kinds = [kind for (kind,) in house.database.run("SELECT kind FROM ledger_leaf WHERE kind LIKE 'access:audit:%'")]
    assert kinds == ["access:audit:bundle"]
    history = [json.loads(line) for line in unpack(answer)["claims/history.jsonl"].splitlines()]
    assert [each["state"] for each in history] == ["fails", "holds"]


def test_a_receipt_of_a_message_drawn_shows_no_address(site, house):
    auditor, code = staff(site, "auditor"), code_of(site)
    page = auditor.get(f"/audits?programme={code}&{asked(site)}")
    links = re.findall(rf'href="(/audits/{code}/receipts/[0-9a-f-]+\.json)"', page.text)
    assert len(links) == 2
    body = taken(auditor, links[0])
    assert verify_receipt(body, house.signer.vkey).receipt.messages[0].shown == "withheld"
    assert auditor.get(f"/audits/{code}/receipts/{site.firm.tenant}.json").status == 404
    assert auditor.get(links[0].replace(code, "nowhere")).status == 404


WRONG = (
    ({"from": "x"}, "Write a day"), ({"sample": "0"}, "from 1 to 200"), ({"to": "2001-01-01"}, "later one"),
    ({"from": "2999-01-01"}, "not come yet"), ({"from": "2001-01-01"}, "400 days"), ({"sample": "5x"}, "from 1 to 200"),
)  # fmt: skip


def test_what_cannot_be_is_refused_and_what_was_typed_is_kept(site, house):
    auditor, code = staff(site, "auditor"), code_of(site)
    for more, said in WRONG:
        page = auditor.get(f"/audits?programme={code}&{asked(site, **more)}")
        assert page.status == 422
        assert said in page.text
        assert all(f'value="{value}"' in page.text for value in more.values())
        assert auditor.get(f"/audits/{code}/bundle.zip?{asked(site, **more)}").status == 404


def test_nobody_else_sees_it(site, house):
    code = code_of(site)
    for visitor in (site.visitor(site.member), staff(site, "support")):
        for path in (
            "/audits",
            f"/audits/{code}/bundle.zip?{asked(site)}",
            f"/audits/{code}/receipts/{house.messages[0]}.json",
        ):
            assert visitor.get(path).status == 404
    assert staff(site, "compliance").get("/audits?programme=nowhere").status == 422
