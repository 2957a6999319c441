"""The first page's agenda: what is alike is one line, and what it says of a stopped client is so."""

import re

from tests.control.complaints.test_loops_pages import marked
from tests.support import pages


def stop(site, tenant, reason):
    site.operator.admin.execute(
        "SELECT pause_v1(ARRAY[%s]::uuid[], 'stop-delivery', %s, 'complaints')", (tenant, reason))  # fmt: skip


def test_stops_that_are_alike_are_one_line_which_says_how_many(site):
    for n in range(3):
        stop(site, site.firm.tenant, f"Pattern {n}")
    stop(site, site.other.tenant, "Another")
    page = site.visitor(site.staff).get("/").text
    told = set(re.findall("“(Pattern [0-9]|Another)”", page))
    assert len(told) == 2
    assert "Another" in told
    assert "2 more such stops are in force." in page


def test_a_template_waits_for_its_review_by_whoever_may_review_it(site):
    marked(site)
    owner = site.visitor(site.staff).get("/").text
    assert "It is sent meanwhile." in owner
    assert "Review it" in owner
    admin = site.visitor(site.member).get("/").text
    assert "waits for its review" in admin
    assert "Review it" not in admin
    stop(site, site.firm.tenant, "A pattern")
    stopped = site.visitor(site.staff).get("/").text
    assert "It is not sent: a stop is in force." in stopped
    assert "It is sent meanwhile." not in stopped


def test_a_review_is_called_by_its_programmes_name(site):
    (name, code) = site.operator.admin.execute("SELECT name, code FROM programme LIMIT 1").fetchone()
    stay = site.visitor(pages.join(site.operator, "O Two <two@operator.test>", "owner"))
    page = stay.get(f"/complaints/review/{site.firm.programme}").text
    assert f"Review of {name}" in page
    assert name != code
