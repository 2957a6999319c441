"""The staff's pages of promises: what holds and what does not, in words, for the eyes that may see it."""

import re

import pytest
from tests.support import pages

from troth.control.trust import catalogue
from troth.control.trust.strokes import strokes


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


@pytest.fixture
def staff(site):
    return site.visitor(site.staff)


def record(site, claim, state, programme=None, why=()):
    site.operator.database.run(
        "SELECT claim_record_v2(ARRAY[%s], ARRAY[%s::uuid], ARRAY[%s], ARRAY[jsonb_build_object('why', %s::text[], 'seen',"
        " jsonb_build_object('rows_counted', 7))::text], 'ab')", claim, programme, state, list(why))  # fmt: skip


def programme(site):
    return site.operator.database.run("SELECT id, code FROM programme ORDER BY code LIMIT 1")[0]


def test_on_the_first_day_nothing_was_checked_and_nothing_holds(staff):
    page = staff.get("/claims")
    assert page.status == 200
    assert len(re.findall(r'href="/claims/[A-Z]{3}-\d+"', page.text)) == len(catalogue.claims()) == 108
    assert "0 hold, 0 fail" in page.text
    assert "style=" not in page.text
    assert ">never<" in page.text


def test_the_list_is_narrowed_and_says_why(site, staff):
    one, code = programme(site)
    record(site, "EML-2", "fails", one, ["the newest message has no DKIM signature <b>"])
    record(site, "SUP-3", "holds")
    fails = staff.get("/claims?state=fails").text
    assert re.findall(r'href="/claims/([A-Z]{3}-\d+)"', fails) == ["EML-2"]
    assert "no DKIM signature &lt;b&gt;" in fails
    assert "/claims/EML-2" in staff.get("/claims?section=email").text
    assert "/claims/SUP-3" not in staff.get("/claims?section=email").text
    assert re.findall(r'href="/claims/([A-Z]{3}-\d+)"', staff.get("/claims?q=sup-3").text) == ["SUP-3"]
    assert "Show all" in staff.get(f"/claims?programme={code}").text
    assert "No promise is like this" in staff.get("/claims?q=nothing-like-it").text
    assert staff.get("/claims?programme=moon").status == 404
    assert staff.get("/claims?state=nonsense&section=nonsense").status == 200


def test_one_claim_says_how_it_is_known_and_what_was_seen(site, staff):
    one, code = programme(site)
    record(site, "EML-2", "holds", one)
    record(site, "EML-2", "fails", one, ["the newest message has no DKIM signature"])
    page = staff.get("/claims/EML-2").text
    for said in ("The database refuses a key below 2048 bits", "no DKIM signature", "Rows counted", f'id="p-{code}"',
                 "One stroke a day, sixty days", "Its newest turns", "Worst state", "deliverability"):  # fmt: skip
        assert said in page, said
    assert page.count("before its first look") == 59 * page.count("Worst state") + (page.count("Worst state") - 1)
    none = staff.get("/claims/ENC-1").text
    assert "None yet: nothing decides whether it holds" in none
    assert 'action="/claims/ENC-1/check"' not in none
    assert staff.get("/claims/NON-1").status == 404


def test_a_look_is_asked_for_and_the_watch_hears_of_it(site, staff):
    page = staff.get("/claims/SUP-3")
    assert 'action="/claims/SUP-3/check"' in page.text
    answer = staff.post("/claims/SUP-3/check")
    assert "looked at within two minutes" in answer.text
    assert "A look was asked for" in answer.text
    assert site.operator.database.run("SELECT claim FROM claim_ask") == [("SUP-3",)]
    record(site, "SUP-3", "holds")
    assert site.operator.database.run("SELECT claim FROM claim_ask") == []
    assert "Check now" in staff.get("/claims/SUP-3").text


def test_it_is_no_page_of_a_clients_people(site):
    member = site.visitor(site.member)
    assert member.get("/claims").status == 404
    assert member.get("/claims/SUP-3").status == 404
    assert "/claims" not in member.get("/").text


def test_the_first_page_says_what_does_not_hold(site, staff):
    assert "hold" not in re.sub(r"<[^>]+>", " ", staff.get("/").text).partition("Today")[2][:400]
    record(site, "SUP-3", "fails", why=["rows may be deleted"])
    assert "SUP-3 does not hold" in staff.get("/").text
    record(site, "EML-2", "fails", programme(site)[0])
    home = staff.get("/").text
    assert "2 promises do not hold" in home
    assert 'href="/claims?state=fails"' in home


def test_strokes_are_told_apart_without_their_colour():
    made = strokes(["holds", "fails", "stale", None])
    assert made.kept == "M1.5 4V48"
    assert made.broken == "M8.5 0v20M12.0 30v22"
    assert made.unknown == "M15.5 34V48M22.5 34V48"
    assert (made.width, made.says) == (29, "1 hold, 1 fail, 2 are not known")
    assert strokes([]).width == 8
