"""The effective DMARC policy of a sending domain: RFC 9989's tree walk, case by case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.domain_auth import Finding, dmarc, organizational_domain, policy, settles, stops, walk_names


def tree(**records):
    """tree(a_example="...") is the record of _dmarc.a.example; a tuple stands for several."""
    named = {f"_dmarc.{name.replace('__', '-').replace('_', '.')}": value for name, value in records.items()}
    return {name: value if isinstance(value, tuple) else (value,) for name, value in named.items()}


def test_the_names_of_the_rfcs_own_example():
    assert walk_names("a.b.c.d.e.f.g.h.i.j.mail.example.com") == (
        "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "_dmarc.g.h.i.j.mail.example.com",
        "_dmarc.h.i.j.mail.example.com",
        "_dmarc.i.j.mail.example.com",
        "_dmarc.j.mail.example.com",
        "_dmarc.mail.example.com",
        "_dmarc.example.com",
        "_dmarc.com",
    )
    assert walk_names("Mail.Example.COM.") == ("_dmarc.mail.example.com", "_dmarc.example.com", "_dmarc.com")
    assert walk_names("com") == ("_dmarc.com",)
    seven = "g.f.e.d.c.b.a"
    assert walk_names(f"h.{seven}")[:2] == (f"_dmarc.h.{seven}", f"_dmarc.{seven}")


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=30).map(".".join))
def test_a_walk_is_at_most_eight_questions_and_ends_at_the_top(domain):
    names = walk_names(domain)
    assert names[0] == f"_dmarc.{domain}"
    assert names[-1] == f"_dmarc.{domain[-1]}"
    assert len(names) == min(8, domain.count(".") + 1)


@pytest.mark.parametrize("domain", ["", "a..example", "bücher.example", ".example"])
def test_a_domain_that_is_none_is_refused(domain):
    with pytest.raises(ValueError, match="A-label"):
        walk_names(domain)


@pytest.mark.parametrize(
    "record",
    [
        "v=DMARC1; p=reject",
        "v=DMARC1;p=reject;",
        "V = DMARC1 ; P = Reject ; rua=mailto:d@example.org",
        "v=DMARC1; p=reject; sp=none; np=none",  # its own domain: p alone counts
        "v=DMARC1; p=reject; t=n; psd=n; adkim=s; aspf=s; pct=100; fo=1; unknown=x; nonsense",
        "v=DMARC1; rua=mailto:x@example.org; p=reject; pct=lots; pct2=1; t=maybe",
    ],
)
def test_a_policy_of_its_own_that_rejects(record):
    found = dmarc(tree(mail_client_example=record, client_example="v=DMARC1; p=none"), "mail.client.example")
    assert found.ok, found.sentence
    assert found.saw == (record,)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ("v=DMARC1; p=none", "dmarc.policy"),
        ("v=DMARC1; p=quarantine", "dmarc.policy"),
        ("v=DMARC1; p=reject; t=y", "dmarc.testing"),
        ("v=DMARC1; p=reject; t=Y", "dmarc.testing"),
        ("v=DMARC1; p=reject; pct=99", "dmarc.partial"),
        ("v=DMARC1; p=reject; pct=0", "dmarc.partial"),
        ("v=DMARC1", "dmarc.invalid"),
        ("v=DMARC1; sp=reject; rua=mailto:x@example.org", "dmarc.invalid"),
        ("v=DMARC1; p=", "dmarc.invalid"),
        ("v=DMARC1; p=rejct", "dmarc.invalid"),
        ("v=DMARC1; p=reject; sp=rejct", "dmarc.invalid"),
        ("v=DMARC1; p=reject; np=no", "dmarc.invalid"),
        ("v=DMARC1; p=reject; p=none", "dmarc.invalid"),
        ("v=DMARC1; p=reject, sp=reject", "dmarc.invalid"),
        (("v=DMARC1; p=reject", "v=DMARC1; p=reject"), "dmarc.several"),
        ((), "dmarc.missing"),
        ("v=DMARC2; p=reject", "dmarc.missing"),
        ("v=dmarc1; p=reject", "dmarc.missing"),
        ("p=reject; v=DMARC1", "dmarc.missing"),
        ("v=DMARC1 p=reject", "dmarc.missing"),
        ("v=DMARC1.0; p=reject", "dmarc.missing"),
        ("DMARC1; p=reject", "dmarc.missing"),
        ("", "dmarc.missing"),
    ],
)
def test_a_policy_that_does_not_reject(record, code):
    found = dmarc(tree(client_example=record), "client.example")
    assert (found.ok, found.code) == (False, code)
    assert "_dmarc.client.example" in found.sentence


def test_other_text_beside_the_record_does_no_harm():
    assert dmarc(tree(client_example=("v=spf1 -all", "v=DMARC1; p=reject", "x")), "client.example").ok


@pytest.mark.parametrize(
    ("records", "exists", "ok", "tag"),
    [
        ("v=DMARC1; p=reject", True, True, "p"),
        ("v=DMARC1; p=none; sp=reject", True, True, "sp"),
        ("v=DMARC1; p=reject; sp=quarantine", True, False, "sp"),
        ("v=DMARC1; p=reject; np=none", True, True, "p"),
        ("v=DMARC1; p=reject; np=none", False, False, "np"),
        ("v=DMARC1; p=none; sp=none; np=reject", False, True, "np"),
        ("v=DMARC1; p=none; sp=reject", False, True, "sp"),
        ("v=DMARC1; p=reject", False, True, "p"),
    ],
)
def test_an_inherited_policy_is_taken_from_its_tag(records, exists, ok, tag):
    known = tree(client_example=records)
    assert dmarc(known, "mail.client.example", exists=exists).ok is ok
    assert policy(known, "mail.client.example", exists=exists).tag == tag


def test_the_topmost_record_decides_not_the_nearest():
    known = tree(b_example_com="v=DMARC1; p=none", example_com="v=DMARC1; p=reject")
    assert policy(known, "a.b.example.com").found_at == "example.com"
    assert organizational_domain(known, "a.b.example.com") == "example.com"
    assert dmarc(known, "a.b.example.com").ok
    assert not dmarc(known, "b.example.com").ok


def test_psd_n_makes_the_organizational_domain():
    known = tree(b_example_com="v=DMARC1; p=reject; psd=n", example_com="v=DMARC1; p=none")
    assert organizational_domain(known, "a.b.example.com") == "b.example.com"
    assert dmarc(known, "a.b.example.com").ok


def test_psd_y_puts_the_organizational_domain_below_it():
    known = tree(gov_example="v=DMARC1; p=reject; psd=y", example="v=DMARC1; p=none")
    assert organizational_domain(known, "a.b.dept.gov.example") == "dept.gov.example"
    applied = policy(known, "a.b.dept.gov.example")
    assert (applied.found_at, applied.value) == ("gov.example", "reject")


def test_a_psd_is_not_asked_when_the_organization_has_a_record():
    known = tree(dept_gov="v=DMARC1; p=none", gov="v=DMARC1; p=reject; psd=y")
    assert policy(known, "a.dept.gov").found_at == "dept.gov"
    between = tree(b_dept_gov="v=DMARC1; p=reject", gov="v=DMARC1; p=none; psd=y")
    assert policy(between, "a.b.dept.gov").found_at == "gov"


def test_a_psd_itself_is_its_own_organization():
    known = tree(gov="v=DMARC1; p=reject; psd=y")
    assert organizational_domain(known, "gov") == "gov"
    assert dmarc(known, "gov").ok


def test_several_records_are_discarded_and_the_walk_goes_on():
    known = tree(a_example=("v=DMARC1; p=none", "v=DMARC1; p=none"), example="v=DMARC1; p=reject")
    assert dmarc(known, "a.example").ok
    known = tree(a_example=("v=DMARC1; p=reject", "v=DMARC1; p=reject"), example="v=DMARC1; p=none")
    assert dmarc(known, "a.example").code == "dmarc.several"


def test_without_any_record_there_is_no_policy_and_the_domain_stands_alone():
    assert policy({}, "a.example") is None
    assert organizational_domain({}, "A.example.") == "a.example"
    assert dmarc({}, "a.example").sentence == 'Publish one TXT record at _dmarc.a.example: "v=DMARC1; p=reject".'


def test_what_lies_outside_the_walk_is_not_seen():
    known = tree(c_d_e_f_g_h_i_j="v=DMARC1; p=reject")
    assert policy(known, "a.b.c.d.e.f.g.h.i.j") is None


def test_when_a_walk_may_end():
    assert settles(("v=DMARC1; p=none",))
    assert not settles(("v=DMARC1; p=none", "v=DMARC1; p=none"))
    assert stops(("x", "v=DMARC1; psd=Y"))
    assert stops(("v=DMARC1; psd=n",))
    assert not stops(("v=DMARC1; psd=u",))
    assert not stops(())


@given(st.text(max_size=60))
def test_no_dmarc_record_raises(text):
    assert isinstance(dmarc({"_dmarc.a.example": (text, f"v=DMARC1;{text}")}, "a.example"), Finding)
