"""A return path aligns as the DMARC record asks, and a domain is ready when all of it holds."""

import pytest

from troth.mail.domain_auth import Finding, Readiness, policy, return_path

GOOD = Finding(True, "spf.ok", "fine.")
BAD = Finding(False, "spf.missing", "Publish SPF.")


@pytest.mark.parametrize(
    ("record", "path", "code"),
    [
        ("v=DMARC1; p=reject", "bounce.example.com", "return_path.ok"),
        ("v=DMARC1; p=reject", "example.com", "return_path.ok"),
        ("v=DMARC1; p=reject; aspf=r", "x.y.example.com", "return_path.ok"),
        ("v=DMARC1; p=reject; aspf=s", "Mail.example.com", "return_path.ok"),
        ("v=DMARC1; p=reject; aspf=s", "bounce.example.com", "return_path.strict"),
        ("v=DMARC1; p=reject", "relay.example.net", "return_path.alignment"),
        ("v=DMARC1; p=reject", "example.com.evil.net", "return_path.alignment"),
    ],
)
def test_a_return_path_aligns_as_the_record_asks(record, path, code):
    known = {"_dmarc.example.com": (record,)}
    found = return_path(known, "mail.example.com", path, policy(known, "mail.example.com"), GOOD)
    assert (found.code, found.ok) == (code, code == "return_path.ok")


def test_a_return_path_without_spf_does_not_count():
    found = return_path({}, "a.example", "b.example", None, BAD)
    assert (found.code, found.sentence) == ("return_path.spf.missing", "Publish SPF.")


def test_without_any_policy_only_the_domain_itself_aligns():
    assert not return_path({}, "a.example", "b.a.example", None, GOOD).ok
    assert return_path({}, "a.example", "a.example", None, GOOD).ok


def test_readiness_is_all_of_it():
    assert Readiness(GOOD, GOOD, GOOD).ready
    assert Readiness(GOOD, GOOD, GOOD, GOOD).ready
    found = Readiness(GOOD, BAD, GOOD, BAD)
    assert not found.ready
    assert found.problems == ("Publish SPF.", "Publish SPF.")
    assert not Readiness(GOOD, GOOD, GOOD, BAD).ready
