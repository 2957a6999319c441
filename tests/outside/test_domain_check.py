"""A sending domain over a real (local) DNS: ready, not ready and unknown are three different answers."""

import base64

import dns.rcode
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from troth.mail.domain_auth import Readiness
from troth.outside.dns import LookupFailed, Resolver
from troth.outside.domain_check import check_domain

_PUBLIC = rsa.generate_private_key(65537, 2048).public_key()
KEY = base64.b64encode(_PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
SPF = "v=spf1 include:spf.troth.example -all"


@pytest.fixture
def published(zone):
    zone.txt("mail.client.example", "unrelated", SPF)
    zone.txt("s1._domainkey.mail.client.example", f"v=DKIM1; k=rsa; p={KEY}")
    zone.txt("_dmarc.mail.client.example", "v=DMARC1; p=reject")
    return zone


def check(zone, domain="mail.client.example", **options):
    patience = 0.5 if zone.faults else 20
    return check_domain(Resolver([zone.address], patience), domain, "s1", KEY, "include:spf.troth.example", **options)


async def test_a_domain_with_everything_published_is_ready(published):
    found = await check(published)
    assert isinstance(found, Readiness)
    assert found.ready, found.problems
    assert found.problems == ()
    assert found.return_path is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("mail.client.example", "spf.missing"),
        ("s1._domainkey.mail.client.example", "dkim.missing"),
        ("_dmarc.mail.client.example", "dmarc.missing"),
    ],
)
async def test_each_record_taken_away_closes_the_domain_at_once(published, name, code):
    assert (await check(published)).ready
    del published.records[name, "TXT"]
    found = await check(published)
    assert not found.ready
    assert [finding.code for finding in found.findings if not finding.ok] == [code]
    assert name in found.problems[0]


@pytest.mark.parametrize(
    "name", ["mail.client.example", "s1._domainkey.mail.client.example", "_dmarc.mail.client.example"]
)
async def test_a_resolver_failure_is_neither_ready_nor_missing(published, name):
    published.faults[name] = dns.rcode.SERVFAIL
    found = await check(published)
    assert isinstance(found, LookupFailed)
    assert name in found.reason


async def test_the_domains_own_dmarc_record_does_not_wait_for_a_broken_parent(published):
    published.faults["_dmarc.example"] = dns.rcode.SERVFAIL
    assert (await check(published)).ready
    assert ("_dmarc.example", "TXT") not in published.asked
    del published.records["_dmarc.mail.client.example", "TXT"]
    assert isinstance(await check(published), LookupFailed)


async def test_an_inherited_policy_is_the_topmost_record(published):
    del published.records["_dmarc.mail.client.example", "TXT"]
    published.txt("_dmarc.client.example", "v=DMARC1; p=quarantine; sp=reject")
    assert (await check(published)).ready
    published.txt("_dmarc.client.example", "v=DMARC1; p=reject; sp=none")
    assert (await check(published)).dmarc.code == "dmarc.policy"


async def test_a_walk_that_psd_stopped_does_not_ask_above(published):
    del published.records["_dmarc.mail.client.example", "TXT"]
    published.txt("_dmarc.client.example", "v=DMARC1; p=reject; psd=n")
    published.faults["_dmarc.example"] = dns.rcode.SERVFAIL
    assert (await check(published)).ready


async def test_a_return_path_of_its_own_must_pass_and_align(published):
    published.txt("bounce.client.example", SPF)
    published.txt("_dmarc.client.example", "v=DMARC1; p=reject")
    found = await check(published, return_path_domain="Bounce.client.example")
    assert found.ready, found.problems
    published.txt("_dmarc.mail.client.example", "v=DMARC1; p=reject; aspf=s")
    found = await check(published, return_path_domain="bounce.client.example")
    assert [finding.code for finding in found.findings if not finding.ok] == ["return_path.strict"]
    del published.records["bounce.client.example", "TXT"]
    found = await check(published, return_path_domain="bounce.client.example")
    assert found.return_path.code == "return_path.spf.missing"


async def test_the_same_return_path_needs_no_finding(published):
    assert (await check(published, return_path_domain="MAIL.client.example")).return_path is None


async def test_strict_spf_wants_a_hard_fail(published):
    published.txt("mail.client.example", SPF.replace("-all", "~all"))
    assert (await check(published)).ready
    assert (await check(published, strict_spf=True)).spf.code == "spf.all"
