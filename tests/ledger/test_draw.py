"""A draw is the same for everybody, favours nobody, and draws nobody twice."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as some

from troth.ledger.draw import draw, seed

SEED = seed(bytes(32), 0, 1, "messages", 10)


def test_the_vectors_that_others_can_compare_with():
    assert SEED.hex() == "8c418734912001fb71546bca875b63bb9c4f96267d01a8e901f10f3bef5cde20"
    assert draw(SEED, 10, 4) == [6, 1, 8, 3]
    assert draw(SEED, 1_000_000, 3) == [372276, 108289, 301310]


@given(some.binary(min_size=32, max_size=32), some.integers(0, 300), some.integers(0, 300))
def test_members_are_different_and_of_the_population(sown, size, count):
    drawn = draw(sown, size, count)
    assert len(set(drawn)) == len(drawn) == min(size, count)
    assert all(0 <= each < size for each in drawn)


@given(some.binary(min_size=32, max_size=32), some.integers(1, 100), some.integers(0, 50), some.integers(0, 50))
def test_a_longer_draw_begins_as_a_shorter_one(sown, size, one, other):
    short, long = sorted((one, other))
    assert draw(sown, size, long)[:short] == draw(sown, size, short)


def test_each_member_is_as_likely():
    """5 of 20, 4,000 times: 1,000 each, and no more than five deviations from it."""
    counted = Counter(place for n in range(4000) for place in draw(n.to_bytes(32), 20, 5))
    assert all(abs(counted[place] - 1000) < 5 * 27.4 for place in range(20))


def test_the_numbers_that_would_favour_a_member_are_passed_over():
    """Of 3/4 of all numbers, those of the last quarter would draw the first members twice as often."""
    size = 3 * 2**62
    low = sum(draw(n.to_bytes(32), size, 1)[0] < 2**62 for n in range(900))
    assert abs(low - 300) < 5 * 14.2


def test_period_name_size_and_root_make_another_seed():
    made = {seed(bytes(32), 0, 1, "messages", 10), seed(bytes(31) + b"\1", 0, 1, "messages", 10),
            seed(bytes(32), 0, 2, "messages", 10), seed(bytes(32), 0, 1, "changes", 10),
            seed(bytes(32), 0, 1, "messages", 11), seed(bytes(32), 1, 1, "messages", 10)}  # fmt: skip
    assert len(made) == 6


def test_there_are_not_fewer_than_none():
    with pytest.raises(ValueError, match="0 members"):
        draw(SEED, -1, 1)
