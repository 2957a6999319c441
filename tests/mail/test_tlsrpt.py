"""An SMTP TLS report (RFC 8460) is read whole, and whatever is none is told apart in a closed word."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.dmarc import tls

from troth.mail import tlsrpt
from troth.mail.dmarc_words import Unreadable

WORDS = {"empty", "large", "many", "json", "not-a-report", "no-dates", "no-reporter", "incomplete"}
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8,
)  # fmt: skip


def fate(act):
    try:
        act()
    except Unreadable as found:
        return found.word
    return None


def fault(octets):
    with pytest.raises(Unreadable) as raised:
        tlsrpt.read(octets)
    assert str(raised.value).endswith(".")
    return raised.value.word


def test_a_report_comes_out_as_it_was_said():
    found = tlsrpt.read(tls())
    (policy,) = found.policies
    assert (found.organization_name, found.report_id, policy.policy_domain) == ("Receiver Inc", "t-1", "example.com")
    assert (policy.total_successful_session_count, policy.total_failure_session_count) == (40, 2)
    (failure,) = policy.failure_details
    assert (failure.result_type, failure.sending_mta_ip, failure.failed_session_count) == (
        "certificate-expired", "192.0.2.9", 2)  # fmt: skip


def test_what_reporters_do_wrong_is_taken():
    given_ = json.loads(tls())
    given_["organization-name"] = ""
    policy = given_["policies"][0]
    policy["policy"] = {"policy-type": "STS", "mx-host": "mx.example.com", "policy-string": [1, None]}
    policy["summary"] = {"total-successful-session-count": "7", "total-failure-session-count": True}
    policy["failure-details"] = [3, {"additional-info-uri": "u", "failed-session-count": 10**400}]
    given_["policies"].append("what")
    found = tlsrpt.read(b"\xef\xbb\xbf" + json.dumps(given_).encode())
    first = found.policies[0]
    assert (found.organization_name, first.policy_type, first.mx_host) == ("receiver.test", "sts", ("mx.example.com",))
    assert (first.policy_string, first.total_successful_session_count) == (("1", ""), 7)
    assert (first.total_failure_session_count, first.failure_details[1].additional_information) == (0, "u")


def test_what_is_over_the_most_is_counted():
    given_ = json.loads(tls())
    given_["policies"][0]["failure-details"] *= 5_003
    given_["policies"] += [{}] * 1_000
    found = tlsrpt.read(json.dumps(given_).encode())
    assert (len(found.policies), len(found.policies[0].failure_details), found.cut) == (1_000, 5_000, 4)


def test_what_is_no_report_is_told_apart():
    given_ = json.loads(tls())
    assert fault(b"  ") == "empty"
    assert fault(b"{" + b" " * tlsrpt.SIZE + b"}") == "large"
    assert fault(b"[" * 30_000) == "many"
    assert fault(b"[" + b"1," * 300_000 + b"1]") == "many"
    assert fault(b'{"a":' * 10_000 + b"1" + b"}" * 10_000) == "json"
    assert fault(b"{nothing}") == "json"
    assert fault(b"[]") == "not-a-report"
    assert fault(b'{"a": 1}') == "not-a-report"
    assert fault(json.dumps({**given_, "policies": {}}).encode()) == "incomplete"
    assert fault(json.dumps({**given_, "date-range": 3}).encode()) == "no-dates"
    assert fault(json.dumps({**given_, "organization-name": "", "contact-info": ""}).encode()) == "no-reporter"


@given(st.binary(max_size=200) | JSONS.map(lambda any_: json.dumps({**json.loads(tls()), "policies": any_}).encode()))
def test_any_octets_are_a_report_or_a_closed_word(octets):
    word = fate(lambda: tlsrpt.read(octets))
    assert word is None or word in WORDS
