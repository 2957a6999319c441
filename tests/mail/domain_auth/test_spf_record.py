"""SPF of a sending domain: what lets us send and no others, and a cure in words for all else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.domain_auth import Finding, spf

WANT = "include:spf.troth.example"


@pytest.mark.parametrize(
    "record",
    [
        f"v=spf1 {WANT} -all",
        f"v=spf1 {WANT} ~all",
        f"V=SPF1  +{WANT.upper()}.  -ALL ",
        f"v=spf1 a mx:mail.example.org/24//64 ip4:192.0.2.0/24 ip6:2001:db8::/32 {WANT} -all",
        f"v=spf1 {WANT} exists:%{{ir}}.%{{v}}._spf.%{{d2}} exp=why.example.org x-new=1 -all",
        f"v=spf1 ?ip4:192.0.2.1 -include:other.example {WANT} -all redirect=ignored.example",
        f"v=spf1 a a:x.example ptr ptr:x.example mx mx:y.example exists:z.example include:q.example {WANT} mx:p.example -all",
        f"v=spf1 {WANT} -all +all include:never.asked.example",
    ],
)
def test_spf_that_lets_us_send_and_no_others(record):
    found = spf(("google-site-verification=x", record), WANT, at="client.example")
    assert found.ok, found.sentence
    assert found.code == "spf.ok"
    assert found.saw == (record,)


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ((), "spf.missing"),
        (("v=spf10 -all", "spf2.0/pra -all", "v=spf1;-all", " v=spf1 -all"), "spf.missing"),
        ((f"v=spf1 {WANT} -all", "v=spf1 -all"), "spf.several"),
        ((f"v=spf1 {WANT} -all", f"v=spf1 {WANT} -all"), "spf.several"),
        (("v=spf1 -all",), "spf.required"),
        (("v=spf1",), "spf.required"),
        ((f"v=spf1 -all {WANT}",), "spf.required"),
        ((f"v=spf1 -{WANT} {WANT} -all",), "spf.required"),
        ((f"v=spf1 ?{WANT} -all",), "spf.required"),
        (("v=spf1 include:spf.troth.example.evil.example -all",), "spf.required"),
        ((f"v=spf1 {WANT}",), "spf.all"),
        ((f"v=spf1 {WANT} ?all",), "spf.all"),
        ((f"v=spf1 {WANT} redirect=_spf.client.example",), "spf.redirect"),
        ((f"v=spf1 {WANT} +all",), "spf.everyone"),
        ((f"v=spf1 {WANT} all",), "spf.everyone"),
        ((f"v=spf1 {WANT} ip4:0.0.0.0/0 -all",), "spf.everyone"),
        ((f"v=spf1 {WANT} ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all",), "spf.everyone"),
        ((f"v=spf1 {WANT} ip6:::/0 -all",), "spf.everyone"),
        (("v=spf1 " + "".join(f"include:s{n}.example " for n in range(10)) + f"{WANT} -all",), "spf.lookups"),
        (("v=spf1 " + "a " * 10 + f"{WANT} -all",), "spf.lookups"),
        (("v=spf1 " + "a " * 9 + f"{WANT} redirect=x.example",), "spf.lookups"),
    ],
)
def test_spf_that_is_not_enough(records, code):
    found = spf(records, WANT, at="client.example")
    assert not found.ok
    assert found.code == code
    assert "client.example" in found.sentence
    assert found.sentence.endswith(".")


@pytest.mark.parametrize(
    "term",
    [
        "incldue:x.example", "include", "include:", "include:x.example/24", "include:192.0.2.1", "include:localhost",
        "ip4:192.0.2", "ip4:192.0.2.256", "ip4:192.0.2.1/33", "ip4:192.0.2.1/", "ip4:192.0.2.0/255.255.255.0", "ip4",
        "ip6:2001:db8::g", "ip6:192.0.2.1", "ip6:fe80::1%eth0", "ip6:2001:db8::/129", "a:", "a/33", "a//129", "a/x", "all:x",
        "all/8", "mx:x.example/", "ptr/24", "exists", "-", "--all", "=x", "a:%{z}.example", "a:%x.example",
        "redirect=a.example redirect=b.example", "exp=a.example exp=b.example", "ip4:192.0.2.1,ip4:192.0.2.2",
        "include:" + "a." * 5000 + "-", "v=spf1,x",
    ],
)  # fmt: skip
def test_spf_that_does_not_parse_counts_for_nothing(term):
    record = f"v=spf1 {WANT} {term} -all"
    found = spf((record,), WANT)
    if term == "v=spf1,x":  # an unknown modifier is ignored
        assert found.ok
    else:
        assert (found.ok, found.code) == (False, "spf.syntax")


@pytest.mark.parametrize(
    ("record", "required", "ok"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "ip4:192.0.2.7", True),
        ("v=spf1 ip4:192.0.2.7/24 -all", "ip4:192.0.2.0/25", True),
        ("v=spf1 ip4:192.0.2.7 -all", "ip4:192.0.2.7/32", True),
        ("v=spf1 ip4:192.0.2.7 -all", "ip4:192.0.2.0/24", False),
        ("v=spf1 -ip4:192.0.2.9 ip4:192.0.2.0/24 -all", "ip4:192.0.2.0/24", False),
        ("v=spf1 -ip4:192.0.2.9 ip4:192.0.2.0/24 -all", "ip4:192.0.2.8", True),
        ("v=spf1 ip6:2001:DB8::/32 -all", "ip6:2001:db8::1", True),
        ("v=spf1 ip6:2001:db8::/32 -all", "ip4:192.0.2.1", False),
        ("v=spf1 ip4:192.0.2.1 include:a.example -all", "ip4:192.0.2.1 include:a.example", True),
        ("v=spf1 ip4:192.0.2.1 -all", "ip4:192.0.2.1 include:a.example", False),
        ("v=spf1 a:Out.Example -all", "a:out.example", True),
        ("v=spf1 a -all", "a:out.example", False),
    ],
)
def test_spf_terms_are_compared_by_what_they_match(record, required, ok):
    assert spf((record,), required).ok is ok


def test_strict_spf_wants_a_hard_fail():
    assert spf((f"v=spf1 {WANT} -all",), WANT, strict=True).ok
    found = spf((f"v=spf1 {WANT} ~all",), WANT, strict=True)
    assert found.code == "spf.all"
    assert '"~all"' not in found.sentence


def test_a_required_term_of_ours_that_is_not_spf_is_our_fault():
    with pytest.raises(ValueError, match="not an SPF mechanism"):
        spf(("v=spf1 -all",), "spf.troth.example")


@given(st.text(max_size=80))
def test_no_spf_record_raises_and_none_without_our_term_passes(text):
    found = spf((f"v=spf1 {text}",), WANT)
    assert isinstance(found, Finding)
    assert not found.ok or WANT in text.lower()
