"""The demo's evidence: a piece of every kind that a claim rests on, each within what every profile lets it be."""

import dataclasses
from datetime import date
from types import SimpleNamespace

import pytest

from troth.cli.demo.attesting import attest, pieces
from troth.control.evidence import reading
from troth.keys.keyring import OPERATOR
from troth.rules.evidence_kinds import BY_CLAIM, BY_CODE, pairs
from troth.rules.profile import PROFILES, load_profile

TODAY = date(2026, 11, 23)


def test_there_is_one_of_every_kind_for_every_claim():
    assert sorted((each.claim, each.kind) for each in pieces(TODAY)) == sorted(pairs())


@pytest.mark.parametrize("each", pieces(TODAY), ids=lambda each: f"{each.claim} {each.kind}")
def test_each_is_good_for_two_weeks_more_under_every_profile(each):
    kind = BY_CODE[each.kind]
    days = min(load_profile(profile).document["schedule"][kind.schedule] for profile in PROFILES)
    assert (TODAY - each.performed_on).days + 14 < days
    assert each.public == kind.publishes
    assert each.filename.endswith(".json") or b"Made for the demo" in each.content
    assert dataclasses.asdict(each)["programme"] is None


def test_all_of_it_counts_once_both_owners_have_acted(operator):
    keyset = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys = operator.keyring.tenant(OPERATOR, keyset)
    owners = [SimpleNamespace(session=lambda _connection, secret=secret: secret) for secret in operator.sessions]
    assert attest(operator.control, owners, keys) == len(pairs())
    counting = [
        (each.claim, each.kind) for claim in BY_CLAIM for each in reading.current(operator.control, None, claim)
    ]
    assert sorted(counting) == sorted(pairs())
    assert len(reading.public_pieces(operator.control, None)) == 3
