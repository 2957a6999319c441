"""The record to copy holds, and lets everybody send whom the records that are there let."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.domain_auth import joined, spf

OURS = "include:_spf.relay.test"


@pytest.mark.parametrize(
    ("there", "made"),
    [
        ([], "v=spf1 include:_spf.relay.test -all"),
        (["some=thing", "v=spf10 -all"], "v=spf1 include:_spf.relay.test -all"),
        (["v=spf1 include:a.example -all"], "v=spf1 include:_spf.relay.test include:a.example -all"),
        (["v=spf1 include:a.example ~all"], "v=spf1 include:_spf.relay.test include:a.example ~all"),
        (
            ["v=spf1 mx -all", "V=SPF1 MX a ip4:192.0.2.1 -all"],
            "v=spf1 include:_spf.relay.test mx a ip4:192.0.2.1 -all",
        ),
        (["v=spf1 include:_spf.relay.test -all", "v=spf1 mx ~all"], "v=spf1 include:_spf.relay.test mx ~all"),
        (["v=spf1 redirect=b.example"], "v=spf1 include:_spf.relay.test include:b.example ~all"),
        (["v=spf1 -all redirect=b.example include:never.example"], "v=spf1 include:_spf.relay.test -all"),
        (["v=spf1 +mx ip4:0.0.0.0/0 +all"], "v=spf1 include:_spf.relay.test mx ~all"),
        (
            ["v=spf1 -include:_spf.relay.test mx -all"],
            "v=spf1 include:_spf.relay.test -include:_spf.relay.test mx -all",
        ),
        (["v=spf1  exp=why.example mx -all"], "v=spf1 include:_spf.relay.test exp=why.example mx -all"),
        (["v=spf1"], "v=spf1 include:_spf.relay.test ~all"),
        (["v=spf1 ip4:192.0.2.300 -all"], ""),  # whom it was for, nobody can tell
        (["v=spf1 exp=a.example -all", "v=spf1 exp=b.example -all"], ""),
        ([f"v=spf1 {' '.join(f'include:s{n}.example' for n in range(10))} -all"], ""),  # one look-up too many
    ],
)
def test_one_record_of_theirs_and_ours(there, made):
    assert joined(tuple(there), OURS) == made


_TERMS = st.sampled_from(
    [
        "mx",
        "a",
        "ip4:192.0.2.0/24",
        "-ip4:198.51.100.1",
        "include:x.example",
        "redirect=y.example",
        "~all",
        "+all",
        "ip4:0/0",
    ]
)


@given(st.lists(st.lists(_TERMS, max_size=6).map(lambda terms: " ".join(["v=spf1", *terms])), max_size=3))
def test_what_is_given_holds_or_nothing_is_given(there):
    made = joined(tuple(there), f"{OURS} ip4:203.0.113.7")
    assert made == "" or spf((made,), f"{OURS} ip4:203.0.113.7").ok
    assert joined((made,), f"{OURS} ip4:203.0.113.7") in (made, f"v=spf1 {OURS} ip4:203.0.113.7 -all")
