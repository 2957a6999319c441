"""Feedback: long runs of one thing, wherever a stranger may put them, are read in time that grows with them alone."""

import base64
import json
import time

import pytest
from scripts.fuzz_parsers import PARSERS, RUNS

from troth.mail.dmarc_words import Unreadable
from troth.mail.feedback_report import reports
from troth.mail.relay_json import BodyError
from troth.mail.relay_sns import SnsError

LONG = 131_072  # octets
MOST = 1.0  # seconds of the processor: what is quadratic takes minutes
HEAD = b"From: MAILER-DAEMON@x.example\r\nSubject: Undelivered mail; spam report\r\n"
REPORT = b"From: f@x.example\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nspam\r\n--b\r\nContent-Type: message/"


def in_text(run):
    return HEAD + b"\r\nThis spam report could not be delivered to <a@b.example>:\r\n" + run + b"z\r\n"


def in_base64(run):
    words = base64.encodebytes(b"spam report, failed: " + run)
    return HEAD + b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n" + words


def in_fields(run):
    return b"Subject: " + run + b"\r\nFrom: " + run + b"\r\nTo: " + run + b"\r\nContent-Type: " + run + b"\r\n\r\nx"


def in_status(run):
    told = b"Final-Recipient: rfc822; " + run + b"\r\nAction: failed\r\nDiagnostic-Code: smtp; " + run + b"\r\n" + run
    return REPORT + b"delivery-status\r\n\r\n" + told + b"\r\n--b--\r\n"


def in_front(run):
    told = b"Final-Recipient: rfc822; a@b.example\r\nOriginal-Recipient: rfc822; a@b.example\r\nAction: failed\r\n"
    said = run + b"\r\n<a@b.example>: 550 Unknown user\r\n" + run
    status = b"--b\r\nContent-Type: message/delivery-status\r\n\r\n" + told
    return REPORT.partition(b"spam")[0] + said + b"\r\n" + status + b"\r\n--b--\r\n"


def in_feedback(run):
    told = b"Feedback-Type: abuse\r\nUser-Agent: " + run + b"\r\nOriginal-Rcpt-To: " + run + b"\r\nArrival-Date: " + run
    return REPORT + b"feedback-report\r\n\r\n" + told + b"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + run


def in_document(run):
    return b"<feedback>" + run + b"<report_metadata><org_name>" + run + b"</org_name></report_metadata><record " + run


def in_call(run):
    word = run.decode()
    status = {"message": word, "code": 550}
    event = {"event": "failed", "recipient": word, "reason": word, "delivery-status": status}
    bounced = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": word, "diagnosticCode": word}]}
    sns = {"Type": "Notification", "Message": word, "MessageId": "a", "Timestamp": word, "SigningCertURL": word}
    signed = {"timestamp": word, "token": "a", "signature": "b"}
    return json.dumps(
        {"event-data": event, "signature": signed, "eventType": "Bounce", "bounce": bounced, **sns}
    ).encode()


PLACES = (in_text, in_base64, in_fields, in_status, in_front, in_feedback, in_document, in_call)


def seconds(read, octets):
    begun = time.process_time()
    try:
        read(octets)
    except (Unreadable, BodyError, SnsError):
        pass
    return time.process_time() - begun


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("name", list(PARSERS))
def test_no_run_takes_long(name, place):
    slow = {run: taken for run in RUNS if (taken := seconds(PARSERS[name], place(run * (LONG // len(run))))) > MOST}
    assert slow == {}


def test_sixteen_kilobytes_of_blanks_hold_nobody_up():
    assert seconds(reports, in_base64(b" " * 12_000)) < 0.5
