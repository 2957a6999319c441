"""Limits: what is left of each window as the gate counted it, and how far a route's warm-up is."""

import re

from tests.support import pages

from troth.control.limits.windows import Window


def spend(site, scope, subject, used, cap, start="date_trunc('hour', now_v1(), 'UTC')"):
    site.operator.admin.execute(
        f"INSERT INTO rate_counter VALUES (%s, %s, %s, {start}, %s, %s)", (site.firm.tenant, scope, subject, used, cap)
    )


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def test_a_member_sees_what_is_left_of_the_hour_and_of_the_day(site):
    firm = site.firm
    page = text_of(site.visitor(site.member).get("/limits"))
    assert "This hour 1,000,000 0 1,000,000" in page
    local = "date_trunc('day', now_v1() AT TIME ZONE 'Europe/London') AT TIME ZONE 'Europe/London'"
    spend(site, 1, firm.tenant, 40, 100)
    spend(site, 2, firm.tenant, 90, 1_000_000, local)
    spend(site, 3, firm.key, 7, 10)
    spend(site, 4, firm.template, 3, 1_000_000)
    page = text_of(site.visitor(site.member).get("/limits"))
    assert "This hour 60 40 100 40" in page, "an anomaly's slower number is the one that counts"
    assert "Today 999,910 90 1,000,000" in page
    assert "key 3 7 10" in page
    assert "reminder 999,997 3 1,000,000" in page
    assert "Days are those of Europe/London" in page


def test_the_keys_own_number_is_its_policys(site):
    site.operator.govern("category", site.firm.tenant, "few", {
        "name": "Few", "purpose": "Few notices", "sender": {"name": "Firm", "address": f"few@{site.firm.name}"},
        "legal_class": "transactional", "lawful_basis": "contract", "policy": {"limits": {"template_hour": 12}}})  # fmt: skip
    site.operator.govern("template", site.firm.tenant, "seldom", {
        "category": "few", "subject": "Hello", "html": "<p>Hello.</p>", "text": "Hello.", "schema": {}, "targeting": {}})  # fmt: skip
    assert "seldom 12 0 12" in text_of(site.visitor(site.member).get("/limits"))


def test_keys_and_templates_are_found_and_paged_the_most_used_first(site):
    firm, operator = site.firm, site.operator
    for n in range(30):
        subject = operator.govern("template", firm.tenant, f"notice-{n:02}", {
            "category": "rent", "subject": "Hello", "html": "<p>Hello.</p>", "text": "Hello.", "schema": {}, "targeting": {}})  # fmt: skip
        if n % 2:
            spend(site, 4, subject, n * 1000, 1_000_000)
    member = site.visitor(site.member)
    first = member.get("/limits")
    assert "notice-29 971,000 29,000 1,000,000 notice-27 973,000 27,000" in text_of(first)
    assert "notice-28" not in text_of(first)
    more = re.search(r'href="(/limits\?[^"]*templates=[^"]+)">More', first.text)[1].replace("&amp;", "&")
    second = member.get(more)
    assert "notice-28 1,000,000 0 1,000,000" in text_of(second)
    assert ">More</a>" not in second.text
    seen = re.findall(r"notice-\d\d", text_of(first) + text_of(second))
    assert sorted(seen) == [f"notice-{n:02}" for n in range(30)]
    found = member.get("/limits?q=NOTICE-1")
    assert len(re.findall(r"notice-\d\d", text_of(found))) == 10
    assert "No key has “NOTICE-1” in its name." in text_of(found)
    assert "There is none after that." in text_of(member.get("/limits?templates=0~template~zzz"))
    assert "notice-29" in text_of(member.get("/limits?templates=nonsense"))


def test_the_house_sees_the_routes_and_no_clients_numbers(site):
    staff = site.visitor(pages.join(site.operator, "Del Staff <del@operator.test>", "deliverability"))
    page = text_of(staff.get("/limits"))
    assert "Choose a client above" in page
    assert "It has no schedule" in page
    assert "This account" not in page


def test_a_warm_up_is_shown_day_by_day(site):
    operator = site.operator
    today = operator.admin.execute("SELECT (now_v1() AT TIME ZONE 'UTC')::date - 1").fetchone()[0].isoformat()
    route = operator.govern("route", None, "relay", {"starts": today, "caps": [50, 80, 120]})
    operator.admin.execute("INSERT INTO route_day VALUES ('relay', (now_v1() AT TIME ZONE 'UTC')::date, 80, 30, 1, 1)")
    page = text_of(site.visitor(site.member).get("/limits"))
    assert "50 of today’s 80 are left." in page
    assert "120 not yet" in page
    operator.govern("route", None, "relay", {"starts": "2020-01-01", "caps": [50]}, route)
    assert "Its schedule is over" in text_of(site.visitor(site.member).get("/limits"))
    operator.govern("route", None, "relay", {"starts": "2099-01-01", "caps": [50]}, route)
    assert "nothing goes over it" in text_of(site.visitor(site.member).get("/limits"))
    operator.govern("route", None, "relay", {"starts": "2099-01-01", "caps": [50], "retired": True}, route)
    assert "ended by two people" in text_of(site.visitor(site.member).get("/limits"))


def test_a_window_of_nothing_is_full():
    assert (Window("x", 0, 0, None).left, Window("x", 0, 0, None).share) == (0, 1.0)
    assert Window("x", 5, 7, None).left == 0
