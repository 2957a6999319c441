"""Consent that comes with a registration: kept with its wording, ended when the law ends it, refused where it is none."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.flow.submission.doors import add_system_tenant

from troth.keys import consents

EXPRESS = {
    "kind": "express",
    "wording": "Send me your news.",
    "how": "ticked a box at check-out",
    "source": "192.0.2.9",
}
THIS_MONTH = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
LAST_YEAR = THIS_MONTH.replace(year=THIS_MONTH.year - 1)
IMPLIED = {"kind": "implied", "wording": "Bought a kettle.", "how": "order 81", "basis": "existing-business"}


@pytest.fixture(autouse=True)
async def system(door):
    return add_system_tenant(door.operator, door.firm)


async def register(door, **consent):
    return await door.post("/recipients", json={"email": "new@example.net", "consent": consent})


async def test_it_is_on_record_with_its_wording_sealed_for_the_person(door):
    answer = await register(door, **EXPRESS, category="rent", given_at="2026-01-05T10:00:00Z")
    assert answer.status_code == 201, answer.text
    [(made, person, category, kind, basis, at, ends, sealed)] = door.rows(
        "SELECT id, person_id, category_id, kind, basis, at, expires_at, detail_ct FROM consent"
    )
    assert (category, kind, basis, ends) == (door.firm.category, 1, "recorded", None)
    assert at == datetime(2026, 1, 5, 10, tzinfo=UTC)
    wrapped = door.rows("SELECT data_key FROM person WHERE id = %s", person)[0][0]
    said = consents.opened(door.firm.keys.person(wrapped, person), made, sealed)
    assert (said["wording"], said["how"], said["source"]) == (
        "Send me your news.",
        "ticked a box at check-out",
        "192.0.2.9",
    )
    assert said["told_by"].startswith("key:")


@pytest.mark.parametrize(("basis", "given", "ends"), [
    ("existing-business", THIS_MONTH, THIS_MONTH.replace(year=THIS_MONTH.year + 2)),
    ("existing-non-business", LAST_YEAR, LAST_YEAR.replace(year=LAST_YEAR.year + 2)),
    ("inquiry", THIS_MONTH, (THIS_MONTH + timedelta(days=195)).replace(day=1)),
])  # fmt: skip
async def test_implied_consent_ends_where_the_law_ends_it(door, basis, given, ends):
    assert (await register(door, **IMPLIED | {"basis": basis}, given_at=given.isoformat())).status_code == 201
    assert door.rows("SELECT kind, expires_at FROM consent") == [(2, ends)]


AHEAD = (datetime.now(UTC) + timedelta(days=9)).isoformat()


@pytest.mark.parametrize(("consent", "field"), [
    ({**EXPRESS, "kind": "implicit"}, "consent.kind"),
    ({**EXPRESS, "wording": " "}, "consent.wording"),
    ({**EXPRESS, "how": ""}, "consent.wording"),
    ({**EXPRESS, "wording": "x" * 4001}, "consent.wording"),
    ({**EXPRESS, "given_at": AHEAD}, "consent.given_at"),
    ({**EXPRESS, "given_at": "yesterday"}, "consent.given_at"),
    ({**EXPRESS, "given_at": "2026-01-02T00:00:00Z", "expires_at": "2026-01-01T00:00:00Z"}, "consent.expires_at"),
    ({**EXPRESS, "category": "nope"}, "consent.category"),
    ({**IMPLIED, "basis": ""}, "consent.basis"),
    ({**IMPLIED, "basis": "inquiry", "given_at": "2025-12-20T10:00:00Z"}, "consent.given_at"),
    ({**EXPRESS, "given_at": "2024-01-02T00:00:00Z", "expires_at": "2026-01-01T00:00:00Z"}, "consent.expires_at"),
    ({**IMPLIED, "basis": "friendship"}, "consent.basis"),
    ({**IMPLIED, "given_at": "2026-01-01T00:00:00Z", "expires_at": "2028-01-02T00:00:00Z"}, "consent.expires_at"),
])  # fmt: skip
async def test_what_is_no_consent_writes_nothing(door, consent, field):
    before = door.count("person")
    answer = await register(door, **consent)
    assert (answer.status_code, answer.json().get("field")) == (422, field), answer.text
    assert (door.count("consent"), door.count("person")) == (0, before)
