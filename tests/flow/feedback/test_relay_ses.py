"""SES through SNS: what a topic of ours says, signed by SNS's own certificate, ends as the right state, once; all else
changes nothing, and nothing is asked of anybody for it.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.flow.feedback.relaying import sns, told
from tests.flow.feedback.telling import ANN
from tests.flow.feedback.test_relay_mailgun import refused
from tests.support import relay

from troth.rules.states import Kind, State

__all__ = ["sns", "told"]

PEM = "/SimpleNotificationService-abc.pem"
DELIVERY = {"eventType": "Delivery", "delivery": {"recipients": [ANN], "smtpResponse": "250 ok"}}
OPEN = {"eventType": "Open", "open": {"ipAddress": "192.0.2.1"}}


def bounce(kind, sub, status="", diagnostic=""):
    recipient = {
        "emailAddress": ANN,
        **({"status": status, "action": "failed", "diagnosticCode": diagnostic} if status else {}),
    }
    return {"notificationType": "Bounce",
            "bounce": {"bounceType": kind, "bounceSubType": sub, "bouncedRecipients": [recipient], "feedbackId": "fb-1"}}  # fmt: skip


GONE = bounce("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown")


@pytest.mark.parametrize(
    ("event", "state", "suppressed"),
    [
        (DELIVERY, State.DELIVERED, []),
        (GONE, State.BOUNCED, [1]),
        (bounce("Permanent", "Suppressed"), State.BOUNCED, [1]),
        (bounce("Permanent", "OnAccountSuppressionList"), State.BOUNCED, [1]),
        (bounce("Permanent", "General"), State.BOUNCED, []),
        (bounce("Permanent", "General", "5.7.1", "smtp; 550 5.7.1 blocked for spam"), State.BOUNCED, []),
        (bounce("Transient", "MailboxFull", "5.2.2", "smtp; 552 5.2.2 full"), State.DEFERRED, []),
        (bounce("Transient", "General"), State.SENT, []),
        (bounce("Transient", "MessageTooLarge"), State.BOUNCED, []),
        (bounce("Transient", "ContentRejected"), State.BOUNCED, []),
        (bounce("Undetermined", "Undetermined"), State.SENT, []),
        ({"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "MailboxFull"}}, State.SENT, []),
        ({"eventType": "Reject", "reject": {"reason": "Bad content"}}, State.BOUNCED, []),
        ({"eventType": "Rendering Failure", "failure": {"errorMessage": "no x"}}, State.BOUNCED, []),
        ({"eventType": "Complaint", "complaint": {"complaintSubType": "OnAccountSuppressionList"}}, State.BOUNCED, [2]),
        ({"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}}, State.SENT, []),
        ({"eventType": "Send", "send": {}}, State.SENT, []),
        (OPEN, State.SENT, []),
        ({"notificationType": "Received", "receipt": {}}, State.SENT, []),
        ({}, State.SENT, []),
    ],
)  # fmt: skip
async def test_each_event_sets_in_motion_what_it_says(told, event, state, suppressed):
    (message,) = await told.sent()
    answer = await told.ses(event, message)
    assert (answer.status_code, answer.json()) == (200, {"status": "taken"})
    assert told.river.state(message) is state
    assert [reason for reason, _ in told.river.suppressed(ANN)] == suppressed


async def test_a_complaint_suppresses_and_is_an_event_once(told):
    (message,) = await told.sent()
    event = {"notificationType": "Complaint", "complaint": {
        "complainedRecipients": [{"emailAddress": ANN}], "complaintFeedbackType": "abuse", "feedbackId": "c"}}  # fmt: skip
    for _ in range(2):
        assert (await told.ses(event, message)).status_code == 200
    assert told.river.told(message) == [Kind.SENT, Kind.COMPLAINED]
    assert len(told.river.suppressed(ANN)) == 1


async def test_whoever_leaves_by_sess_own_page_has_opted_out(told):
    (message,) = await told.sent()
    event = {"eventType": "Subscription", "subscription": {"newTopicPreferences": {"unsubscribeAll": True}}}
    assert (await told.ses(event, message)).status_code == 200
    assert Kind.UNSUBSCRIBED in told.river.told(message)


@pytest.mark.parametrize("version", ["1", "2"])
async def test_both_versions_of_the_signature_hold_and_the_certificate_is_asked_for_once(told, version):
    (message,) = await told.sent()
    for event in (OPEN, DELIVERY):
        answer = await told.ses(event, message, SignatureVersion=version, Subject="Amazon SES Email Event Notification")
        assert answer.status_code == 200
    assert told.river.state(message) is State.DELIVERED
    assert told.sns.asked == [PEM]


async def test_the_same_bounce_in_two_messages_is_one_event(told):
    (message,) = await told.sent()
    for _ in range(2):
        assert (await told.ses(GONE, message)).status_code == 200
    assert told.river.told(message) == [Kind.SENT, Kind.BOUNCED]


async def test_the_header_and_the_return_path_are_our_token_too(told):
    first, second = await told.sent(ANN, "ben@home.example")
    header = {"headers": [{"name": "X-SES-MESSAGE-TAGS", "value": f"a=b, troth={told.token(first)}"}]}
    assert (await told.ses({**DELIVERY, "mail": header})).status_code == 200
    assert (await told.ses({**DELIVERY, "mail": {"source": f"{told.token(second)}@b.example"}})).status_code == 200
    assert {told.river.state(first), told.river.state(second)} == {State.DELIVERED}
    assert told.counted() == {"delivered": 2}


async def test_without_our_token_nothing_is_changed(told):
    (message,) = await told.sent()
    assert (await told.ses({**GONE, "mail": {"tags": {"troth": ["b" + "a" * 57]}, "source": ANN}})).status_code == 200
    told.untouched(message)
    assert told.counted() == {"no-token": 1}


async def test_plain_words_of_a_topic_are_taken_and_mean_nothing(told):
    answer = await told.post("/hooks/ses", told.sns.message("Successfully validated SNS topic for Amazon SES."))
    assert answer.status_code == 200


# ---- subscriptions


async def test_a_subscription_to_our_topic_is_confirmed_at_sns_once(told):
    body = told.sns.message("You have chosen to subscribe.", kind="SubscriptionConfirmation")
    answer = await told.post("/hooks/ses", body)
    assert (answer.status_code, answer.json()) == (200, {"status": "confirmed"})
    assert [path for path in told.sns.asked if "ConfirmSubscription" in path] != []
    assert told.counted() == {"confirmed": 1}
    await refused(told, await told.post("/hooks/ses", body), "webhook-replayed", 406)


async def test_a_confirmation_that_sns_does_not_take_comes_again(told):
    body = told.sns.message("Subscribe.", kind="SubscriptionConfirmation")
    await told.ses(OPEN)  # the certificate is known
    told.sns.answers = 500
    await refused(told, await told.post("/hooks/ses", body), "webhook-unverifiable", 503)
    told.sns.answers = 200
    assert (await told.post("/hooks/ses", body)).status_code == 200


@pytest.mark.parametrize(
    "url", ["https://evil.example/?Action=ConfirmSubscription", "http://127.0.0.1/?Action=ConfirmSubscription", "", "https://[x/"]
)  # fmt: skip
async def test_a_subscription_is_confirmed_nowhere_else(told, url):
    body = told.sns.message("Subscribe.", kind="SubscriptionConfirmation", SubscribeURL=url)
    await refused(told, await told.post("/hooks/ses", body), "webhook-foreign", 403)
    assert told.sns.asked == [PEM]


async def test_another_action_at_sns_is_not_asked_for(told):
    url = f"{told.sns.origin}/?Action=DeleteTopic"
    body = told.sns.message("Subscribe.", kind="SubscriptionConfirmation", SubscribeURL=url)
    await refused(told, await told.post("/hooks/ses", body), "webhook-foreign", 403)


async def test_a_goodbye_is_taken_and_changes_nothing(told):
    body = told.sns.message("You have chosen to leave.", kind="UnsubscribeConfirmation")
    assert (await told.post("/hooks/ses", body)).status_code == 200
    assert told.sns.asked == [PEM]


# ---- refused


async def test_another_topic_is_refused_and_nothing_is_asked(told):
    for topic in (relay.TOPIC + "x", "", "arn:aws:sns:eu-west-1:999999999999:mail"):
        body = told.sns.message(GONE, TopicArn=topic)
        await refused(told, await told.post("/hooks/ses", body), "webhook-foreign", 403)
    assert told.sns.asked == []


@pytest.mark.parametrize(
    "url", ["https://evil.example/SimpleNotificationService-abc.pem", "{o}/a.txt", "{o}/a.pem?x=1", "{o}/../a.pem", "http://169.254.169.254/a.pem"]
)  # fmt: skip
async def test_a_certificate_from_elsewhere_is_refused_and_nothing_is_asked(told, url):
    body = told.sns.message(GONE, SigningCertURL=url.replace("{o}", told.sns.origin))
    await refused(told, await told.post("/hooks/ses", body), "webhook-foreign", 403)
    assert told.sns.asked == []


async def test_what_was_changed_after_signing_is_refused(told):
    (message,) = await told.sent()
    good = json.loads(told.sns.message({**GONE, "mail": {"tags": {"troth": [told.token(message)]}}}))
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for change in (
        {"Message": good["Message"].replace("5.1.1", "5.1.2")}, {"MessageId": "x"}, {"Signature": ""},
        {"Signature": "AAAA"}, {"Signature": "ü"}, {"SignatureVersion": "3"}, {"SignatureVersion": "1"},
        {"Subject": "put in"}, {"Timestamp": datetime.now(UTC).isoformat()},
        {"Signature": told.sns.sign(good, other)},
    ):  # fmt: skip
        answer = await told.post("/hooks/ses", json.dumps({**good, **change}).encode())
        await refused(told, answer, "webhook-forged", 403)
    told.untouched(message)
    assert (await told.post("/hooks/ses", json.dumps(good).encode())).status_code == 200


@pytest.mark.parametrize("pem", ["name", "ended", "curve", "text", "plain-name"])
async def test_a_certificate_that_is_not_sns_s_is_refused(told, pem):
    told.sns.pems[PEM] = {
        "name": relay.certificate("sns.evil.example"), "ended": relay.certificate(ended=True),
        "curve": relay.certificate(key=relay.EC_KEY), "text": b"-----BEGIN CERTIFICATE-----",
        "plain-name": relay.certificate("evil.example", plain=True),
    }[pem]  # fmt: skip
    await refused(told, await told.ses(GONE), "webhook-forged", 403)


async def test_an_old_certificate_names_sns_by_its_common_name(told):
    told.sns.pems[PEM] = relay.certificate(plain=True)
    assert (await told.ses(OPEN)).status_code == 200


@pytest.mark.parametrize("answers", [404, 500])
async def test_a_certificate_that_is_not_there_is_to_be_tried_again_and_is_not_asked_for_at_each(told, answers):
    told.sns.answers = answers
    for _ in range(3):
        await refused(told, await told.ses(GONE), "webhook-unverifiable", 503)
    assert told.sns.asked == [PEM]


async def test_a_certificate_of_an_address_that_says_nothing_is_to_be_tried_again(told):
    told.sns.stop()
    await refused(told, await told.ses(GONE), "webhook-unverifiable", 503)


async def test_an_old_message_is_refused_and_one_of_the_future(told):
    (message,) = await told.sent()
    for hours in (-2, 1, -24 * 365):
        answer = await told.ses(GONE, message, at=datetime.now(UTC) + timedelta(hours=hours))
        await refused(told, answer, "webhook-old", 403)
    told.untouched(message)


async def test_a_replay_is_refused(told):
    (message,) = await told.sent()
    body = told.sns.message({**GONE, "mail": {"tags": {"troth": [told.token(message)]}}})
    assert (await told.post("/hooks/ses", body)).status_code == 200
    await refused(told, await told.post("/hooks/ses", body), "webhook-replayed", 406)
    assert told.river.told(message) == [Kind.SENT, Kind.BOUNCED]


async def test_raw_delivery_is_not_trusted(told):
    (message,) = await told.sent()
    raw = json.dumps({**GONE, "mail": {"tags": {"troth": [told.token(message)]}}}).encode()
    answer = await told.post("/hooks/ses", raw)
    await refused(told, answer, "webhook-unreadable", 406)
    assert "raw message delivery off" in answer.json()["detail"]
    told.untouched(message)


@pytest.mark.parametrize(
    "change", [{"Timestamp": "now"}, {"MessageId": ""}, {"Message": ""}, {"Timestamp": "2026-11-22T10:00:00"}]
)
async def test_what_is_no_message_of_sns_is_refused(told, change):
    body = json.dumps({**json.loads(told.sns.message(GONE)), **change}).encode()
    await refused(told, await told.post("/hooks/ses", body), "webhook-unreadable", 406)
    await refused(told, await told.post("/hooks/ses", b"no"), "webhook-unreadable", 406)


async def test_without_topics_none_is_taken(told):
    object.__setattr__(told.relays, "topics", frozenset())
    await refused(told, await told.ses(GONE), "not-found", 404)


def forged(told, name, **change):
    """Of our topic, and nobody's signature."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    url = f"{told.sns.origin}/SimpleNotificationService-{name}.pem"
    return json.dumps({
        "Type": "Notification", "MessageId": name, "TopicArn": relay.TOPIC, "Message": "x", "Timestamp": now,
        "SignatureVersion": "2", "SigningCertURL": url, "Signature": "AAAA", **change,
    }).encode()  # fmt: skip


async def test_an_old_message_has_nothing_fetched(told):
    old = forged(told, "0a", Timestamp="2001-01-01T00:00:00Z")
    assert (await told.post("/hooks/ses", old)).json()["code"] == "webhook-old"
    assert told.sns.asked == []


async def test_a_flood_of_names_has_little_fetched_and_puts_nothing_out(told):
    (message,) = await told.sent()
    assert (await told.ses(DELIVERY, message)).status_code == 200
    for n in range(80):
        assert (await told.post("/hooks/ses", forged(told, f"{n:040x}"))).status_code == 503
    assert len(told.sns.asked) <= 6
    told.relays.sns._failed.clear()
    assert (await told.ses(OPEN, message, MessageId="another")).status_code == 200  # with what is known
    assert len(told.sns.asked) <= 6


async def test_sns_that_is_slow_holds_no_call_of_the_other_relay_up(told):
    (message,) = await told.sent()
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        async def page(self, *_asked):
            begun.set()
            await go_on.wait()
            raise TimeoutError

    told.relays.sns.client = Slow()
    waiting = [asyncio.ensure_future(told.post("/hooks/ses", forged(told, f"{n:040x}"))) for n in range(20)]
    await begun.wait()
    delivered = {"event": "delivered", "id": "x", "timestamp": 1.0, "recipient": ANN}
    answer = await asyncio.wait_for(told.mailgun(delivered, message), 10)
    assert answer.status_code == 200
    go_on.set()
    assert {one.status_code for one in await asyncio.gather(*waiting)} == {503}
