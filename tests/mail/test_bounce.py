"""A bounce says of whom it is, whether it is for good and whether the address is bad; all else is told apart."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mail.bounces import dsn, group, plain

from troth.mail.bounce import Bounced, Reading, read
from troth.mail.parts import read as read_parts
from troth.mail.reply import Failure

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"


def rows(corpus):
    """Expected rows by file, byte-identical samples once."""
    if not (CORPORA / corpus).exists():
        pytest.skip("the shared corpora are not here")
    found = {}
    with (CORPORA / corpus / "expected.csv").open() as file:
        for row in csv.DictReader(file):
            if not row.get("duplicate_of"):
                found.setdefault(row["file"], []).append(row)
    return found


def kinds(row):
    """The verdicts that count as right: either table's, where the two differ."""
    other = row["ruby_table_differs"]
    return {row["verdict"]} | ({"hard" if other.endswith("True") else "soft"} if other else set())


def test_verdicts_on_the_collection_of_sisimai_and_no_address_condemned_that_is_good():
    right = wrong = good = bad = 0
    for file, expected in rows("bounce-sisimai").items():
        told = {one.recipient.lower(): one for one in read((CORPORA / "bounce-sisimai" / file).read_bytes()).recipients}
        for row in expected:
            one = told.get(row["recipient"].lower()) or next(iter(told.values()), Bounced(""))
            right, wrong = right + (one.kind in kinds(row)), wrong + (one.kind not in kinds(row))
            if one.address_bad:
                good, bad = good + ("hard" in kinds(row)), bad + ("hard" not in kinds(row))
    assert right / (right + wrong) >= 0.98, (right, wrong)
    assert good / (good + bad) >= 0.98, (good, bad)


def test_recipients_on_the_collection_of_flufl():
    expected = rows("bounce-flufl")
    found = total = 0
    for file, lines in expected.items():
        told = {one.recipient.lower() for one in read((CORPORA / "bounce-flufl" / file).read_bytes()).recipients}
        wanted = [row["recipient"].lower() for row in lines if row["recipient"]]
        total, found = total + len(wanted), found + sum(one in told for one in wanted)
    assert found / total >= 0.95, (found, total)


def test_what_is_no_bounce_in_the_collections_says_so():
    rows("bounce-sisimai")
    letters = [*(CORPORA / "bounce-sisimai" / "not-bounce").iterdir(), *(CORPORA / "mime").rglob("plain_emails/*.eml")]
    assert {read(path.read_bytes()).verdict for path in letters if path.is_file()} == {"none"}


def test_a_standard_notification():
    reading = read(
        dsn(group("smtp; 550 5.1.1 <ann@example.net>: User unknown", "5.1.1", more="Remote-MTA: dns; mx2.example"))
    )
    assert (reading.verdict, reading.message_id) == ("bounce", "<m1@ours.example>")
    assert reading.returned is not None
    assert reading.recipients == (
        Bounced("ann@example.net", "", "failed", True, True, "hard", "5.1.1", 550, "user-unknown",
                "550 5.1.1 <ann@example.net>: User unknown", "mx2.example", "status"),)  # fmt: skip
    assert reading.recipients[0].failure == Failure("hard", True, True, "", "bounce:status")
    assert read(read_parts(dsn(group("smtp; 550 5.1.1 x", "5.1.1")))).recipients[0].kind == "hard"


def test_each_recipient_has_its_own_verdict_and_action():
    reading = read(dsn(
        group("smtp; 550 5.1.1 User unknown", "5.1.1"),
        group("smtp; 452 4.2.2 Mailbox full", "4.2.2", "delayed", "rfc822; bob@example.net"),
        group("", "2.0.0", "relayed", "rfc822; cat@example.net"),
        group("", "2.0.0", "delivered", "rfc822; dan@example.net"),
    ))  # fmt: skip
    assert reading.verdict == "bounce"
    assert [(one.recipient[:3], one.action, one.kind, one.permanent, one.klass) for one in reading.recipients] == [
        ("ann", "failed", "hard", True, "user-unknown"), ("bob", "delayed", "soft", False, "full"),
        ("cat", "relayed", "none", False, ""), ("dan", "delivered", "none", False, "")]  # fmt: skip
    assert reading.recipients[1].failure == Failure("mailbox", False, False, "full", "bounce:status")
    assert reading.recipients[2].failure is None


@pytest.mark.parametrize(("letter", "verdict"), [
    (dsn(group("", "2.0.0", "delivered")), "delivered"),
    (dsn(group("", "4.4.7", "delayed")), "delay"),
    (dsn(group("", "4.4.7", ""), subject="Warning: message still delayed"), "delay"),
    (dsn(group("", "5.4.7", "")), "bounce"),
    ((b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n"
      b"Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n\n--b--"), "feedback"),
    (plain("I am away until Monday.", "Out of office: hello", "Ann <ann@example.net>"), "auto-reply"),
    (plain("I am away.", "Re: hello", "ann@example.net", "Auto-Submitted: auto-replied\n"), "auto-reply"),
    (plain("I am away.", "Re: hello", "ann@example.net", "X-Autoreply: yes\n"), "auto-reply"),
    (plain("I am away.", "Re: hello", "ann@example.net", "Precedence: auto_reply\n"), "auto-reply"),
    (plain("Please click the link below to have your message delivered.", "Re: hello", "ann@example.net"), "challenge"),
    (plain("See you tomorrow.", "Lunch", "Ann <ann@example.net>"), "none"),
    (plain("Your message could not be delivered, said my postman.", "Lunch", "Ann <ann@example.net>"), "none"),
    (plain("Nobody is named here.", "failure notice"), "none"),
    (b"", "none"), (b"\xff\xfe", "none"),
])  # fmt: skip
def test_what_sort_of_letter_it_is(letter, verdict):
    assert read(letter).verdict == verdict


SORRY = "Hi. This is the qmail-send program at mx.example.\nI wasn't able to deliver your message.\n\n"
COPY = "\n--- Below this line is a copy of the message.\n\nReturn-Path: <s@ours.example>\nTo: ann@example.net\nMessage-Id: <m2@ours.example>\n"


@pytest.mark.parametrize(("letter", "recipients", "kind", "klass"), [
    (plain(SORRY + "<ann@example.net>:\nRemote host does not like recipient.\nRemote host said: 550 no such user\n" + COPY),
     ["ann@example.net"], "hard", "user-unknown"),
    (plain(SORRY + "<ann@example.net>:\nSorry, no mailbox here by that name. (#5.1.1)\n" + COPY), ["ann@example.net"], "hard", "user-unknown"),
    (plain("Undeliverable: ann@example.net\nThe account is over quota."), ["ann@example.net"], "soft", "full"),
    (plain("Your message did not reach\n  a@x.example on Mon, 1 Jan\n    The recipient name is not recognized\n"
           "  b@x.example on Mon, 1 Jan\n    The recipient name is not recognized\n"), ["a@x.example", "b@x.example"], "hard", "user-unknown"),
    (plain("Failed.", more="X-Failed-Recipients: a@x.example, b@x.example\n"), ["a@x.example", "b@x.example"], "soft", "unclear"),
    (plain("Your mail to the following recipients could not be delivered:\n\tscreenname\n", sender="MAILER-DAEMON@aol.example"),
     ["screenname@aol.example"], "soft", "unclear"),
    (plain("The message could not be delivered.\n" + COPY), ["ann@example.net"], "soft", "unclear"),
    (plain("The user ann@example.net is mentioned. Delivery failed. We are not at all sure why ann@example.net and "
           "bob@example.net failed.\n" + COPY), ["ann@example.net"], "soft", "unclear"),
    (plain('Delivery failed: see "x y"@example.net for it'), ['"x y"@example.net'], "soft", "unclear"),
    (plain("You are not a member of this mailing list <list@x.example>.", "Not allowed", "list-admin@x.example"),
     ["list@x.example"], "soft", "policy"),
    (plain("Delivery failed.\nFor help contact\nhelp@x.example\n\n<ann@example.net>:\nhost not found\n"), ["ann@example.net"], "hard", "host-unknown"),
    (plain("Failed recipient: ann@example.net\nmail from: sender@ours.example\nsupport@x.example said so"), ["ann@example.net"], "soft", "unclear"),
    (plain("Delivery failed for us:\n1. ann@example.net <ann@example.net>: unknown host\n(expanded from: <list@x.example>)\n"),
     ["ann@example.net"], "hard", "host-unknown"),
    (plain("  To: ann@example.net\nwas not delivered, quota exceeded", "Returned mail"), ["ann@example.net"], "soft", "full"),
    (plain("<sender@ours.example>: 552 mailbox full", "Returned mail"), ["sender@ours.example"], "soft", "full"),
])  # fmt: skip
def test_prose_names_recipients_and_reasons(letter, recipients, kind, klass):
    reading = read(letter)
    assert [one.recipient for one in reading.recipients] == recipients
    assert {(one.kind, one.klass) for one in reading.recipients} == {(kind, klass)}
    assert all(one.permanent for one in reading.recipients)


def test_a_delay_in_prose_is_not_for_good():
    reading = read(
        plain("Your message to ann@example.net has not yet been delivered: 450 try again", "Warning: delayed")
    )
    one = reading.recipients[0]
    assert (reading.verdict, one.action, one.permanent, one.kind, one.address_bad) == (
        "delay",
        "delayed",
        False,
        "soft",
        False,
    )


@pytest.mark.parametrize(
    "words_",
    ["THIS IS A WARNING MESSAGE ONLY", "could not send message for past 4 hours", "We will retry for 47 hours"],
)
def test_warnings_in_prose_are_delays(words_):
    reading = read(plain(f"** {words_} **\n\nDelivery to ann@example.net failed so far: mailbox full"))
    assert [(one.recipient, one.kind, one.permanent) for one in reading.recipients] == [
        ("ann@example.net", "soft", False)
    ]


def test_the_message_returned_is_named_wherever_its_identifier_stands():
    assert read(plain(SORRY + "<ann@example.net>:\nfull\n" + COPY)).message_id == "<m2@ours.example>"
    assert (
        read(plain("Failed: ann@example.net\nMessage-ID: <m3@ours.example> was not delivered")).message_id
        == "<m3@ours.example>"
    )
    assert read(plain("Failed: ann@example.net")).message_id == ""


def test_fields_without_a_mime_part_and_a_body_that_nothing_announces():
    flat = plain(
        "Delivery failed.\n\nTechnical report:\n\n  Final-Recipient: rfc822; ann@example.net\n  Action: failed\n  Status: 5.2.2\n"
    )
    assert [(one.recipient, one.klass) for one in read(flat).recipients] == [("ann@example.net", "full")]
    whole = dsn(group("smtp; 550 5.1.1 User unknown", "5.1.1"))
    hidden = plain("This is a MIME-encapsulated message\n\n" + whole.partition(b"\n\n")[2].decode())
    reading = read(hidden)
    assert [(one.recipient, one.kind) for one in reading.recipients] == [("ann@example.net", "hard")]
    assert reading.message_id == "<m1@ours.example>"
    assert (
        read(plain("Delivery failed: ann@example.net\n\n--x\nContent-Type: text/plain")).recipients[0].recipient
        == "ann@example.net"
    )


def test_a_bounce_of_a_bounce_is_read_inside():
    inner = dsn(group("smtp; 550 5.1.1 User unknown", "5.1.1")).decode()
    outer = plain("Delivery failed.\n\n----- Original message -----\n" + inner)
    assert [one.recipient for one in read(outer).recipients] == ["ann@example.net"]
    vain = plain("Delivery failed.\n\n----- Original message -----\nFrom: x@y.example\nTo: ann@example.net\n\nhello")
    assert [one.recipient for one in read(vain).recipients] == ["ann@example.net"]


def test_html_alone_is_read_as_lines():
    letter = plain("", more="Content-Type: text/html\n").replace(b"\n\n", b"\n") + (
        b"\n<html><head><title>no@where.example</title></head><script>x@y.example</script><p>Delivery failed:</p><div>"
        b"&lt;ann@example.net&gt;:</div><br>user&nbsp;mailbox is full<!-- c@d.example --></html>")  # fmt: skip
    assert [(one.recipient, one.klass) for one in read(letter).recipients] == [("ann@example.net", "full")]


def test_an_attached_text_says_nothing():
    letter = (b"From: MAILER-DAEMON@x\nSubject: failure notice\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n"
              b"<ann@example.net>: mailbox full\n--b\nContent-Disposition: attachment\n\n<bob@example.net>:\n--b--")  # fmt: skip
    assert [one.recipient for one in read(letter).recipients] == ["ann@example.net"]


@pytest.mark.parametrize(("fields", "recipient", "original"), [
    ("Final-Recipient: RFC822; <ann@example.net>", "ann@example.net", ""),
    ("Original-Recipient: rfc822;ann@example.net", "ann@example.net", "ann@example.net"),
    ("X-Actual-Recipient: rfc822; ann@example.net", "ann@example.net", ""),
    ("Final-Recipient: ann@example.net", "ann@example.net", ""),
    ("Final-Recipient: x400; /S=ann/\nOriginal-Recipient: rfc822; ann@example.net", "ann@example.net", "ann@example.net"),
    ("Final-Recipient: x400; /RFC-822=ann(a)example.net/C=WW/", "ann@example.net", ""),
    ("Final-Recipient: rfc822; IMCEASMTP-ann+40example+2Enet@x.example", "ann@example.net", ""),
    ("Final-Recipient: rfc822; IMCEAEX-_O=X@x.example", "IMCEAEX-_O=X@x.example", ""),
    ("Final-Recipient: rfc822; IMCEANOTES-a+40b+40c@x.example", "a@b", ""),
    ("Final-Recipient: utf-8; j\\x{F6}rg@example.net", "jörg@example.net", ""),
    ("Final-Recipient: utf-8; a\\x{D800}\\x{FFFFFF}@example.net", "a��@example.net", ""),
])  # fmt: skip
def test_recipients_as_fields_write_them(fields, recipient, original):
    one = read(dsn(f"{fields}\nAction: failed\nStatus: 5.1.1")).recipients[0]
    assert (one.recipient, one.original_recipient) == (recipient, original)


def test_fields_out_of_order_without_empty_lines_and_in_number():
    crowd = "\n".join(f"Final-Recipient: rfc822; a{n}@example.net\nAction: failed" for n in range(500))
    assert len(read(dsn(crowd)).recipients) == 100
    apart = read(dsn("Final-Recipient: rfc822; ann@example.net\n\nAction: failed\nStatus: 5.2.2"))
    assert [(one.recipient, one.klass) for one in apart.recipients] == [("ann@example.net", "full")]
    original = dsn(
        group(more="Original-Recipient: rfc822; old@example.net"),
        text="Recipient address: ann@example.net\nOriginal address: old@example.net",
    )
    assert read(original).recipients[0].recipient == "old@example.net"
    assert read(dsn(group("x400; text", more="X400-Supplementary-Info: mailbox full"))).recipients[0].klass == "full"


def notification(**event):
    return plain(
        json.dumps({"Type": "Notification", "Message": json.dumps(event)}),
        "AWS Notification Message",
        "no-reply@sns.example",
    )


def test_bounces_told_in_json():
    bounced = {"emailAddress": "ann@example.net", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
    reading = read(notification(notificationType="Bounce", bounce={"bouncedRecipients": [bounced, "nonsense"]}))
    assert [(one.recipient, one.kind, one.diagnostic) for one in reading.recipients] == [
        ("ann@example.net", "hard", "550 5.1.1 user unknown")]  # fmt: skip
    assert (
        read(notification(notificationType="Delivery", delivery={"recipients": ["ann@example.net"]})).verdict
        == "delivered"
    )
    late = {"delayedRecipients": [{"emailAddress": "ann@example.net", "status": "4.2.2"}]}
    assert read(notification(eventType="DeliveryDelay", deliveryDelay=late)).verdict == "delay"
    bare = json.dumps({"eventType": "Bounce", "bounce": {"bouncedRecipients": [bounced]}})
    assert read(plain(bare, "x", "a@b.example")).recipients[0].kind == "hard"
    for text in (
        "notificationType {",
        "notificationType {[",
        'notificationType {"a":' + "[" * 100_000,
        "notificationType",
        "[]notificationType {}",
    ):
        assert read(plain(text, "x", "a@b.example")).verdict == "none"


words = st.sampled_from([
    "550 ", "5.1.1 ", "user unknown", "mailbox full", "<ann@example.net>", "ann@example.net", ":", "\n", "\n\n", "--b\n", "--b--",
    "Content-Type: message/delivery-status\n\n", "Content-Type: message/rfc822\n\n", "Final-Recipient: rfc822; ", "Action: ", "failed",
    "delayed", "Status: ", "Diagnostic-Code: smtp; ", "From: MAILER-DAEMON\n", "Subject: failure notice\n", "X-Failed-Recipients: ",
    "Received: x\n", "----- Original message -----\n", "Content-Type: multipart/report; boundary=b\n", "Content-Type: text/html\n", "<p>", "&#x",
    '{"notificationType":', '"', "\\x{", "IMCEA", "in reply to RCPT TO", ">>> RCPT TO:<a@b>\n<<< ", " ", "ä",
])  # fmt: skip


@given(st.lists(words | st.text(max_size=6), max_size=50).map("".join), st.binary(max_size=20))
def test_any_letter_is_read_and_condemns_only_what_failed(text, octets):
    reading = read(text.encode("utf-8", "surrogatepass") + octets)
    assert isinstance(reading, Reading)
    for one in reading.recipients:
        assert one.kind in ("hard", "soft", "none")
        assert one.address_bad == (one.kind == "hard")
        assert not one.address_bad or (one.permanent and one.action == "failed")
        assert (one.failure is None) == (one.kind == "none")
