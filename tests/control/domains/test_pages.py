"""Sending domains: what to publish and what was found; another client's domain is not there."""

import json
import re


def asked(site, *findings):
    site.operator.database.fill("UPDATE domain_state SET findings = %s WHERE domain_id = %s", json.dumps([
        {"ok": ok, "code": code, "sentence": sentence, "saw": saw} for ok, code, sentence, saw in findings
    ]), site.firm.domain)  # fmt: skip


def test_a_domain_says_what_to_publish_and_what_was_seen(site):
    site.firm.domain_ready(False)
    asked(
        site, (False, "dmarc.weak", "Publish p=reject.", ["v=DMARC1; p=none"]), (True, "dkim.ok", "It is there.", ["k"])
    )
    member = site.visitor(site.member)
    listed = member.get("/domains")
    assert "Publish p=reject." in listed.text
    assert "Not ready" in listed.text
    page = member.get(f"/domains/{site.firm.domain}")
    for text in ("Not sending", "_dmarc.mail.firm.example", "v=DMARC1; p=none", "v=DMARC1; p=reject",
                 "s1._domainkey.mail.firm.example", "v=DKIM1; k=rsa; p=MII", "RSA, 2048 bits", "Not asked yet"):  # fmt: skip
        assert text in page.text, text


def test_a_silent_dns_and_a_ready_domain_are_told_apart(site):
    asked(site, *((True, f"{of}.ok", "It holds.", ["x"]) for of in ("spf", "dkim", "dmarc")))
    member = site.visitor(site.member)
    assert "Every record holds" in member.get(f"/domains/{site.firm.domain}").text
    site.operator.database.fill("UPDATE domain_state SET lookup_failed = true WHERE domain_id = %s", site.firm.domain)
    assert "The look-up failed" in member.get(f"/domains/{site.firm.domain}").text
    assert "Ready, DNS silent" in member.get("/domains").text


def test_another_clients_domain_is_not_there(site):
    outsider = site.visitor(site.outsider)
    assert site.firm.name not in outsider.get("/domains").text
    answer = outsider.get(f"/domains/{site.firm.domain}")
    assert answer.status == 404
    assert site.firm.name not in answer.text


def test_what_was_seen_is_said_only_where_it_is_known(site):
    asked(
        site,
        (True, "spf.ok", "It holds.", []),
        (False, "dmarc.missing", "Publish it.", []),
        (False, "dkim.weak", "Larger.", []),
    )
    page = site.visitor(site.member).get(f"/domains/{site.firm.domain}").text
    assert page.count("as it should be") == page.count("no record") == 1
    assert page.count("<dt>We see</dt>") == 2
    assert "<dt>Published</dt>" not in page
    assert "<dt>To publish</dt>" in page


def test_domains_are_sorted_and_narrowed_by_their_state(site):
    member = site.visitor(site.member)
    site.operator.database.fill(
        "INSERT INTO domain_state (domain_id, tenant_id, name, ready_until) SELECT gen_random_uuid(), tenant_id,"
        " 'a-' || name, now_v1() FROM domain_state WHERE domain_id = %s", site.firm.domain)  # fmt: skip
    for query, names in (("", ["a-", "mail"]), ("?sort=-name", ["mail", "a-"]), ("?state=ready", ["mail"]),
                         ("?state=not+checked", ["a-"]), ("?state=nothing&sort=nothing", ["a-", "mail"])):  # fmt: skip
        page = member.get(f"/domains{query}").text
        found = re.findall(r'<a href="/domains/[0-9a-f-]{36}">(a-|mail)', page)
        assert found == names, query
    assert 'aria-sort="ascending"><a href="/domains?sort=-name">Domain' in member.get("/domains").text


def test_the_spf_record_to_copy_keeps_what_is_there(asking):
    here = "include:_spf.relay.test"
    for ok, code, saw, shown, never in (
        (False, "spf.required", ["v=spf1 mx -all"], f"v=spf1 {here} mx -all", f"v=spf1 {here} -all"),
        (
            False,
            "spf.several",
            ["v=spf1 mx ~all", f"v=spf1 {here} -all"],
            f"v=spf1 mx {here} ~all",
            f"{here} -all</pre>",
        ),
        (False, "spf.missing", ["other=1"], f"v=spf1 {here} -all", "other=1 "),
        (True, "spf.ok", [f"v=spf1 mx {here} -all"], f"v=spf1 mx {here} -all</pre>", f"v=spf1 {here} -all"),
        (False, "spf.syntax", ["v=spf1 ipv4:1.2.3.4 -all"], "v=spf1 ipv4:1.2.3.4 -all", f"v=spf1 {here}"),
        (False, "spf.required", ["v=spf1 mx " + "a" * 1000], "Say so", f"v=spf1 {here}"),
        (True, "spf.ok", [], "as it should be", f"v=spf1 {here}"),
    ):
        asked(asking, (ok, code, "Say so.", saw))
        page = asking.visitor(asking.member).get(f"/domains/{asking.firm.domain}").text
        assert shown in page, (code, saw)
        assert never not in page, (code, saw)


def test_staff_see_the_domains_of_all_clients_the_broken_first(site):
    site.firm.domain_ready(False)
    site.operator.database.fill(
        "UPDATE domain_state SET broken_at = now_v1() - interval '2 days', last_good_at = now_v1() - interval '2 days',"
        " checked_at = now_v1(), findings = %s WHERE domain_id = %s",
        json.dumps([{"ok": False, "code": "dmarc.weak", "sentence": "Publish p=reject.", "saw": []}]), site.firm.domain,
    )  # fmt: skip
    staff = site.visitor(site.staff)
    page = staff.get("/domains").text
    assert page.index(site.firm.name) < page.index(site.other.name)
    assert "Stopped" in page
    assert "Publish p=reject." in page
    assert f"{site.firm.name} stopped sending" in staff.get("/").text
    assert "Choose a client first" in staff.get(f"/domains/{site.firm.domain}").text
    opened = staff.post("/scope", client=site.firm.tenant, next=f"/domains/{site.firm.domain}")
    assert "Not sending" in opened.text
    assert site.other.name not in site.visitor(site.member).get("/domains").text
    site.operator.database.fill("UPDATE domain_state SET broken_at = NULL, last_good_at = NULL")
    assert f"{site.firm.name} cannot send yet" in site.visitor(site.member).get("/").text
