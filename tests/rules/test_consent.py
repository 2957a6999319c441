"""The reading of the consent ledger: withdrawals win, what ran out counts for nothing, and the clock opens nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.rules.consent import EXPRESS, IMPLIED, WITHDRAWN, Entry, lawful_basis, standing

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
NEWS, RENT = "news", "rent"


def day(n: float) -> datetime:
    return T0 + timedelta(days=n)


def express(n: float, category: str | None = NEWS, until: float | None = None) -> Entry:
    return Entry(category, EXPRESS, "recipient", day(n), None if until is None else day(until))


def implied(n: float, until: float, category: str | None = NEWS) -> Entry:
    return Entry(category, IMPLIED, "inquiry", day(n), day(until))


def taken_back(n: float, category: str | None = NEWS) -> Entry:
    return Entry(category, WITHDRAWN, "one-click", day(n))


@pytest.mark.parametrize(
    ("entries", "state"),
    [
        ([], "none"),
        ([express(0)], "held"),
        ([express(0, None)], "held"),
        ([express(0, RENT)], "none"),
        ([implied(0, 11)], "held"),
        ([implied(0, 10)], "expired"),  # of this very moment
        ([express(0, until=9)], "expired"),
        ([implied(0, 5), express(1)], "held"),
        ([express(0), taken_back(1)], "withdrawn"),
        ([express(0, None), taken_back(1)], "withdrawn"),
        ([express(0), taken_back(1, None)], "withdrawn"),
        ([express(0), taken_back(1, RENT)], "held"),
        ([express(0), taken_back(0)], "withdrawn"),  # of one moment
        ([taken_back(0), express(1)], "held"),
        ([taken_back(0, None), express(1)], "held"),
        ([taken_back(0, None), express(1, None)], "held"),
        ([taken_back(0), express(1, None)], "withdrawn"),  # one category comes back by its own name
        ([taken_back(0), implied(1, 20)], "withdrawn"),  # a purchase is no word of the recipient's
        ([taken_back(0, None), implied(1, 20)], "withdrawn"),
        ([taken_back(0), express(1, until=5)], "withdrawn"),
        ([express(11)], "none"),  # a clock that was set back
        ([express(0), taken_back(11)], "withdrawn"),
    ],
)
def test_what_the_ledger_comes_to(entries: list[Entry], state: str) -> None:
    for order in (entries, entries[::-1]):
        assert standing(order, NEWS, day(10)).state == state


def test_the_longest_lasting_counts_and_of_those_the_express_one() -> None:
    found = standing([implied(0, 20), express(1, until=15), implied(2, 12)], NEWS, day(10))
    assert (found.kind, found.until) == ("implied", day(20))
    assert standing([implied(0, 20), express(0, until=20)], NEWS, day(10)).kind == "express"
    assert standing([implied(0, 20), express(0)], NEWS, day(10)).until is None


ENTRIES = st.builds(
    Entry,
    st.sampled_from([None, NEWS, RENT]),
    st.sampled_from([EXPRESS, IMPLIED, WITHDRAWN]),
    st.just("recipient"),
    st.integers(0, 20).map(day),
    st.one_of(st.none(), st.integers(0, 30).map(day)),
)


@given(st.lists(ENTRIES, max_size=8), st.integers(0, 30).map(day))
def test_a_withdrawal_of_now_ends_it_whatever_came_before(entries: list[Entry], at: datetime) -> None:
    last = max((e.at for e in entries), default=at)
    for category in (NEWS, None):
        assert standing([*entries, Entry(category, WITHDRAWN, "x", last)], NEWS, at).state != "held"


@given(st.lists(ENTRIES, max_size=8), st.integers(0, 30), st.integers(0, 30))
def test_held_is_held_by_a_consent_that_has_not_run_out(entries: list[Entry], n: int, more: int) -> None:
    found = standing(entries, NEWS, day(n))
    if found.state == "held":
        assert found.until is None or found.until > day(n)
        assert any(e.kind != WITHDRAWN and e.category in (None, NEWS) and e.at <= day(n) for e in entries)
        later = standing([e for e in entries if e.at <= day(n)], NEWS, day(n + more))
        assert later.state == ("held" if found.until is None or found.until > day(n + more) else "expired") or (
            later.state == "withdrawn"
        )


@given(st.lists(ENTRIES, max_size=8), st.integers(0, 30).map(day))
def test_another_category_s_entries_say_nothing(entries: list[Entry], at: datetime) -> None:
    assert standing(entries, NEWS, at) == standing([e for e in entries if e.category != RENT], NEWS, at)


def test_a_class_says_its_own_basis_where_the_category_says_none() -> None:
    for legal_class, basis in (("transactional", "contract"), ("required", "legal-obligation"), ("relationship", "")):
        assert lawful_basis({"legal_class": legal_class}) == basis
        assert lawful_basis({"legal_class": legal_class, "lawful_basis": "consent"}) == "consent"


def test_a_naive_time_is_no_time() -> None:
    with pytest.raises(ValueError, match="zone"):
        Entry(None, EXPRESS, "x", datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
