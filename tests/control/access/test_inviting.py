"""From an invitation to the first sign-in: two people, one mail, one link; and those who signed on without access."""

import re
import time

import pytest
from tests.control.access.test_pages import invite, second, waiting
from tests.support.pages import Somebody, join

from troth.cli.demo import packs
from troth.keys import places
from troth.keys.ids import uuid7
from troth.mail.variables import check

__all__ = ["second"]


def mailed(door, address, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _, _, mail in list(door):
            if mail["to"] == [address] and mail["template"]["id"] == "invitation":
                return mail["template"]["variables"]
        time.sleep(0.05)
    return None


def approve_on_the_page(site, who, change):
    visitor = site.visitor(who)
    page = visitor.get(f"/changes/{change[0]}")
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page.text)[1]
    answer = visitor.post(f"/changes/{change[0]}/approve", digest=digest)
    assert answer.status == 200, answer.text
    return answer


def test_two_people_and_one_mail_bring_somebody_in(site, second, door):
    site.system_tenant()
    invite(site.visitor(site.member), name="Nora Quill", role="author")
    change = waiting(site, site.firm.tenant)
    approve_on_the_page(site, second, change)
    said = mailed(door, "nora@firm.test")
    assert check(said, packs.template("system/invitation")[1]["schema"]) == []
    assert (said["name"], said["where"], said["role"], said["by"]) == (
        "Nora Quill",
        "Firm firm",
        "author",
        "Bruno Tailor",
    )
    assert said["expires"].endswith("(Europe/London)")
    nora = site.visitor()
    nora.get(said["link"].removeprefix(site.url))
    done = nora.post(said["link"].removeprefix(site.url), password="four words of mine", again="four words of mine")
    assert done.status == 200
    inside = nora.sign_in(
        Somebody(change[3], "nora@firm.test", "Nora Quill", "author", site.firm.tenant), "four words of mine"
    )
    assert "Nora Quill" in inside.text
    page = site.visitor(site.member).get(f"/people/{change[3]}").text
    assert "accepted" in page
    assert "Send the invitation" not in page
    again = site.visitor(site.member)
    again.get("/people")
    assert "nothing to invite them to" in again.post(f"/people/{change[3]}/invitation").text


def test_no_mail_for_who_has_a_password_or_loses_access(site, second, door):
    site.system_tenant()
    visitor = site.visitor(site.member)
    third = join(site.operator, "Cleo Third <cleo@firm.test>", "admin", site.firm.tenant)
    visitor.get(f"/people/{third.account}")
    visitor.post(f"/people/{third.account}/role", role="author", reason="x")
    approve_on_the_page(site, second, waiting(site, site.firm.tenant))
    visitor.get(f"/people/{third.account}")
    visitor.post(f"/people/{third.account}/remove", reason="x")
    approve_on_the_page(site, second, waiting(site, site.firm.tenant))
    assert mailed(door, "cleo@firm.test", 1) is None


def test_without_a_system_tenant_the_page_says_how_a_link_is_made(site, second):
    nora = join(site.operator, "Nora Quill <nora@firm.test>", "viewer", site.firm.tenant, password="", second=False)
    visitor = site.visitor(site.member)
    assert f"troth person invite {nora.account}" in visitor.get(f"/people/{nora.account}").text
    refused = visitor.post(f"/people/{nora.account}/invitation")
    assert refused.status == 422
    assert "nothing to write from yet" in refused.text


@pytest.fixture
def arrival(site):
    """Somebody whom the firm's provider vouched for."""
    one, keys = uuid7(site.operator.admin.execute("SELECT now_v1()").fetchone()[0]), site.firm.keys
    site.operator.database.fill(
        "INSERT INTO arrival (id, tenant_id, address_index, name_ct, address_ct, first_at, last_at)"
        " VALUES (%s, %s, %s, %s, %s, now_v1(), now_v1())",
        one, site.firm.tenant, site.firm.index("arno@firm.test"), keys.seal(b"Arno Rival", places.arrival(one, "name")),
        keys.seal(b"arno@firm.test", places.arrival(one, "address")),
    )  # fmt: skip
    return one


def test_who_signed_on_without_access_is_given_it_by_two(site, second, arrival):
    visitor = site.visitor(site.member)
    assert "Arno Rival" in visitor.get("/people").text
    assert "Arno Rival" not in site.visitor(site.outsider).get("/people").text
    form = visitor.get(f"/people/invite?arrival={arrival}")
    assert "Give Arno Rival access" in form.text
    assert site.visitor(site.outsider).get(f"/people/invite?arrival={arrival}").status == 404
    visitor.last = form.text
    visitor.post(
        "/people/invite", arrival=str(arrival), role="viewer", reason="Lettings.", address="somebody@else.test"
    )
    change = waiting(site, site.firm.tenant)
    assert change[1]["address_index"] == site.firm.index("arno@firm.test").hex()
    approve_on_the_page(site, second, change)
    assert "Signed on, without access" not in visitor.get("/people").text


def test_who_signed_on_may_be_forgotten(site, arrival):
    visitor = site.visitor(site.member)
    visitor.get("/people")
    assert "Taken off the list" in visitor.post(f"/people/arrivals/{arrival}/forget").text
    assert site.operator.admin.execute("SELECT count(*) FROM arrival").fetchone() == (0,)
