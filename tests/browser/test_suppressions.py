"""Suppressions and domains in a real browser: a thousand entries, one address's history, and what a domain lacks."""

import json

from tests.support import seeding


def test_a_thousand_suppressions_and_the_history_of_one(look, site):
    addresses = seeding.people(site.firm, 150)
    seeding.suppressions(site.firm, 1000)
    member = look(site.member)
    member.look_at("/suppressions", "suppressions")
    member.page.get_by_label("Reason").select_option("complaint")
    member.page.get_by_role("button", name="Show").click()
    member.page.get_by_role("main").get_by_label("Whole address").fill(addresses[49])
    member.page.get_by_role("main").get_by_role("button", name="Find").click()
    assert addresses[49].partition("@")[0] not in member.page.url
    member.page.get_by_role("link", name="Remove filter: Complaint").click() if "reason" in member.page.url else None
    member.look_at(member.page.url.removeprefix(site.url), "suppressions-who")


def test_the_empty_states_of_suppressions(look, site):
    member = look(site.member)
    member.look_at("/suppressions", "suppressions-none")
    member.page.get_by_role("main").get_by_label("Whole address").fill("nobody@example.net")
    member.page.get_by_role("main").get_by_role("button", name="Find").click()
    member.look_at(member.page.url.removeprefix(site.url), "suppressions-nobody")


def test_an_entry_by_hand_its_override_and_an_import(look, site):
    seeding.people(site.firm, 30)
    seeding.suppressions(site.firm, 60)
    member = look(site.member)
    member.look_at("/suppressions/add", "suppression-add")
    member.page.get_by_role("button", name="Suppress it for good").click()
    member.picture("suppression-add-wrong-390-dark")
    member.console.clear()  # which complains of the 422
    somebody = "sam.a.rather.long.name.of.somebody@a-long-domain-name.example.net"
    site.firm.person(somebody)
    member.page.get_by_role("main").get_by_label("Address").fill(somebody)
    member.page.get_by_role("main").get_by_label("Reason").fill(
        "They moved out on 3 November, and asked for letters on paper from now on."
    )
    member.page.get_by_role("button", name="Suppress it for good").click()
    place = member.page.url.removeprefix(site.url)
    member.look_at(place, "suppression-by-hand")
    member.page.get_by_role("link", name="Propose an override").click()
    member.look_at(member.page.url.removeprefix(site.url), "suppression-override")
    member.page.get_by_label("Reason").fill("Their solicitor needs the deposit's letter by e-mail")
    member.page.get_by_role("button", name="Propose it").click()
    approve = "SELECT approve_v1(id, digest, %s) FROM change WHERE kind = 'override'"
    site.operator.control.execute("SELECT set_config('troth.tenant', %s, false)", (str(site.firm.tenant),))
    member.look_at(place, "suppression-proposed")
    site.operator.control.execute(approve, (site.operator.sessions[1],))
    member.look_at(place, "suppression-overridden")
    member.look_at("/suppressions/import", "suppressions-import")


def test_staff_who_look_at_no_client(look, site):
    seeding.people(site.firm, 30)
    seeding.suppressions(site.firm, 60)
    staff = look(site.staff)
    staff.look_at("/suppressions", "suppressions-house")
    staff.page.get_by_role("main").get_by_label("Whole address").fill(next(iter(site.firm.people)))
    staff.page.get_by_role("main").get_by_role("button", name="Find").click()
    staff.look_at(staff.page.url.removeprefix(site.url), "suppressions-house-who")


def test_domains(look, site):
    site.operator.govern("domain", site.firm.tenant, "a-second-domain-with-a-long-name.letters.firm.example", {
        "name": "a-second-domain-with-a-long-name.letters.firm.example", "selector": "s1"})  # fmt: skip
    site.firm.domain_ready(False)
    site.operator.database.fill("UPDATE domain_state SET findings = %s WHERE domain_id = %s", json.dumps([
        {"ok": False, "code": "dmarc.weak", "sentence": "The DMARC record asks receivers to do nothing: publish p=reject.",
         "saw": ["v=DMARC1; p=none; rua=mailto:" + "x" * 120 + "@firm.example"]},
        {"ok": False, "code": "spf.missing", "sentence": "Publish a TXT record.", "saw": []},
        {"ok": True, "code": "dkim.ok", "sentence": "The key is published.", "saw": ["v=DKIM1; k=rsa; p=" + "A" * 300]},
    ]), site.firm.domain)  # fmt: skip
    member = look(site.member)
    member.look_at("/domains", "domains")
    member.page.get_by_role("link", name=site.firm.name).click()
    member.look_at(member.page.url.removeprefix(site.url), "domain")
