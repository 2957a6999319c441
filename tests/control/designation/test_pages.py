"""Who is named for a client, seen by those who look at its templates, and changed by two people alone."""

import re

import pytest
from tests.support import pages
from tests.support.firm import make_firm


@pytest.fixture
def building(site):
    """A client of the profile that names individuals, and its people."""
    firm = make_firm(site.operator, "corbel", "construction")
    people = {
        role: pages.join(site.operator, f"C {role} <{role}@corbel.test>", role, firm.tenant)
        for role in ("admin", "author", "viewer")
    }
    return firm, people


def named(site, firm):
    query = "SELECT account_id FROM designation WHERE tenant_id = %s ORDER BY place"
    return [row[0] for row in site.operator.admin.execute(query, (firm.tenant,)).fetchall()]


def test_an_administrator_proposes_and_a_second_person_names(site, building):
    firm, people = building
    admin = site.visitor(people["admin"])
    page = admin.get("/designation")
    assert "You are not one of them" in page.text
    assert "owner of the operator" in page.text  # who founded the firm
    assert "C viewer" not in page.text  # a viewer could write nothing
    before = named(site, firm)
    author = str(people["author"].account)
    for given, says in (({"first": "", "second": author, "reason": "x"}, "one person at least is named"),
                        ({"first": author, "second": author, "reason": "x"}, "the same person twice"),
                        ({"first": author, "second": "", "reason": " "}, "Say why"),
                        ({"first": author, "second": "", "reason": "x" * 2001}, "shorten it"),
                        ({"first": str(site.member.account), "second": "", "reason": "x"}, "Choose one of the list")):  # fmt: skip
        refused = admin.post("/designation", **given)
        assert refused.status == 422
        assert says in refused.text
    assert re.search(rf'<option value="{author}"', admin.last)
    admin.post("/designation", first=author, second=str(people["admin"].account), reason="They write our letters")
    assert named(site, firm) == before
    query = "SELECT id, digest FROM change WHERE kind = 'designation' AND state = 1"
    change, digest = site.operator.admin.execute(query).fetchone()
    assert f"/changes/{change}" in admin.get("/designation").text
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (change, digest, site.operator.sessions[0]))
    assert named(site, firm) == [people["author"].account, people["admin"].account]
    assert "You are one of them" in site.visitor(people["author"]).get("/designation").text


def test_an_author_who_is_not_named_is_told_so_where_templates_are(site, building):
    _, people = building
    left_out = "individuals alone write templates"
    assert left_out in site.visitor(people["author"]).get("/templates").text
    assert left_out not in site.visitor(people["viewer"]).get("/templates").text, "a viewer writes nowhere"
    assert left_out not in site.visitor(site.member).get("/templates").text


def test_a_viewer_sees_it_and_proposes_nothing(site, building):
    _, people = building
    viewer = site.visitor(people["viewer"])
    page = viewer.get("/designation").text
    assert "Proposing others is for" in page
    assert "<textarea" not in page
    assert viewer.post("/designation", first=str(people["author"].account), reason="x").status == 404


def test_where_the_profile_names_nobody_the_page_says_so(site):
    member = site.visitor(site.member)
    page = member.get("/designation").text
    assert "names nobody" in page
    assert "names nobody" in member.post("/designation", first=str(site.member.account), reason="x").text
    assert site.operator.admin.execute(
        "SELECT count(*) FROM change WHERE kind = 'designation' AND state = 1"
    ).fetchone() == (0,)
