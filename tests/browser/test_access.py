"""People, invitations and an access review in a real browser, in both widths and colours."""

import pytest
from tests.support.pages import join

from troth.keys.ids import uuid7


@pytest.fixture
def house(site):
    """A firm with people in every state, an invitation that waits, and a review that is open."""
    site.system_tenant()
    made = {
        name: join(site.operator, f"{name} <{name.split()[0].lower()}@firm.test>", role, site.firm.tenant)
        for name, role in (("Bruno Tailor", "admin"), ("Ada Lovage", "author"), ("Vera Valerian", "viewer"),
                           ("Wilhelmina Featherstonehaugh-Cholmondeley of Llanfairpwllgwyngyll", "approver"))
    }  # fmt: skip
    nora = join(site.operator, "Nora Quill <nora@firm.test>", "viewer", site.firm.tenant, password="", second=False)
    fill = site.operator.database.fill
    fill("UPDATE account SET created_at = now_v1() - interval '80 days' WHERE id = %s", made["Ada Lovage"].account)
    fill("UPDATE account SET left_at = now_v1(), leaves_at = now_v1() + interval '7 hours' WHERE id = %s",
         made["Vera Valerian"].account)  # fmt: skip
    fill("UPDATE account SET last_used_at = now_v1() WHERE id = %s", made["Bruno Tailor"].account)
    return {**made, "Nora Quill": nora}


def propose(site, admin):
    """Somebody is invited, on the form, by somebody who looks at it first."""
    admin.go("/people/invite")
    admin.page.get_by_role("button", name="Propose").click()
    admin.picture("people-invite-faults")
    assert "Write the name" in admin.page.inner_text("#faults")
    admin.console.clear()  # Chromium tells of every answer 422
    admin.page.get_by_label("Name", exact=True).fill("Otto Pym")
    admin.page.get_by_label("E-mail").fill("otto@firm.test")
    admin.page.get_by_label("Author").check()
    admin.page.get_by_label("Why").fill("He writes the new letters.")
    admin.page.get_by_role("button", name="Propose").click()
    assert "Otto Pym is to be author" in admin.page.inner_text("main")


def test_people_their_states_and_an_invitation(look, site, house):
    admin = look(site.member)
    admin.look_at("/people/invite", "people-invite")
    propose(site, admin)
    admin.look_at("/people", "people")
    admin.look_at("/people?state=closed", "people-none")
    for name in ("Vera Valerian", "Nora Quill", "Ada Lovage"):
        admin.look_at(f"/people/{house[name].account}", f"person-{name.split()[0].lower()}")
    admin.page.get_by_text("Remove access").first.click()
    admin.picture("person-remove-asked")
    admin.go(f"/people/{house['Nora Quill'].account}")
    admin.page.get_by_role("button", name="Send the invitation").click()
    assert "An invitation is on its way" in admin.page.inner_text("main")


def test_an_access_review_from_its_beginning_to_its_end(look, site, house):
    admin = look(site.member)
    admin.look_at("/reviews", "reviews-none")
    admin.page.get_by_text("Begin a review").first.click()
    admin.page.get_by_role("button", name="Begin", exact=True).click()
    admin.look_at(admin.page.url.removeprefix(site.url), "review-open")
    review = admin.page.url
    admin.page.get_by_label("Confirm Bruno Tailor").check()
    admin.page.get_by_label("Confirm Ada Lovage").check()
    admin.page.get_by_label("Note").fill("Both run the new lettings.")
    admin.page.get_by_role("button", name="Confirm what is ticked").click()
    assert "2 confirmed." in admin.page.inner_text("main")
    admin.page.get_by_role("link", name="Revoke Vera Valerian").click()
    admin.look_at(admin.page.url.removeprefix(site.url), "review-revoke")
    admin.page.get_by_role("button", name="Revoke").click()
    assert "Say why" in admin.page.inner_text("#faults")
    admin.console.clear()  # as above
    admin.page.get_by_label("Note").fill("She leaves today.")
    admin.page.get_by_role("button", name="Revoke").click()
    assert "access has ended" in admin.page.inner_text("main")
    second = look(house["Bruno Tailor"])
    second.page.goto(review)
    for box in second.page.get_by_role("checkbox").all():
        box.check()
    second.page.get_by_role("button", name="Confirm what is ticked").click()
    assert "Done" in second.page.inner_text("h1")
    second.look_at(review.removeprefix(site.url), "review-done")
    second.look_at("/reviews", "reviews")


def test_a_review_that_kept_its_last_owner_is_loud(look, site):
    made = uuid7(site.operator.admin.execute("SELECT now_v1()").fetchone()[0])
    fill = site.operator.database.fill
    fill(
        "INSERT INTO review VALUES (%s, NULL, now_v1() - interval '15 days', NULL, now_v1() - interval '1 day', now_v1())",
        made,
    )
    fill("INSERT INTO review_item SELECT %s, 'person', id, NULL, human_id, role, created_at, NULL FROM account WHERE id = %s",
         made, site.staff.account)  # fmt: skip
    fill("INSERT INTO review_decision VALUES (%s, 'person', %s, NULL, 'kept', 'Nobody.', NULL, NULL, now_v1())",
         made, site.staff.account)  # fmt: skip
    staff = look(site.staff)
    staff.look_at(f"/reviews/{made}", "review-kept")
    assert "Nobody confirmed the last owner in time" in staff.page.inner_text("main")
