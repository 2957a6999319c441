"""Access reviews on the pages: begun, decided, and taken away as evidence whose proofs verify."""

import base64
import csv
import io
import json

import pytest
from tests.control.access.cast import duty, later
from tests.control.ledger.house import House
from tests.support.pages import join

from troth.ledger.leaf import leaf_hash
from troth.ledger.proofs import verify_inclusion


@pytest.fixture
def second(site):
    return join(site.operator, "Bruno Tailor <bruno@firm.test>", "admin", site.firm.tenant)


@pytest.fixture
def review(site, second):
    """(visitor, the review's path)"""
    visitor = site.visitor(site.member)
    visitor.get("/reviews")
    begun = visitor.post("/reviews/begin")
    assert "The review is open" in begun.text
    return visitor, begun.url.removeprefix(site.url)


def test_it_is_begun_decided_and_done(site, second, review):
    visitor, path = review
    assert "Your own access is on the list" in visitor.last
    assert "Tick whose access" in visitor.post(f"{path}/confirm").text
    assert visitor.post(f"{path}/confirm", item=f"person:{site.member.account}").status == 422  # oneself
    assert "1 confirmed" in visitor.post(f"{path}/confirm", item=f"person:{second.account}", note="Needed.").text
    key = f"{path}/revoke/key/{site.firm.key}"
    assert "stops now" in visitor.get(key).text
    assert "the note is the evidence" in visitor.post(key, note=" ").text
    assert "at most 2000" in visitor.post(key, note="x" * 2001).text
    assert "access has ended" in visitor.post(key, note="Nobody uses it.").text
    again = visitor.post("/reviews/begin")
    assert again.status == 422
    assert "open already" in again.text
    other = site.visitor(second)
    other.get(path)
    other.post(f"{path}/confirm", item=f"person:{site.member.account}")
    assert "Done" in other.last
    assert "lost access" in other.last
    closed = other.post(f"{path}/revoke/person/{site.member.account}", note="Too late.")
    assert "over" in closed.text
    assert closed.status == 422
    assert other.post(f"{path}/confirm", item=f"person:{site.member.account}").status == 422
    assert "Done" in other.get("/reviews").text


def test_what_is_not_there_and_what_is_anothers_read_the_same(site, review):
    visitor, path = review
    outsider = site.visitor(site.outsider)
    outsider.get("/reviews")
    for page in (path, f"{path}/export.csv", f"{path}/revoke/key/{site.firm.key}"):
        assert outsider.get(page).status == 404, page
    assert outsider.post(f"{path}/confirm", item=f"key:{site.firm.key}").status == 404
    assert "There was no review yet" in outsider.get("/reviews").text
    for page in (f"{path}/revoke/key/{site.member.account}", f"{path}/export.pdf", "/reviews?before=x",
                 "/reviews?before=2026-01-01"):  # fmt: skip
        assert visitor.get(page).status == 404, page
    visitor.get(path)
    for item in ("person:x", "cat:1", "x"):
        assert visitor.post(f"{path}/confirm", item=item).status == 404, item
    assert visitor.post(f"{path}/confirm", item=f"key:{site.firm.key}", note="x" * 2001).status == 422


def test_its_evidence_is_a_file_and_each_entry_proves_itself(site, second, review):
    visitor, path = review
    visitor.post(f"{path}/confirm", item=f"person:{second.account}", note="=1+1")
    house = House(site.firm, site.folder)
    house.seal()
    lines = list(csv.DictReader(io.StringIO(visitor.get(f"{path}/export.csv").text)))
    told = json.loads(visitor.get(f"{path}/export.json").text)
    assert len(lines) == len(told["entries"]) == 3
    [decided] = [each for each in lines if each["outcome"] == "confirmed"]
    assert (decided["name"], decided["note"], decided["decided_by"]) == ("Bruno Tailor", "'=1+1", "Marguerite Alder")
    [entry] = [each for each in told["entries"] if each["outcome"] == "confirmed"]
    assert str(entry["ledger_entry"]) == decided["ledger_entry"]
    leaf = json.loads(entry["proof"]["leaf"])
    assert (leaf["kind"], leaf["note"], leaf["item"]) == ("people:review:confirm", "=1+1", str(second.account))
    size, root = told["checkpoint"].split("\n")[1:3]
    verify_inclusion(entry["ledger_entry"], int(size), leaf_hash(entry["proof"]["leaf"].encode()),
                     [bytes.fromhex(each) for each in entry["proof"]["proof"]], base64.b64decode(root))  # fmt: skip
    looks = "SELECT count(*) FROM ledger_pending WHERE kind = 'access:review:export'"
    assert site.operator.admin.execute(looks).fetchone() == (2,)


def test_before_the_first_checkpoint_an_export_has_no_proofs(site, second, review):
    visitor, path = review
    told = json.loads(visitor.get(f"{path}/export.json").text)
    assert told["checkpoint"] is None
    assert {each["outcome"] for each in told["entries"]} == {"open"}
    assert "proof" not in told["entries"][0]


def test_what_lapsed_is_said_and_pages_of_reviews_go_back(site, second, review):
    _, path = review
    later(site.operator, 14.1)
    site.operator.database.fill("UPDATE account SET last_used_at = now_v1()")
    late = site.visitor(second).get(path).text
    assert "Over" in late
    assert "loses access within minutes" in late
    site.operator.database.fill("INSERT INTO review_decision SELECT review_id, kind, subject, tenant_id, 'confirmed', '', account_id,"
                                " human_id, now_v1() FROM (SELECT i.*, a.id AS account_id FROM review_item i JOIN account a"
                                " ON a.id = %s WHERE i.kind = 'person' AND i.subject = %s) AS x", site.member.account, second.account)  # fmt: skip
    duty(site.operator)
    text = site.visitor(second).get(path).text
    assert "Not confirmed in time: access ended" in text
    site.operator.database.fill(
        "INSERT INTO review SELECT gen_random_uuid(), %s, now_v1() - make_interval(days => 15 * n), NULL,"
        " now_v1() - make_interval(days => 15 * n - 14), now_v1() FROM generate_series(1, 25) AS n", site.firm.tenant)  # fmt: skip
    visitor = site.visitor(second)
    first = visitor.get("/reviews").text
    assert "Older" in first
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert visitor.get(older).text.count('href="/reviews/') >= 6
