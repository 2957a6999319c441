"""From what needs a person to the client it is of, with what was asked for."""

import re
from html import unescape

import pytest


def test_see_them_looks_at_that_client_and_keeps_the_filter(site):
    site.firm.domain_ready(False)
    staff = site.visitor(site.staff)
    form = re.search(r'<form method="post" action="/scope">(?:(?!</form>).)*See the records', staff.get("/").text)[0]
    fields = {name: re.search(rf'name="{name}" value="([^"]+)"', form)[1] for name in ("next", "client")}
    there = f"/domains/{site.firm.domain}"
    assert fields == {"next": there, "client": str(site.firm.tenant)}
    assert staff.post("/scope", **fields).url == f"{site.url}{there}"
    assert f'<a class="btn" href="{there}">See the records' in staff.get("/").text


def test_choosing_a_client_keeps_what_was_asked_for(site):
    staff = site.visitor(site.staff)
    back = re.search(r'name="next" value="([^"]+)"', staff.get("/messages?state=held&from=2026-11-20").text)[1]
    there = staff.post("/scope", client=str(site.firm.tenant), next=unescape(back))
    assert there.url == f"{site.url}/messages?state=held&from=2026-11-20"


@pytest.mark.parametrize(
    "back",
    ["//evil.example/?", "/messages?a\r\nX: y", "/messages?a#b", "/messages/../x?a", "/messages?", "/messages?\\x",
     "/messages.evil.example?a", "/messages?é", "https://evil.example/messages?a", "/messages?" + "a" * 2001],
)  # fmt: skip
def test_what_is_no_list_of_ours_leads_home(site, back):
    staff = site.visitor(site.staff)
    staff.get("/")
    assert staff.post("/scope", client=str(site.firm.tenant), next=back).url == f"{site.url}/"


def test_switching_stays_at_the_same_list(site):
    staff = site.visitor(site.staff)
    staff.get("/clients")
    staff.post("/scope", client=str(site.firm.tenant))
    for path, stays in ((f"/templates/{site.firm.template}", "/templates"), ("/messages?state=held", "/messages"),
                        ("/", "/"), ("/account", "/")):  # fmt: skip
        staff.get(path)
        back = unescape(re.search(r'name="next" value="([^"]*)"', staff.last)[1])
        assert staff.post("/scope", client=str(site.other.tenant), next=back).url == f"{site.url}{stays}"
        staff.post("/scope", client=str(site.firm.tenant))
