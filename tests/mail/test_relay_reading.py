"""What a relay may say, and what a stranger may put in its place: nothing is raised, and nothing is condemned by doubt."""

import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail import relay_mailgun, relay_ses, relay_sns
from troth.mail.relay_facts import Fact, Listed, Reason, Word, failure, texts
from troth.mail.relay_form import Fields
from troth.mail.relay_header import RelayHeader
from troth.mail.relay_json import BodyError, read_object
from troth.mail.relay_sns import SnsError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4), max_leaves=12,
)  # fmt: skip
NAMES = st.sampled_from([
    "event", "severity", "reason", "recipient", "delivery-status", "code", "message", "user-variables", "headers", "tags",
    "id", "timestamp", "envelope", "sender", "eventType", "notificationType", "bounce", "mail", "bouncedRecipients",
    "bounceType", "bounceSubType", "complaint", "delivery", "destination", "deliveryDelay", "subscription", "failure",
    "newTopicPreferences", "source", "reject", "client-info", "description",
])  # fmt: skip
VALUES = JSON | st.sampled_from(
    ["failed", "Bounce", "Permanent", "Complaint", "Delivery", "complained", "temporary", "old"]
)
EVENTS = st.dictionaries(
    NAMES, VALUES | st.dictionaries(NAMES, VALUES | st.lists(st.dictionaries(NAMES, VALUES)), max_size=5), max_size=8
)


@given(EVENTS)
def test_whatever_an_event_is_it_is_read(event):
    for fact in (relay_mailgun.fact(event), *relay_ses.facts(event)):
        assert isinstance(fact, Fact)
        assert "\0" not in fact.recipient + fact.response


@given(
    st.binary(max_size=300), st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
)
def test_whatever_a_form_is_it_is_read_or_told(octets, kind):
    with contextlib.suppress(BodyError):
        assert isinstance(relay_mailgun.read_form(kind, octets).fact, Fact)


@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_a_body_is_it_is_read_or_told(octets):
    for read in (relay_mailgun.read_json, relay_sns.read):
        with pytest.raises((BodyError, SnsError)):
            read(octets)


def test_deep_json_is_told():
    nested = "[" * 60 + "]" * 60
    with pytest.raises(BodyError, match="nested deeper"):
        read_object(f'{{"a": {nested}}}'.encode())
    with pytest.raises(BodyError, match="not JSON"):
        read_object(b'{"a": ' + b"[" * 100_000)
    assert read_object(b'{"a": [{"b": [1]}]}') == {"a": [{"b": [1]}]}


@pytest.mark.parametrize(
    ("code", "enhanced", "words", "permanent", "kind", "bad"),
    [
        (550, "", "5.1.1 no such user", True, "hard", True),
        (550, "", "5.1.1 no such user", False, "policy", False),
        (550, "5.1.1", "", True, "hard", True),
        (0, "", "smtp; 550 5.1.1 unknown", True, "hard", True),
        (0, "5.1.1", "", True, "hard", True),
        (0, "4.2.2", "mailbox full", False, "mailbox", False),
        (602, "", "Too old", True, "policy", False),
        (0, "", "", True, "policy", False),
        (0, "", "", False, "connection", False),
        (554, "", "5.7.1 spam", True, "content", False),
        (421, "", "4.7.0 too many connections", False, "rate", False),
    ],
)
def test_a_failure_as_a_relay_passes_it_on(code, enhanced, words, permanent, kind, bad):
    found = failure(code, enhanced, (words,), permanent=permanent)
    assert (found.kind, found.address_bad) == (kind, bad)
    assert permanent or not found.permanent


@pytest.mark.parametrize(
    ("event", "word", "reason", "listed"),
    [
        ({"event": "accepted"}, Word.QUEUED, None, Listed.NO),
        ({"event": "rejected", "reject": {"reason": "x"}}, Word.REJECTED, Reason.OTHER, Listed.NO),
        ({"event": "complained"}, Word.COMPLAINED, Reason.SPAM, Listed.NO),
        ({"event": "stored"}, Word.INBOUND, None, Listed.NO),
        ({"event": "failed", "reason": "espblock"}, Word.BOUNCED, Reason.BLOCKED, Listed.NO),
        ({"event": "failed", "reason": "old"}, Word.BOUNCED, Reason.TIMED_OUT, Listed.NO),
        ({"event": "failed", "reason": "suppress-bounce"}, Word.BOUNCED, Reason.BOUNCED, Listed.BOUNCES),
        ({"event": "failed", "reason": "suppress-complaint"}, Word.BOUNCED, Reason.SPAM, Listed.COMPLAINTS),
        ({"event": "failed", "reason": "suppress-unsubscribe"}, Word.BOUNCED, Reason.UNSUBSCRIBED, Listed.OPT_OUTS),
        ({"event": "failed", "delivery-status": {"code": 605}}, Word.BOUNCED, Reason.BOUNCED, Listed.BOUNCES),
        ({"event": "failed", "severity": "temporary"}, Word.DEFERRED, Reason.OTHER, Listed.NO),
        ({"event": "list_member_uploaded"}, Word.UNKNOWN, None, Listed.NO),
        ({}, Word.UNKNOWN, None, Listed.NO),
    ],
)
def test_the_words_of_mailgun(event, word, reason, listed):
    fact = relay_mailgun.fact(event)
    assert (fact.word, fact.reason, fact.listed) == (word, reason, listed)


@pytest.mark.parametrize(
    ("event", "word"),
    [
        ({"eventType": "Send"}, Word.SENT),
        ({"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "General"}}, Word.DEFERRED),
        ({"eventType": "Subscription", "subscription": {}}, Word.SUBSCRIBED),
        ({"notificationType": "Received"}, Word.INBOUND),
        ({"notificationType": "AmazonSnsSubscriptionSucceeded"}, Word.UNKNOWN),
    ],
)
def test_the_words_of_ses(event, word):
    assert [fact.word for fact in relay_ses.facts(event)] == [word]


def test_one_fact_a_recipient_of_ses():
    event = {"notificationType": "Bounce", "mail": {"destination": ["a@x.example", "b@x.example", "c@x.example"]},
             "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "b@x.example"}, {"emailAddress": "c@x.example"}]}}  # fmt: skip
    assert [fact.recipient for fact in relay_ses.facts(event)] == ["b@x.example", "c@x.example"]
    plain = {"eventType": "Send", "mail": {"destination": ["a@x.example", "b@x.example"]}}
    assert [fact.recipient for fact in relay_ses.facts(plain)] == ["a@x.example", "b@x.example"]


def test_forms_with_files_and_variables():
    body = (b'--b\r\nContent-Disposition: form-data; name="event"\r\n\r\ndelivered\r\n--b\r\n'
            b'Content-Disposition: form-data; name="message-headers"\r\n\r\n'
            b'[["Message-Id", "<1@x.example>"], ["X-Mailgun-Variables", "{\\"troth\\": \\"tok\\"}"], ["X-Mailgun-Tag", "t"], 5]\r\n'
            b'--b\r\nContent-Disposition: form-data; name="message"; filename="m.eml"\r\n\r\nxx\r\n--b\r\nno blank\r\n--b--\r\n')  # fmt: skip
    fact = relay_mailgun.read_form('multipart/form-data; boundary="b"', body).fact
    assert (fact.word, fact.message_id, fact.tokens, fact.tags) == (Word.DELIVERED, "<1@x.example>", ("tok",), ("t",))
    assert relay_mailgun.form_fact(Fields([("body-plain", "hi")])).word is Word.INBOUND
    with pytest.raises(BodyError, match="neither JSON nor a form"):
        Fields.read("text/plain", b"")
    with pytest.raises(BodyError, match="at most"):
        Fields.read("application/x-www-form-urlencoded", b"a=1&" * 600)
    assert Fields([("message-headers", "{")]).message_id() == ""


def test_times_and_texts():
    assert relay_mailgun.fact({"timestamp": "x"}).at is None
    assert relay_mailgun.fact({"timestamp": 1e300}).at is None
    assert relay_ses.moment("2026-11-22T10:00:00") is None
    assert relay_ses.moment("2026-11-22T10:00:00Z") == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert texts(["a", None, True, 3, ""]) == ("a", "3")
    with pytest.raises(ValueError, match="time zone"):
        Fact(Word.SENT, "sent", at=datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is refused


def notice(**change):
    fields = {"Type": "Notification", "MessageId": "m", "Message": "{}", "Timestamp": "2026-11-22T10:00:00Z",
              "TopicArn": "arn:aws:sns:eu-west-1:123456789012:t", "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem", **change}  # fmt: skip
    return relay_sns.read(json.dumps(fields).encode())


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abc.pem",
        "https://SNS.eu-west-1.amazonaws.com:443/SimpleNotificationService-0a.pem",
    ],
)
def test_a_certificate_of_sns_may_be_fetched(url):
    assert relay_sns.certificate_url(notice(SigningCertURL=url)) == url


def test_a_certificate_of_china():
    topic, url = (
        "arn:aws-cn:sns:cn-north-1:123456789012:t",
        "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0a.pem",
    )
    assert relay_sns.certificate_url(notice(TopicArn=topic, SigningCertURL=url)) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem", "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0a.pem", "https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0a.pem", "https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0a.pem", "https://sns.eu-west-1.amazonaws.com/a.txt", "https://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-xyz.pem",
        "https://sns.eu-west-1.amazonaws.com/../x/SimpleNotificationService-0a.pem", "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem#x",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem?x=1", "https://[::1/SimpleNotificationService-0a.pem", "https://x:99999999/SimpleNotificationService-0a.pem", "",
        "https://sns.eu-west-1.amazonaws.com\u3002evil.example/SimpleNotificationService-0a.pem",
    ],
)  # fmt: skip
def test_no_other_place_is_asked(url):
    with pytest.raises(SnsError):
        relay_sns.certificate_url(notice(SigningCertURL=url))


def test_a_subscription_is_confirmed_at_sns_alone():
    good = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=y"
    assert relay_sns.subscribe_url(good) == good
    for wrong in (good.replace("sns.", "evil."), good.replace("Confirm", "Delete"), good.replace("https", "http")):
        with pytest.raises(SnsError):
            relay_sns.subscribe_url(wrong)


def test_the_lines_that_a_relay_wants():
    token = "ba" + "a" * 56
    assert RelayHeader().lines(token) == b""
    lines = RelayHeader("mailgun").lines(token)
    assert json.loads(lines.split(b"\r\n")[0].partition(b": ")[2]) == {"troth": token}
    assert RelayHeader("ses").lines(token) == f"X-SES-MESSAGE-TAGS: troth={token}\r\n".encode()
    assert RelayHeader("ses", "main").lines(token).endswith(b"\r\nX-SES-CONFIGURATION-SET: main\r\n")
    for kind in ("mailgun", "ses"):
        assert all(len(line) < 150 for line in RelayHeader(kind, "x" * 64).lines(token).split(b"\r\n"))
