"""Emergency stops: one person's act with its consequence in words, seen by all, and lifted by two."""

import re

import pytest
from tests.browser.seeding import busy
from tests.support import pages

from troth.control.audit.refusals import Refused
from troth.control.tenants import pauses
from troth.control.tenants.pauses import Stop


def active(site):
    query = "SELECT tenant_id, category_id, effect, reason, started_by FROM pause WHERE released_at IS NULL"
    return site.operator.admin.execute(query).fetchall()


def staff(site, role, client=None):
    found = site.visitor(pages.join(site.operator, f"S {role} <{role}@operator.test>", role))
    found.get("/")
    if client:
        assert found.post("/scope", client=str(client)).status == 200
    return found


def test_an_administrator_stops_one_category_and_two_people_lift_it(site):
    member = site.visitor(site.member)
    empty = member.get("/stops").text
    assert "Nothing is stopped" in empty
    path = re.search(r'href="(/stops/start\?category=[0-9a-f-]+)"', empty)[1]
    page = member.get(path).text
    for words in ("Stop the category “Rent” of Firm firm", "No message waits just now", "403, tenant-paused",
                  "The client’s other mail goes on", "one person proposes and another approves"):  # fmt: skip
        assert words in page
    refused = member.post(path, effect="stop-new", reason="  ")
    assert refused.status == 422
    assert "Say why, for those who look at it later." in refused.text
    assert re.search(r'value="stop-new"[^>]* checked', refused.text)
    assert active(site) == []
    assert f'href="{path}"' in member.get(f"/categories/{site.firm.category}").text, "the stop is where the category is"
    member.get(path)
    page = member.post(path, effect="stop-new", reason="The sum is wrong")
    assert page.url == f"{site.url}/stops"
    assert "Stopped: the category “Rent” of Firm firm" in page.text
    assert "The sum is wrong" in page.text
    assert "by Marguerite Alder" in page.text
    assert active(site) == [
        (site.firm.tenant, site.firm.category, "stop-new", "The sum is wrong", str(site.member.account))
    ]
    link = re.search(r'href="(/stops/[0-9a-f-]+/release)"', page.text)[1]
    assert "A second person" in member.get(link).text or "second person" in member.last
    assert member.post(link, reason="").status == 422
    member.post(link, reason="The sum is right again")
    change, digest = site.operator.admin.execute("SELECT id, digest FROM change WHERE kind = 'release'").fetchone()
    assert len(active(site)) == 1
    assert "The stop of the category “rent” of Firm firm is lifted" in member.get(f"/changes/{change}").text
    assert "Proposed" in member.get("/stops").text
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (change, digest, site.operator.sessions[0]))
    assert active(site) == []
    told = "SELECT count(*) FROM ledger_pending WHERE kind = 'sending:pause:start' AND tenant_id = %s"
    assert site.operator.admin.execute(told, (site.firm.tenant,)).fetchone() == (1,)


def test_staff_stop_everything_and_a_client_sees_it_but_cannot_lift_it(site):
    busy(site)
    owner = staff(site, "security")
    page = owner.get("/stops/start").text
    assert "Stop everything, of every client" in page
    assert "1,000 messages wait" in page
    owner.post("/stops/start", effect="stop-delivery", reason="A worm")
    assert [row[0] for row in active(site)].count(None) == 1
    listed = owner.get("/stops").text
    assert "Everything, of every client" in listed
    assert "the watch" in listed or "watch" in listed
    member = site.visitor(site.member).get("/stops").text
    assert "A worm" in member
    assert "The operator’s to release" in member
    assert "212 %" not in member  # another client's stop
    assert "Sending is paused for every client" in site.visitor(site.member).get("/").text


def test_who_may_not_is_told_so_and_forms_come_to_nothing(site):
    viewer = site.visitor(pages.join(site.operator, "V Iewer <v@firm.test>", "viewer", site.firm.tenant))
    page = viewer.get("/stops").text
    assert "Your role starts no stops" in page
    assert "/stops/start" not in page
    assert viewer.post("/stops/start", effect="stop-new", reason="x").status == 404
    member = site.visitor(site.member)
    for path in (
        f"/stops/start?category={site.other.category}",
        "/stops/start?category=x",
        f"/stops/{site.firm.tenant}/release",
    ):
        assert member.get(path).status == 404
    member.get("/stops/start")
    assert "Choose one of the two" in member.post("/stops/start", effect="all", reason="x").text
    assert "shorten it" in member.post("/stops/start", effect="stop-new", reason="x" * 2001).text
    assert active(site) == []


def test_the_database_asks_who_it_is(operator, firm):
    stop = Stop(firm.tenant, "stop-new", "why")
    with pytest.raises(Refused, match="open session"):
        pauses.start(operator.control, b"nobody's", stop)
    for wrong, says in ((Stop(firm.tenant, "stop", "why"), "one of stop-new"), (Stop(firm.tenant, "stop-new", " "), "Say why"),
                        (Stop(firm.tenant, "stop-new", "x" * 3000), "3,000 characters"),
                        (Stop(firm.tenant, "stop-new", "x", firm.template), "no such category")):  # fmt: skip
        with pytest.raises(Refused, match=says):
            pauses.start(operator.control, operator.sessions[0], wrong)
    with pytest.raises(Refused):
        pauses.watch(operator.control, stop)
    pauses.start(operator.control, operator.sessions[0], stop)
    (found,) = pauses.active(operator.control, firm.tenant)
    assert (found.reason, found.category_id) == ("why", None)
