"""A warm-up from the pages: typed, looked at day by day, proposed, and approved by somebody else."""

import re
from datetime import date, timedelta

import pytest
from tests.support import pages

from troth.control.limits import warm_up_form

GIVEN = {"way": "growth", "first": "50", "percent": "100", "last": "300", "steps": "", "reason": "A new address"}


@pytest.fixture
def staff(site):
    return site.visitor(pages.join(site.operator, "Del Staff <del@operator.test>", "deliverability"))


def today(site):
    return site.operator.admin.execute("SELECT (now_v1() AT TIME ZONE 'UTC')::date").fetchone()[0]


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def changes(site):
    return site.operator.admin.execute(
        "SELECT id, artefact::jsonb, digest FROM change WHERE kind = 'route' ORDER BY proposed_at"
    ).fetchall()


def test_a_warm_up_is_typed_looked_at_proposed_and_approved(site, staff):
    now = today(site)
    page = text_of(staff.get("/limits"))
    assert "It has no schedule" in page
    assert "Propose a warm-up" in page
    assert f'value="{now}"' in staff.get("/limits/warm-up/relay").text
    look = staff.post("/limits/warm-up/relay", act="look", starts=str(now), **GIVEN)
    assert f"{now} day 1, today 50 {now + timedelta(days=1)} day 2 100" in text_of(look)
    assert f"{now + timedelta(days=3)} day 4 300" in text_of(look)
    assert "650 messages at most" in text_of(look)
    assert changes(site) == []
    again = staff.post("/limits/warm-up/relay", act="edit", starts=str(now), **GIVEN)
    assert 'value="300"' in again.text
    made = staff.post("/limits/warm-up/relay", act="propose", starts=str(now), **GIVEN)
    ((change, artefact, digest),) = changes(site)
    assert made.url.endswith(f"/changes/{change}")
    assert artefact == {"starts": str(now), "caps": [50, 100, 200, 300]}
    assert f"From {now} on the route “relay” sends at most 50 messages a day, rising to 300 on day 4." in text_of(made)
    assert "waits for a second person" in text_of(staff.get("/limits"))
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (change, digest, site.operator.sessions[0]))
    page = text_of(staff.get("/limits"))
    assert "Day 1 of 4: 50 of today’s 50 are left." in page
    assert "Held until tomorrow 0" in page


def test_another_schedule_shows_what_was_before_and_what_comes(site, staff):
    now = today(site)
    site.operator.govern("route", None, "relay", {"starts": str(now - timedelta(days=1)), "caps": [50, 80, 1200]})
    form = staff.get("/limits/warm-up/relay").text
    assert "50\n80\n1200" in form
    steps = {**GIVEN, "way": "steps", "steps": "60\n90\n1500"}
    look = text_of(staff.post("/limits/warm-up/relay", act="look", starts=str(now), **steps))
    assert "day 1, today 80 60" in look
    made = text_of(staff.post("/limits/warm-up/relay", act="propose", starts=str(now), **steps))
    assert f"{now + timedelta(days=1)} day 2 at most 1,200 at most 90" in made
    assert f"{now + timedelta(days=2)} day 3 as many as there are at most 1,500" in made


def test_a_first_day_to_come_says_that_mail_waits(site, staff):
    ahead = today(site) + timedelta(days=2)
    staff.get("/limits/warm-up/relay")
    look = text_of(staff.post("/limits/warm-up/relay", act="look", starts=str(ahead), **GIVEN))
    assert f"Until {ahead} nothing goes over this route: all mail is held." in look
    made = text_of(staff.post("/limits/warm-up/relay", act="propose", starts=str(ahead), **GIVEN))
    assert f"Until {ahead} nothing goes over it: all mail is held." in made


WRONG = (
    ({"starts": "soon"}, "starts", "“soon” is no day. Write the first day as YYYY-MM-DD"),
    ({"starts": "2020-01-01"}, "starts", "This schedule is over already"),
    ({"starts": "2999-01-01"}, "starts", "give a day within a year"),
    ({"first": "0"}, "first", "Give a whole number from 1 to 10,000,000."),
    ({"percent": "a half"}, "percent", "Give a whole number from 1 to 200."),
    ({"last": "40"}, "last", "give 50, the first day’s number, or more"),
    ({"percent": "1", "last": "10,000,000"}, "percent", "takes more than 90 days from 50 to 10,000,000"),
    ({"way": "steps", "steps": "100,200"}, "steps", "“100,200” is no whole number"),
    ({"way": "steps", "steps": "200 100"}, "steps", "A warm-up never falls"),
    ({"way": "steps", "steps": " "}, "steps", "Give each day’s number, the first day’s first."),
    ({"way": "sideways", "steps": "1"}, "way", "Choose how the schedule is given."),
    ({"reason": " "}, "reason", "Say why, for the person who approves it."),
    ({"reason": "x" * 2001}, "reason", "2,000 characters are the most"),
    ({"first": "5", "percent": "100"}, "first", "5 for today lies below what went today already: 30."),
)


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(site, staff):
    site.operator.admin.execute(
        "INSERT INTO route_day VALUES ('relay', (now_v1() AT TIME ZONE 'UTC')::date, 80, 30, 1, 1)"
    )
    staff.get("/limits/warm-up/relay")
    for given, field, says in WRONG:
        typed = {"starts": str(today(site)), **GIVEN, **given}
        for act in ("look", "propose"):
            page = staff.post("/limits/warm-up/relay", act=act, **typed)
            assert page.status == 422
            assert says in page.text, given
            assert f'href="#f-{field}"' in page.text, given
            assert "A new address" in page.text or field == "reason"
    assert changes(site) == []


def test_a_warm_up_ends_by_two_people(site, staff):
    now = today(site)
    assert staff.get("/limits/warm-up/relay/end").status == 404
    site.operator.govern("route", None, "relay", {"starts": str(now), "caps": [50, 80]})
    staff.get("/limits/warm-up/relay/end")
    assert "Say why" in staff.post("/limits/warm-up/relay/end", reason=" ").text
    assert "2,000 characters" in staff.post("/limits/warm-up/relay/end", reason="x" * 2001).text
    made = text_of(staff.post("/limits/warm-up/relay/end", reason="It is known now"))
    assert "The warm-up of the route “relay” ends." in made
    assert f"from {now} on 50, rising to 80 on day 2" in made
    assert changes(site)[-1][1] == {"starts": str(now), "caps": [50, 80], "retired": True}


def test_it_is_the_houses_and_of_those_who_may(site, staff):
    assert site.visitor(site.member).get("/limits/warm-up/relay").status == 404
    assert staff.get("/limits/warm-up/moon").status == 404
    staff.get("/clients")
    staff.post("/scope", client=str(site.firm.tenant))
    assert staff.get("/limits/warm-up/relay").status == 404
    auditor = site.visitor(pages.join(site.operator, "Ann Auditor <ann@operator.test>", "auditor"))
    assert auditor.get("/limits/warm-up/relay").status == 404
    assert "Propose a warm-up" not in auditor.get("/limits").text


def test_a_long_schedule_shows_the_days_round_today_and_the_rest_on_demand(site, staff):
    now = today(site)
    site.operator.govern(
        "route", None, "relay", {"starts": str(now - timedelta(days=20)), "caps": list(range(50, 100))}
    )
    page = staff.get("/limits").text
    assert "All 50 days" in page
    first = page.partition("All 50 days")[0]
    assert str(now - timedelta(days=3)) in first
    assert str(now - timedelta(days=4)) not in first
    site.operator.revoke(site.operator.admin.execute("SELECT subject FROM governed WHERE kind = 'route'").fetchone()[0])
    assert "Its schedule was stopped" in staff.get("/limits").text


def test_what_stands_in_force_is_what_the_form_begins_with():
    assert warm_up_form.first_typed(date(2026, 11, 22), [], None)["way"] == "growth"
    assert warm_up_form.first_typed(date(2026, 11, 22), [5, 6], date(2026, 11, 20))["steps"] == "5\n6"
