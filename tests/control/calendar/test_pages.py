"""The calendar's page and file: what is overdue first, narrowed, one action each; staff and auditors alone."""

import re

import pytest
from tests.support import pages

HEADINGS = re.compile(r'<h2 id="month-\d+">([^<]+)</h2>')


@pytest.fixture
def house(cast, tmp_path):
    running = pages.start(cast.operator, tmp_path, firm=cast.firms["property"])
    yield running
    pages.stop(running)


def test_what_is_overdue_comes_first_then_month_by_month(cast, house):
    staff = house.visitor(house.staff)
    page = staff.get("/calendar").text
    assert "Nothing is overdue" in page
    assert "Overdue" not in HEADINGS.findall(page)
    assert HEADINGS.findall(page)[-1] == "Waiting for something to look at"
    cast.move(days=34)
    page = house.visitor(house.staff).get("/calendar").text
    assert HEADINGS.findall(page)[0] == "Overdue"
    assert re.search(r"\d days? late|Late since today", page)
    assert "/evidence/new?claim=APP-1&amp;kind=static-scan" in page


def test_done_with_who_and_what_shows_it(cast, house):
    made = cast.hand_in("APP-6", "penetration-test")
    page = house.visitor(house.staff).get("/calendar?claim=APP-6").text
    assert f"/evidence/{made.id}" in page
    assert "In 36" in page
    assert page.count('<tr role="row">') == 2  # the head and the one line


def test_it_is_narrowed_and_says_when_nothing_fits(cast, house):
    staff = house.visitor(house.staff)
    assert "Restore drill" in staff.get("/calendar?programme=p-homes").text
    assert "Restore drill" not in staff.get("/calendar?programme=p-shops").text
    assert "Penetration test" in staff.get("/calendar?programme=p-shops").text  # the house's, which it promises
    assert "Penetration test" not in staff.get("/calendar?owner=compliance").text
    nothing = staff.get("/calendar?owner=compliance&claim=INF-9")
    assert "No duty fits" in nothing.text
    assert "No duty fits" in staff.get("/calendar?programme=%00%3Cb%3E").text


def test_the_file_is_for_whoever_is_signed_in(cast, house):
    staff = house.visitor(house.staff)
    answer = staff.get("/calendar.ics?programme=p-homes")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment")
    text = answer.text
    assert text.startswith("BEGIN:VCALENDAR")
    assert "SUMMARY:Restore drill" in text.replace("\r\n ", "").replace("\n ", "")
    assert "/sign-in?next=" in house.visitor().get("/calendar.ics").url


def test_the_first_page_tells_of_what_is_soon_due(cast, house):
    cast.move(days=25)
    page = house.visitor(house.staff).get("/").text
    assert "Static scan of the code" in page
    assert "Restore drill" not in page


def test_a_client_has_no_such_page(house):
    assert house.visitor(house.member).get("/calendar").status == 404
