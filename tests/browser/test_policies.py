"""Policies in a real browser: every page as people see it, and a number made stricter through two people."""

import pytest
from tests.support.firm import make_firm

FEW = {"name": "Arrears notice", "purpose": "A tenancy is behind with its rent", "legal_class": "transactional",
       "raw": False, "policy": {"limits": {"recipient_template_day": 1}}}  # fmt: skip


@pytest.fixture
def house(site):
    """The promise as the profile has it, a policy of the operator's and of the client's, a category that is stricter."""
    import json

    from troth.rules.profile import load_profile

    operator, firm = site.operator, site.firm
    operator.govern("policy", None, "programme:p-firm", json.loads(json.dumps(load_profile("property").document)),
                    _subject(operator, "programme:p-firm"))  # fmt: skip
    operator.govern("policy", None, "operator", {"access": {"idle_minutes": 20}, "governance": {"change_days": 7}})
    operator.govern("policy", firm.tenant, "tenant", {"limits": {"tenant_hour": 1200}, "anomaly": {"percent": 140}})
    sender = {"name": "Firm", "address": f"arrears@{firm.name}"}
    operator.govern("category", firm.tenant, "arrears", {**FEW, "sender": sender})
    return site


def _subject(operator, code):
    return operator.admin.execute(
        "SELECT subject FROM governed WHERE kind = 'policy' AND code = %s", (code,)
    ).fetchone()[0]


def _at(house, who):
    """One of the operator's staff, who looks at the firm."""
    visitor = house.visitor(who)
    visitor.get("/clients")
    assert visitor.post("/scope", client=str(house.firm.tenant)).status == 200
    return visitor


def test_a_clients_policies_as_people_see_them(look, house):
    looker = look(house.member)
    looker.look_at("/policies", "policies")
    looker.look_at("/policies/client/edit", "policy-edit")


def test_the_houses_policies_as_people_see_them(look, house):
    looker = look(house.staff)
    looker.look_at("/policies", "policies-house")
    looker.look_at("/policies/operator/edit", "policy-operator")
    looker.look_at(f"/policies/plans/{house.other.tenant}", "policy-plan")


def test_a_client_without_a_policy_in_force_is_told_what_that_means(look, site):
    subject = _subject(site.operator, "programme:p-firm")
    site.operator.revoke(subject)
    looker = look(site.member)
    looker.look_at("/policies", "policies-stopped")
    assert looker.page.get_by_text("Nothing is sent until its next version is approved").is_visible()


def test_a_number_is_made_stricter_by_two_people(look, house):
    looker = look(house.member)
    page = looker.page
    looker.go("/policies")
    page.get_by_role("link", name="Make a number stricter").click()
    page.get_by_label("Pause when today exceeds").fill("160")
    page.get_by_role("button", name="Save and look at it").click()
    summary = page.get_by_role("alert")
    assert "is looser than the promise allows" in summary.inner_text()
    looker.picture("policy-forbidden")
    summary.get_by_role("link").first.click()
    field = page.get_by_label("Pause when today exceeds")
    assert field.evaluate("node => node === document.activeElement")
    assert field.input_value() == "160"
    field.fill("120")
    page.get_by_label("In an hour, send at most", exact=True).fill("900")
    page.get_by_role("button", name="Save and look at it").click()
    assert (
        page.get_by_text("Pause new mail when today exceeds").count() or page.get_by_text("today exceeds 120").count()
    )
    looker.console.clear()  # a refused form is a 422
    looker.look_at("/policies/client/review", "policy-review")
    page.get_by_label("Reason").fill("Fewer reminders go out in winter")
    page.get_by_role("button", name="Propose", exact=True).click()
    assert page.get_by_role("button", name="Approve").first.is_disabled()  # not by who proposed it
    change = page.url.removeprefix(house.url)
    second = look()
    second.take(_at(house, house.staff))
    second.go(change)
    second.page.get_by_text("today exceeds 120").first.wait_for()
    second.picture("policy-change")
    second.page.locator("#approve-form summary").click()
    second.page.locator("dialog[open]").get_by_role("button", name="Approve", exact=True).click()
    second.page.get_by_text("is in force.").first.wait_for()
    looker.go("/policies")
    assert page.get_by_text("At most 900 messages in an hour").is_visible()
    assert page.get_by_text("today exceeds 120").first.is_visible()


def test_the_form_works_without_script(look, site):
    make_firm(site.operator, "third")
    looker = look(site.member, scripts=False)
    looker.go("/policies/client/edit")
    looker.page.get_by_label("In an hour, send at most", exact=True).fill("900")
    looker.page.get_by_role("button", name="Save and look at it").click()
    assert looker.page.get_by_text("At most 900 messages in an hour").is_visible()
