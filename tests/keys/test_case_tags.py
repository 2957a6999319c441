"""The address that answers to an acknowledgement come back to names its case, and only we can have made it."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from troth.keys.case_tags import case_of, tag

KEY, OTHER = b"k" * 32, b"o" * 32


def test_a_tag_names_its_case_in_whatever_case_and_with_any_key_that_still_reads():
    case = uuid4()
    made = tag(OTHER, case)
    assert case_of((KEY, OTHER), made.upper()) == case
    assert case_of((KEY,), made) is None
    assert len(f"security+{made}") <= 64


@given(st.text(max_size=60))
def test_nothing_else_names_one(given_):
    assert case_of((KEY,), given_) is None


def test_a_changed_letter_names_none():
    made = tag(KEY, uuid4())
    for place in range(1, len(made)):
        changed = made[:place] + ("b" if made[place] == "a" else "a") + made[place + 1 :]
        assert case_of((KEY,), changed) is None
