"""An endpoint's secret, the signatures it makes, and the ids on the wire."""

import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from troth.keys.hook_ids import event_id, event_of
from troth.keys.hook_secret import key_of, make_secret, signed_headers


@given(st.binary(max_size=300), st.lists(st.builds(make_secret), min_size=1, max_size=4))
def test_each_secret_verifies_by_the_standards_own_library(body, secrets):
    body = body.decode("latin-1").encode()
    stamp = int(datetime.now(UTC).timestamp())
    headers = signed_headers(secrets, "evt_a_1", stamp, body)
    assert len(headers["webhook-signature"].split()) == len(secrets)
    for secret in secrets:
        at = datetime.fromtimestamp(stamp, UTC)
        parts = dict(part.split(",") for part in [Webhook(secret).sign("evt_a_1", at, body.decode())])
        assert f"v1,{parts['v1']}" in headers["svix-signature"].split()
    assert len(key_of(secrets[0])) == 32


def test_the_standards_own_example():
    """Standard Webhooks 1.0, the vectors of its libraries' tests."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = signed_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["svix-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["svix-timestamp"] == "1614265330"


@pytest.mark.parametrize("text", ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_*", "whsec_MfKQ9r8GKYqrTwjU*"])
def test_what_is_no_secret_is_refused_without_being_repeated(text):
    with pytest.raises(ValueError, match="not a webhook secret") as refused:
        key_of(text)
    assert base64.b64encode(b"MfKQ") not in str(refused.value).encode()


@given(st.uuids(), st.integers(0, 255), st.text(max_size=60))
def test_an_events_id_names_its_event(message, kind, source):
    name = event_id("a", message, kind, source)
    assert event_of(name) == (message, kind)
    assert name == event_id("a", message, kind, source)
    assert name != event_id("a", message, kind, source + "x")
    assert "." not in name


@pytest.mark.parametrize("text", ["", "evt_a_", "evt_a_" + "0" * 51, "msg_a_" + "0" * 50, "evt_A_" + "0" * 50])
def test_what_is_no_events_id_names_nothing(text):
    assert event_of(text) is None
    assert event_of("evt_a_" + "0" * 50) == (UUID(int=0), 0)
