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
