"""What no control can show is not promised otherwise than a profile ships it; what the software carries out may be."""

import pytest

from troth.rules.policy import FIELDS, to_document, value_of
from troth.rules.policy_words import CLAIMS
from troth.rules.profile import PROFILES, load_profile
from troth.rules.unshown import SECTIONS, unshown


@pytest.mark.parametrize("name", PROFILES)
def test_what_a_profile_ships_is_fine_without_any_control(name):
    policy = load_profile(name).policy
    assert list(unshown(to_document(policy), policy, ())) == []
    assert list(unshown({}, policy, ())) == []
    assert list(unshown({"hosting": 7}, policy, ())) == [], "what is no document is told by others"


def test_each_field_that_only_sentences_say_is_refused_until_one_of_its_claims_has_a_control():
    policy = load_profile("property").policy
    for field in FIELDS:
        if field.section in SECTIONS:
            shipped = value_of(policy, field.path)
            other = {field.section: {field.name: 1 if isinstance(shipped, int) and shipped != 1 else "1 min"}}
            (found,) = unshown(other, policy, ())
            assert (found.path, found.claims) == (field.path, CLAIMS[field.path])
            assert all(claim in found.hint for claim in found.claims)
            assert list(unshown(other, policy, found.claims[:1])) == []


def test_what_the_software_carries_out_itself_needs_no_witness():
    policy = load_profile("retail").policy
    other = {"installation": {"relay_tls": "tls1.3"}, "trust": {"failing": "withdraw"}, "limits": {"tenant_hour": 1}}
    assert list(unshown(other, policy, ())) == []
