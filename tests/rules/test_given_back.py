"""What a message needs to be sent again, written down with its sending and read back."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.rules.given_back import Place
from troth.rules.retry import FailureKind, Tries, counted, remembered

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRIES = st.one_of(
    st.just(Tries()), st.builds(Tries, st.sampled_from(FailureKind).map(str), st.integers(1, 99), st.just(NOW))
)


@given(st.uuids(), st.integers(0, 10_000), st.booleans(), TRIES)
def test_a_place_is_its_documents(domain: UUID, minutes: int, consent: bool, tries: Tries) -> None:  # noqa: FBT001 - hypothesis's
    place = Place(domain, NOW + timedelta(minutes=minutes), consent, tries)
    assert Place.of(msgspec.json.decode(msgspec.json.encode(place.to_document()))) == place


@pytest.mark.parametrize(
    "document",
    [None, "x", {}, {"domain": "x"}, {"domain": str(uuid4()), "ends": "2026-11-22T12:00:00", "consent": True},
     {"domain": str(uuid4()), "ends": NOW.isoformat(), "consent": True, "tries": [1]}],
)  # fmt: skip
def test_what_does_not_say_it_is_no_place(document: object) -> None:
    assert Place.of(document) is None


def test_a_schedule_counts_on_and_another_begins_anew() -> None:
    hour = timedelta(hours=1)
    first = counted(Tries(), "mailbox", address_bad=False, now=NOW)
    assert first == Tries("mailbox", 1, NOW)
    assert counted(first, "hard", address_bad=True, now=NOW + hour) == Tries("mailbox", 2, NOW)
    away = counted(first, "connection", address_bad=False, now=NOW + hour)
    assert away == Tries("connection", 1, NOW + hour)
    assert remembered(first, away) == first
    assert remembered(away, first) == first
    assert remembered(Tries(), away) == away
