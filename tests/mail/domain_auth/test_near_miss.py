"""What somebody meant to publish: the pure part, on any text at all; the mistakes themselves are in tests/outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail import domain_auth
from troth.mail.domain_auth import Finding

OURS = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" * 8
TEXTS = st.lists(st.text(max_size=80) | st.sampled_from(["v=spf1", "v=DKIM1; p=", "v=DMARC1", '"', OURS]), max_size=4)


def judged(kind, records):
    if kind == "spf":
        return domain_auth.spf(records, "include:a.example", at="x.example")
    if kind == "dkim":
        return domain_auth.dkim(records, OURS, at="x.example")
    return domain_auth.dmarc({"_dmarc.x.example": records}, "x.example")


@given(st.sampled_from(["spf", "dkim", "dmarc"]), TEXTS)
def test_any_records_give_a_finding_and_a_good_one_stays_as_it_is(kind, texts):
    found = judged(kind, tuple(texts))
    nearer = domain_auth.nearer(kind, found, tuple(texts), "x.example", OURS)
    assert isinstance(nearer, Finding)
    assert nearer.ok == found.ok
    assert nearer.code.startswith(f"{kind}.")
    assert nearer.sentence
    if found.ok:
        assert nearer is found


@pytest.mark.parametrize(
    ("records", "code"),
    [
        (("v = spf1 include:a.example -all",), "spf.missing"),
        (("v=spf1include:a.example -all",), "spf.separator"),
        (("V=SPF1, include:a.example",), "spf.separator"),
        (("v=spf1 include:a.exampleip4:192.0.2.1 -all",), "spf.joined"),
        (("nothing to do with it",), "spf.missing"),
    ],
)
def test_spf_that_was_meant(records, code):
    found = judged("spf", records)
    assert domain_auth.nearer("spf", found, records, "x.example").code == code


def test_two_keys_that_are_the_same_are_told_as_two():
    records = (f"v=DKIM1; p={OURS}",) * 2
    assert domain_auth.nearer("dkim", judged("dkim", records), records, "x.example", OURS).code == "dkim.several"


def test_where_else_a_record_is_looked_for():
    assert domain_auth.elsewhere("mail.a.example", "s1._domainkey.mail.a.example") == (
        "s1._domainkey.mail.a.example.mail.a.example",
        "s1._domainkey.mail.a.example.a.example",
        "s1.mail.a.example",
    )
    assert domain_auth.elsewhere("a.example", "_dmarc.a.example") == ("_dmarc.a.example.a.example", "a.example")
    assert domain_auth.elsewhere("a.example", "a.example") == ("a.example.a.example",)


def test_a_record_found_nowhere_else_is_none():
    assert domain_auth.misplaced("spf", {"x.example.x.example": ("v=DKIM1",)}, "x.example") is None
    assert domain_auth.misplaced("spf", {}, "x.example") is None


def test_an_alias_of_another_record_keeps_the_verdict_and_says_where_it_leads():
    found = domain_auth.at_alias("dkim", Finding(False, "dkim.missing", "Publish it."), "s.example", "k.example")
    assert (found.code, found.saw) == ("dkim.missing", ("s.example CNAME k.example",))
    assert "leads to k.example" in found.sentence
