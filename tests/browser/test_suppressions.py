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
