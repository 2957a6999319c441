"""The installation's secrets: sealed under the KMS, a key a purpose, rotated without losing what is out there."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from troth.keys.errors import KmsUnavailable, Undecryptable
from troth.keys.installation import InstallationSecrets, Purpose
from troth.outside.kms import LocalKms

CONTEXT = {"purpose": "installation"}


def test_what_is_sealed_opens_after_a_restart(kms, kms_file):
    secrets = InstallationSecrets.create()
    sealed = secrets.seal(kms)
    assert sealed[0] == 1
    assert InstallationSecrets.open(LocalKms(kms_file), sealed) == secrets
    assert InstallationSecrets.create() != secrets


def test_purposes_share_no_key_and_derivation_is_frozen():
    secrets = InstallationSecrets((bytes(32),), (bytes(range(32)),), bytes(32))
    keys = {purpose: secrets.token_keys(purpose) for purpose in Purpose}
    assert len({key for (key,) in keys.values()}) == len(Purpose)
    assert keys[Purpose.VERP][0].hex() == "77f99d566e226ad0a05240237d4688c355b6ef24ffe97257a6d30f4975d9743a"
    assert all(len(key) == 32 for (key,) in keys.values())


def test_a_new_root_signs_and_the_old_still_verifies():
    first = InstallationSecrets.create()
    third = first.with_new_root(keep=2).with_new_root(keep=2)
    keys = third.token_keys(Purpose.UNSUBSCRIBE)
    assert len(keys) == 3
    assert keys[-1] == first.token_keys(Purpose.UNSUBSCRIBE)[0]
    assert third.with_new_root(keep=1).token_keys(Purpose.UNSUBSCRIBE)[1:] == keys[:1]
    assert len(third.with_new_root(keep=0).roots) == 1


def test_a_new_blind_layer_nests():
    first = InstallationSecrets.create()
    second = first.with_new_blind_layer()
    old = first.blind_index().index("jo@example.org")
    assert second.blind_index().lift(old, 1) == second.blind_index().index("jo@example.org")
    assert (1, old) in second.blind_index().all_layers("jo@example.org")


def test_nothing_is_printed():
    secrets = InstallationSecrets((b"B" * 32,), (b"R" * 32,), b"S" * 32)
    assert repr(secrets) == "InstallationSecrets()"


def test_a_silent_kms_is_temporary(kms):
    sealed = InstallationSecrets.create().seal(kms)
    kms.off = True
    with pytest.raises(KmsUnavailable):
        InstallationSecrets.open(kms, sealed)
    with pytest.raises(KmsUnavailable):
        InstallationSecrets.create().seal(kms)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.binary(max_size=100))
def test_any_other_bytes_are_refused(kms, data):
    for bad in (data, b"\x01" + data):
        with pytest.raises(Undecryptable):
            InstallationSecrets.open(kms, bad)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        {"version": 2},
        {"roots": []},
        {"blind_index": []},
        {"roots": ["AAAA"]},
        {"roots": ["%"]},
        {"more": 1},
    ],
)
def test_a_document_of_another_shape_is_refused(kms, content):
    key = "A" * 43 + "="
    good = {"version": 1, "blind_index": [key], "roots": [key]}
    text = content if isinstance(content, str) else json.dumps(good | content)
    with pytest.raises(Undecryptable, match="version 1"):
        InstallationSecrets.open(kms, b"\x01" + kms.encrypt(text.encode(), CONTEXT))


def test_another_purpose_does_not_open(kms):
    with pytest.raises(Undecryptable):
        InstallationSecrets.open(kms, b"\x01" + kms.encrypt(b"{}", {"purpose": "tenant-keyset"}))
