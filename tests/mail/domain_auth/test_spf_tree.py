"""The look-ups of an SPF record with its includes, and what breaks it from there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.domain_auth import followed, tree_fault

NAMES = [f"n{n}.example" for n in range(6)]
TERMS = st.sampled_from([*(f"include:{name}" for name in NAMES), *(f"redirect={name}" for name in NAMES), "a", "mx", "-all",
                         "ip4:192.0.2.1", "exists:%{i}.x.example", "ptr"])  # fmt: skip
RECORDS = st.lists(TERMS, max_size=8).map(lambda terms: " ".join(["v=spf1", *terms]))


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(RECORDS, max_size=2).map(tuple)))
def test_any_tree_ends_in_a_word_or_in_none(tree):
    found = tree_fault(tree, NAMES[0])
    assert found is None or (not found.ok and found.sentence.endswith("."))


@pytest.mark.parametrize(
    ("tree", "code"),
    [
        ({"a": ("v=spf1 include:b -all",), "b": ("v=spf1 ip4:192.0.2.1 -all",)}, None),
        ({"a": ("v=spf1 include:b -all",)}, None),  # not asked, or silent: that says nothing
        ({"a": ("v=spf1 include:b -all",), "b": ()}, "spf.include"),
        ({"a": ("v=spf1 -all include:b",), "b": ()}, None),  # behind "all" nothing is evaluated
        ({"a": ("v=spf1 redirect=b",), "b": ("v=spf1 -all", "v=spf1 a")}, "spf.include"),
        ({"a": ("v=spf1 include:b -all",), "b": ("v=spf1 " + "a:x.example " * 10 + "-all",)}, "spf.lookups"),
        ({"a": ("v=spf1 include:b -all",), "b": ("v=spf1 " + "a:x.example " * 9 + "-all",)}, None),
        ({"a": ("v=spf1 include:a -all",)}, "spf.lookups"),
        ({"a": ("no record",)}, None),
    ],
)
def test_what_includes_do_to_a_record(tree, code):
    found = tree_fault(tree, "a")
    assert (found and found.code) == code


def test_what_depends_on_the_message_is_not_followed():
    assert followed(("v=spf1 include:%{d}.example ?include:B.example. redirect=c.example",)) == (
        "b.example",
        "c.example",
    )
    assert followed(("v=spf1 a", "v=spf1 include:b.example")) == ()
