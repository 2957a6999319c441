"""What somebody says of consent promises: it is kept with the end that the law gives it, or refused with the field."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.rules.consent import EXPRESS, IMPLIED
from troth.rules.consent_given import LONGEST, MONTHS, Claimed, NotConsent, read

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_express_consent_lasts_until_it_is_taken_back():
    found = read(Claimed("express", "w", "h", given_at="2026-01-05T10:00:00+01:00"), NOW)
    assert (found.kind, found.basis, found.at, found.until) == (EXPRESS, "recorded", datetime(2026, 1, 5, 9, tzinfo=UTC), None)  # fmt: skip
    assert read(Claimed("express", "w", "h"), NOW).at == NOW


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC)), st.sampled_from(sorted(MONTHS))
)
def test_implied_consent_ends_on_the_day_that_the_law_says(at, basis):
    found = read(Claimed("implied", "w", "h", basis, at.isoformat()), at)
    assert found.kind == IMPLIED
    months = (found.until.year - at.year) * 12 + found.until.month - at.month
    assert months == MONTHS[basis]
    assert found.until.day in (at.day, 28, 29, 30)
    assert found.until.day <= at.day


@pytest.mark.parametrize(("said", "field", "day"), [
    (Claimed("implied", "w", "h", "inquiry", "2026-01-05T10:00:00Z"), "given_at", "2026-07-05"),
    (Claimed("implied", "w", "h", "inquiry", "2026-05-22T12:00:00Z"), "given_at", "2026-11-22"),
    (Claimed("implied", "w", "h", "existing-business", "2024-11-22T11:00:00Z"), "given_at", "2026-11-22"),
    (Claimed("implied", "w", "h", "inquiry", "2026-11-01T00:00:00Z", "2026-11-21T00:00:00Z"), "expires_at", "2026-11-21"),
    (Claimed("express", "w", "h", given_at="2025-01-05T10:00:00Z", expires_at="2026-01-05T10:00:00Z"), "expires_at", "2026-01-05"),
])  # fmt: skip
def test_consent_that_has_run_out_already_is_refused_with_its_day_and_the_fix(said, field, day):
    with pytest.raises(
        NotConsent, match=f"ran out on {day}.*Give a later `{field}`, or ask the recipient anew"
    ) as refused:
        read(said, NOW)
    assert refused.value.field == field


def test_consent_stands_until_its_very_last_moment():
    assert read(Claimed("implied", "w", "h", "inquiry", "2026-05-22T12:00:01Z"), NOW).until > NOW


@pytest.mark.parametrize(("said", "field"), [
    (Claimed("", "w", "h"), "kind"),
    (Claimed("express", " ", "h"), "wording"),
    (Claimed("express", "w", ""), "wording"),
    (Claimed("express", "w" * (LONGEST + 1), "h"), "wording"),
    (Claimed("express", "w", "h", given_at="2026-11-22T12:00:01Z"), "given_at"),
    (Claimed("express", "w", "h", given_at="2026-11-22T12:00:01+14:00x"), "given_at"),
    (Claimed("express", "w", "h", given_at="0001-01-01T00:00:00+14:00"), "given_at"),
    (Claimed("express", "w", "h", given_at="2026-01-01"), "given_at"),
    (Claimed("express", "w", "h", given_at="2026-01-01T00:00:00Z", expires_at="2026-01-01T00:00:00Z"), "expires_at"),
    (Claimed("express", "w", "h", expires_at="soon"), "expires_at"),
    (Claimed("implied", "w", "h"), "basis"),
    (Claimed("implied", "w", "h", "inquiry", "2026-01-31T00:00:00Z", "2026-07-31T00:00:01Z"), "expires_at"),
])  # fmt: skip
def test_what_is_no_consent_names_its_field(said, field):
    with pytest.raises(NotConsent) as refused:
        read(said, NOW)
    assert refused.value.field == field
    assert refused.value.sentence
