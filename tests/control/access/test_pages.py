"""People and their access on the pages: found, invited by two, changed, marked, ended; another client's are not there."""

import re
import time

import pytest
from tests.control.access.cast import later, session, state
from tests.support.pages import join

from troth.ledger.canonical import canonical_document


@pytest.fixture
def second(site):
    """Another administrator of the firm, who approves."""
    return join(site.operator, "Bruno Tailor <bruno@firm.test>", "admin", site.firm.tenant)


def waiting(site, tenant):
    query = ("SELECT id, artefact::jsonb, digest, subject FROM change WHERE kind = 'grant' AND state = 1"
             " AND tenant_id IS NOT DISTINCT FROM %s ORDER BY proposed_at DESC LIMIT 1")  # fmt: skip
    return site.operator.admin.execute(query, (tenant,)).fetchone()


def approve(site, who, change):
    site.operator.control.execute(
        "SELECT approve_v1(%s, %s, %s)", (change[0], change[2], session(site.operator, who.account))
    )


def invite(visitor, **given):
    visitor.get("/people/invite")
    fields = {"name": "Nora Quill", "address": "nora@firm.test", "role": "viewer", "reason": "She joins lettings."}
    return visitor.post("/people/invite", **{**fields, **given})


def test_a_client_sees_its_own_people_and_staff_theirs(site, second):
    own = site.visitor(site.member).get("/people").text
    assert "Marguerite Alder" in own
    assert "marguerite@firm.test" in own
    assert "a passkey" in own
    for stranger in ("Isadora Lantern", "Hildegard"):
        assert stranger not in re.sub(r"<aside.*?</aside>", "", own, flags=re.DOTALL)
    staff = site.visitor(site.staff).get("/people").text
    assert "Hildegard Nyström" in staff
    assert "Marguerite" not in staff
    for person in (site.outsider, site.staff):
        assert site.visitor(site.member).get(f"/people/{person.account}").status == 404
    assert site.visitor(site.staff).get(f"/people/{site.member.account}").status == 404  # no client is chosen


def test_people_are_found_by_name_address_state_and_role(site, second):
    visitor = site.visitor(site.member)
    visitor.get("/people")
    found = visitor.post("/people/find", q="bruno@firm.test")
    assert found.url == f"{site.url}/people/{second.account}"
    visitor.get("/people")
    assert "Nobody here has the address isadora@other.test" in visitor.post("/people/find", q="isadora@other.test").text
    visitor.get("/people")
    part = visitor.post("/people/find", q="TAIL").text
    assert "Bruno Tailor" in part
    assert "Marguerite Alder</a>" not in part
    assert "Nobody is found" in visitor.get("/people?role=viewer").text
    assert "Bruno Tailor" in visitor.get("/people?state=active&role=admin").text
    assert visitor.get("/people?before=nonsense").status == 404


def test_two_people_let_somebody_in_and_they_get_a_link_by_mail(site, second):
    site.system_tenant()
    visitor = site.visitor(site.member)
    answer = invite(visitor)
    assert answer.url.startswith(f"{site.url}/people#change-")
    assert "Nora Quill is to be viewer" in answer.text
    assert "Marguerite Alder" in answer.text
    change = waiting(site, site.firm.tenant)
    assert "nora@firm.test" not in canonical_document(change[1]).decode()
    assert "device_hash" not in change[1]
    approve(site, second, change)
    page = visitor.get(f"/people/{change[3]}")
    assert "Invited" in page.text
    assert "They have set no password yet" in page.text
    sent = visitor.post(f"/people/{change[3]}/invitation")
    assert "An invitation is on its way to nora@firm.test" in sent.text
    link = "SELECT made_for, expires_at - created_at FROM password_link WHERE account_id = %s"
    end = time.monotonic() + 20  # the desk makes it, once the request is committed
    while (found := site.operator.admin.execute(link, (change[3],)).fetchone()) is None and time.monotonic() < end:
        time.sleep(0.05)
    made_for, lasts = found
    assert (made_for, lasts.total_seconds()) == ("invitation", 86_400)


def test_what_is_wrong_with_an_invitation_is_said_field_by_field_and_kept(site, second):
    visitor = site.visitor(site.member)
    bad = invite(visitor, name=" ", address="nora at firm", role="owner", reason="")
    assert bad.status == 422
    for words in ("Write the name", "Choose one of the roles", "Say why", "nora at firm"):
        assert words in bad.text, words
    assert bad.text.count('aria-invalid="true"') >= 4
    assert "has access with this address already, as admin" in invite(visitor, address="Bruno@Firm.test").text
    assert invite(visitor).status == 200
    assert "proposed already" in invite(visitor, name="Nora again").text
    assert waiting(site, site.firm.tenant)[1]["role"] == "viewer"


def test_who_was_removed_comes_back_as_the_same_person(site, second):
    visitor = site.visitor(site.member)
    human = site.operator.admin.execute("SELECT human_id FROM account WHERE id = %s", (second.account,)).fetchone()[0]
    third = join(site.operator, "Cleo Third <cleo@firm.test>", "admin", site.firm.tenant)
    visitor.get(f"/people/{second.account}")
    done = visitor.post(f"/people/{second.account}/remove", reason="They left.")
    assert "That they lose access" in done.text
    approve(site, third, waiting(site, site.firm.tenant))
    assert state(site.operator, second.account) == (False, "removed")
    invite(visitor, name="Bruno Tailor", address="bruno@firm.test", role="author")
    change = waiting(site, site.firm.tenant)
    assert (change[3], change[1]["human"]) == (second.account, str(human))
    approve(site, third, change)
    assert state(site.operator, second.account) == (True, None)


def test_staff_who_are_given_a_clients_access_stay_one_human(site, second):
    visitor = site.visitor(site.member)
    invite(visitor, name="Hildegard", address=site.staff.address)
    human = site.operator.admin.execute("SELECT human_id FROM account WHERE id = %s", (site.staff.account,)).fetchone()[
        0
    ]
    assert waiting(site, site.firm.tenant)[1]["human"] == str(human)
    invite(visitor, name="Isadora", address=site.outsider.address)
    human = site.operator.admin.execute(
        "SELECT human_id FROM account WHERE id = %s", (site.outsider.account,)
    ).fetchone()[0]
    assert waiting(site, site.firm.tenant)[1]["human"] != str(human)  # another client's people are not told of


def test_a_role_is_changed_by_two_and_says_what_is_wrong(site, second):
    visitor = site.visitor(site.member)
    visitor.get(f"/people/{second.account}")
    same = visitor.post(f"/people/{second.account}/role", role="admin", reason="x")
    assert same.status == 422
    assert "has this role already" in same.text
    visitor.post(f"/people/{second.account}/role", role="author", reason="She writes now.")
    assert "That they are author" in visitor.last
    assert site.operator.admin.execute("SELECT role FROM account WHERE id = %s", (second.account,)).fetchone() == (
        "admin",
    )
    approve(
        site, join(site.operator, "Cleo <cleo@firm.test>", "admin", site.firm.tenant), waiting(site, site.firm.tenant)
    )
    assert site.operator.admin.execute("SELECT role FROM account WHERE id = %s", (second.account,)).fetchone() == (
        "author",
    )


def test_the_last_owner_cannot_be_removed_demoted_or_marked(site):
    site.operator.database.fill(
        "UPDATE account SET disabled_at = now_v1() WHERE tenant_id IS NULL AND id <> %s", site.staff.account
    )
    visitor = site.visitor(site.staff)
    path = f"/people/{site.staff.account}"
    for act, fields in (("remove", {}), ("role", {"role": "auditor"}), ("leaves", {})):
        visitor.get(path)
        answer = visitor.post(f"{path}/{act}", reason="Enough.", **fields)
        assert answer.status == 422, act
        assert "The last owner cannot be removed: make somebody else an owner first." in answer.text, act
    assert waiting(site, None) is None
    assert state(site.operator, site.staff.account) == (True, None)


def test_a_leaver_is_marked_and_sessions_are_ended_by_one(site, second):
    theirs, visitor = site.visitor(second), site.visitor(site.member)
    visitor.get(f"/people/{second.account}")
    ended = visitor.post(f"/people/{second.account}/sessions/end")
    assert "is signed out everywhere" in ended.text
    assert theirs.get("/").url == f"{site.url}/sign-in"
    late = visitor.post(f"/people/{second.account}/leaves", when="2099-01-01 10:00")
    assert late.status == 422
    assert "at the latest 24 hours after the mark" in late.text
    assert "Write day and time as" in visitor.post(f"/people/{second.account}/leaves", when="soon").text
    marked = visitor.post(f"/people/{second.account}/leaves", when="")
    assert "Leaving" in marked.text
    assert "access ends" in marked.text
    gone = visitor.post(f"/people/{second.account}/leaves", now="on")
    assert "access has ended" in gone.text
    assert state(site.operator, second.account) == (False, "left")


def test_who_may_only_look_finds_no_act_and_can_do_none(site, second):
    approver = join(site.operator, "Ada <ada@firm.test>", "approver", site.firm.tenant)
    visitor = site.visitor(approver)
    page = visitor.get(f"/people/{second.account}").text
    assert "Your role may look at this" in page
    for act in ("role", "remove", "leaves", "sessions/end", "invitation"):
        assert visitor.post(f"/people/{second.account}/{act}", role="viewer", reason="x").status == 404, act
    viewer = join(site.operator, "Vera <vera@firm.test>", "viewer", site.firm.tenant)
    assert site.visitor(viewer).get("/people").status == 404
    assert state(site.operator, second.account) == (True, None)


def test_an_unused_account_says_when_it_ends(site, second):
    join(site.operator, "Uma Unused <uma@firm.test>", "viewer", site.firm.tenant)
    later(site.operator, 80)
    page = site.visitor(site.member).get("/people?state=unused").text
    assert "Uma Unused" in page
    assert "closed by itself" in page
