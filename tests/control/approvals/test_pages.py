"""The pages of changes: the queue, one change as a person reads it, and every act on it with what is refused in words."""

import re

import pytest
from tests.control.approvals.proposing import propose, session
from tests.support.firm import TEMPLATE, now
from tests.support.pages import join

from troth.keys.ids import uuid7

NEW = {**TEMPLATE, "subject": "Rent is due, {{ name }}", "html": "<p>Dear {{ name }}, your rent is <b>due</b>.</p>"}


def template(site, proposed, **more):
    return proposed("template", "reminder", {**NEW, **more}, site.firm.template)


def digest_of(page):
    return re.search(r'name="digest" value="([0-9a-f]{64})"', page.text)[1]


def in_force(site, code="reminder"):
    query = "SELECT s.version FROM governed g JOIN snapshot s ON s.id = g.snapshot_id WHERE g.code = %s"
    return site.operator.admin.execute(query, (code,)).fetchone()[0]


def test_a_change_goes_from_the_queue_to_being_in_force(site, people, proposed):
    change, digest = template(site, proposed)
    ben = site.visitor(people["approver"])
    queue = ben.get("/changes").text
    assert "One waits for you." in queue
    assert "Template “reminder”, version 1 to 2" in queue
    assert f'href="/changes/{change}"' in queue
    page = ben.get(f"/changes/{change}")
    assert "Ada Author" in page.text
    assert "The new terms ask for it." in page.text
    assert digest_of(page) == digest.hex()
    answer = ben.post(f"/changes/{change}/approve", digest=digest_of(page), note="Read and fine.")
    assert "is in force" in answer.text
    assert "Read and fine." in answer.text
    assert "Ben Second approved it and put it in force" in answer.text
    assert in_force(site) == 2
    assert "Nothing waits for you." in ben.get("/changes").text


def test_who_proposed_it_is_refused_with_the_reason(site, people, proposed):
    change, digest = template(site, proposed)
    ada = site.visitor(people["author"])
    page = ada.get(f"/changes/{change}").text
    assert "You proposed this, so a second person must approve it" in page
    assert re.search(r"<button[^>]*disabled[^>]*>Approve</button>", page)
    assert "/approve" not in page
    forced = ada.post(f"/changes/{change}/approve", digest=digest.hex())
    assert forced.status in (404, 422)
    assert in_force(site) == 1
    assert "Yours" in ada.get("/changes").text


def test_even_with_every_right_the_proposer_is_refused_in_words(site, people):
    change, digest = propose(site, site.member.account, "template", "reminder", NEW, site.firm.template)
    admin = site.visitor(site.member)
    admin.get(f"/changes/{change}")
    forced = admin.post(f"/changes/{change}/approve", digest=digest.hex())
    assert forced.status == 422
    assert "A second person must approve: the proposer cannot." in forced.text
    assert in_force(site) == 1


def test_a_stale_digest_changes_nothing(site, people, proposed):
    change, digest = template(site, proposed)
    ben = site.visitor(people["approver"])
    ben.get(f"/changes/{change}")
    for given in ("", "00" * 32, digest.hex()[:-1], "ü" * 64):
        answer = ben.post(f"/changes/{change}/approve", digest=given)
        assert answer.status == 422
        assert "This is not what is proposed any more" in answer.text
    assert in_force(site) == 1


def test_a_rejection_needs_a_reason_and_is_told(site, people, proposed):
    change, _ = template(site, proposed)
    ben = site.visitor(people["approver"])
    ben.get(f"/changes/{change}")
    empty = ben.post(f"/changes/{change}/close", why="  ")
    assert empty.status == 422
    assert "Say why you reject it" in empty.text
    done = ben.post(f"/changes/{change}/close", why="The fee is not in the contract.")
    assert "Rejected" in done.text
    assert "The fee is not in the contract." in done.text
    again = ben.post(f"/changes/{change}/close", why="Once more")
    assert again.status == 422
    assert "Nothing was done" in again.text
    decided = ben.get("/changes?state=rejected").text
    assert f"/changes/{change}" in decided
    assert "Ben Second" in decided


def test_the_proposer_withdraws_without_a_reason(site, people, proposed):
    change, digest = template(site, proposed)
    ada, ben = site.visitor(people["author"]), site.visitor(people["approver"])
    ada.get(f"/changes/{change}")
    assert "Withdrawn" in ada.post(f"/changes/{change}/close").text
    ben.get("/changes")
    late = ben.post(f"/changes/{change}/approve", digest=digest.hex())
    assert late.status == 422
    assert "withdrawn already" in late.text


def test_more_approvals_are_counted_in_words(site, people, proposed):
    site.operator.govern("policy", site.firm.tenant, "tenant", {"governance": {"approvers": 2}})
    change, digest = template(site, proposed)
    ben, admin = site.visitor(people["approver"]), site.visitor(site.member)
    assert "2 people have to; 2 more are wanted" in ben.get(f"/changes/{change}").text
    first = ben.post(f"/changes/{change}/approve", digest=digest.hex())
    assert "Your approval counts: 1 of 2. It waits for 1 more." in first.text
    assert in_force(site) == 1
    assert "You have approved this already; it waits for somebody else." in first.text
    twice = ben.post(f"/changes/{change}/approve", digest=digest.hex())
    assert twice.status == 422
    assert "it waits for somebody else" in twice.text
    admin.get(f"/changes/{change}")
    assert "is in force" in admin.post(f"/changes/{change}/approve", digest=digest.hex()).text
    assert in_force(site) == 2


def test_what_nobody_decided_says_so_and_cannot_be_approved(site, people, proposed):
    change, digest = template(site, proposed)
    site.operator.admin.execute("UPDATE installation SET clock_offset = interval '15 days'")
    ben = site.visitor(people["approver"])
    page = ben.get(f"/changes/{change}").text
    assert "Nobody decided it in time" in page
    assert "Expired" in page
    late = ben.post(f"/changes/{change}/approve", digest=digest.hex())
    assert late.status == 422
    assert "Nothing was done" in late.text
    site.operator.database.open("troth_flow").execute("SELECT expire_changes_v1()")
    assert f"/changes/{change}" in ben.get("/changes?state=expired").text


def test_comments_and_asking_others(site, people, proposed):
    change, _ = template(site, proposed)
    ada, ben = site.visitor(people["author"]), site.visitor(people["approver"])
    page = ada.get(f"/changes/{change}").text
    assert "Ben Second" in page
    assert "Ada Author <span" not in page
    assert "Vera Viewer" not in page
    assert ada.post(f"/changes/{change}/comment", words=" ").status == 422
    assert "See clause 4 &lt;b&gt;" in ada.post(f"/changes/{change}/comment", words="See clause 4 <b>").text
    assert ada.post(f"/changes/{change}/ask").status == 422
    asked = ada.post(f"/changes/{change}/ask", who=str(people["approver"].account))
    assert "1 person is asked, and told by mail." in asked.text
    assert "Ada Author asked Ben Second to look" in asked.text
    nobody = ada.post(f"/changes/{change}/ask", who=str(people["viewer"].account))
    assert nobody.status == 422
    assert "Choose at least one person to ask." in nobody.text
    assert "You are asked" in ben.get("/changes").text


def test_a_viewer_looks_and_can_do_nothing(site, people, proposed):
    change, digest = template(site, proposed)
    vera = site.visitor(people["viewer"])
    page = vera.get(f"/changes/{change}").text
    assert "Your role here, viewer, may look at this, and not decide it." in page
    assert "/comment" not in page
    assert "Ask somebody" not in page
    for act, given in (("approve", {"digest": digest.hex()}), ("close", {"why": "x"}), ("comment", {"words": "x"}),
                       ("ask", {"who": str(people["approver"].account)})):  # fmt: skip
        assert vera.post(f"/changes/{change}/{act}", **given).status == 404
    assert vera.get("/drafts").status == 404


def test_another_client_sees_nothing_of_it(site, people, proposed):
    change, digest = template(site, proposed)
    stranger = site.visitor(site.outsider)
    assert stranger.get(f"/changes/{change}").status == 404
    assert stranger.get(f"/changes/{change}/picture/after").status == 404
    assert str(change) not in stranger.get("/changes").text
    for act in ("approve", "close", "comment", "ask"):
        assert stranger.post(f"/changes/{change}/{act}", digest=digest.hex(), why="x", words="x").status == 404


def test_a_member_never_sees_the_operators_own_changes(site, people):
    change, _ = propose(site, site.staff.account, "policy", "operator", {"limits": {"tenant_hour": 9}}, tenant=None)
    member, staff = site.visitor(site.member), site.visitor(site.staff)
    assert member.get(f"/changes/{change}").status == 404
    assert str(change) not in member.get("/changes").text
    assert str(change) in staff.get("/changes").text
    assert "In an hour" in staff.get(f"/changes/{change}").text or "an hour" in staff.get(f"/changes/{change}").text


def test_a_clients_first_policy_is_read_beside_the_numbers_that_hold_now(site, people):
    """Old and new in words: where the client has said nothing yet, the level above has."""
    numbers = {"limits": {"tenant_hour": 900}, "anomaly": {"percent": 120}}
    change, _ = propose(site, site.staff.account, "policy", "tenant", numbers, tenant=site.firm.tenant)
    page = site.visitor(site.member).get(f"/changes/{change}").text
    assert re.search(r"<del>[^<]*1,000,000[^<]*</del>.*?<ins>[^<]*900[^<]*</ins>", page, re.DOTALL)
    assert re.search(r"<del>[^<]*150[^<]*</del>.*?<ins>[^<]*120[^<]*</ins>", page, re.DOTALL)
    assert "2 rules change, none of them looser." in page
    assert "the level above" not in page


def test_staff_see_every_clients_and_look_at_one_first(site, people, proposed):
    change, digest = template(site, proposed)
    staff = site.visitor(site.staff)
    queue = staff.get("/changes")
    assert "Firm firm" in queue.text
    assert f'value="/changes/{change}"' in queue.text
    there = staff.get(f"/changes/{change}")
    assert there.status == 200
    assert "Look at Firm firm" in there.text
    assert str(change) not in staff.get(f"/changes?client={site.other.tenant}").text
    page = staff.post("/scope", client=str(site.firm.tenant), next=f"/changes/{change}")
    assert page.url.endswith(f"/changes/{change}")
    assert "is in force" in staff.post(f"/changes/{change}/approve", digest=digest_of(page)).text


def test_the_queue_is_narrowed_down_and_paged(site, people, proposed):
    for n in range(27):
        change, _ = proposed("category", f"kind-{n}", {"name": f"Kind {n}"})
        admin = site.operator.control
        admin.execute("SELECT close_v1(%s, 'no', %s)", (change, site.operator.sessions[0]))
    template(site, proposed)
    ben = site.visitor(people["approver"])
    first = ben.get("/changes").text
    assert "kind-26" in first
    assert "kind-2”" in first
    older = re.search(r'href="(/changes\?[^"]*before=[^"]+)"', first)[1].replace("&amp;", "&")
    second = ben.get(older).text
    assert "Newest" in second
    assert "kind-26" not in second
    only = ben.get("/changes?kind=template&state=proposed").text
    assert "reminder" in only
    assert "kind-" not in only
    assert "No change is like that" in ben.get("/changes?kind=domain&state=withdrawn").text
    by = ben.get(f"/changes?author={people['author'].account}&state=proposed").text
    assert "reminder" in by
    for odd in ("before=9-9", "before=99999999999999999999-x", "author=x", "client=%27", "kind=%3Cb%3E", "state=9"):
        assert ben.get(f"/changes?{odd}").status == 200


def test_an_empty_queue_teaches(site):
    someone = join(site.operator, "Nora New <nora@other.test>", "author", site.other.tenant)
    page = site.visitor(someone).get("/changes?kind=override").text
    assert "No change is like that" in page


@pytest.mark.parametrize("kept", [False, True])
def test_drafts_are_listed_and_discarded(site, people, kept):
    draft = uuid7(now())
    site.operator.control.execute(
        "SELECT draft_save_v1(%s, %s, 'category', NULL, 'late-fee', '{}', 0, %s)",
        (draft, site.firm.tenant, session(site, people["author"].account)),
    )
    ada = site.visitor(people["author"])
    page = ada.get("/drafts").text
    assert "Category “late-fee”" in page
    assert "Ada Author" in page
    if kept:
        stranger = site.visitor(site.outsider)
        stranger.get("/drafts")
        assert stranger.post(f"/drafts/{draft}/discard").status == 404
        return
    assert "is gone" in ada.post(f"/drafts/{draft}/discard").text
    assert "There is no draft" in ada.get("/drafts").text
