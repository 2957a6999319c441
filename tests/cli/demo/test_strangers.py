"""What strangers write in the demo is what our own readers take it for, signed as their domains sign."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from tests.support.own_dns import OwnDns

from troth.cli.demo import strangers
from troth.cli.demo.strangers import Signers, Source
from troth.flow.feedback.desks_signed import Signed
from troth.mail import bounce, feedback_report, parts
from troth.mail.address import parse_address
from troth.outside.dkim_verify import Verifier
from troth.outside.dns import Resolver
from troth.outside.reports import read

PATH, TO = "b1@bounce.shop.test", "ann@there.test"
RETURNED = b"From: <shop@shop.test>\r\nMessage-ID: <00ff@shop.test>\r\nSubject: Rent\r\n\r\nPay.\r\n"
DAY = date(2026, 3, 1)
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ABOUT = "shop.test"


@pytest.fixture(scope="module")
def signers():
    return Signers()


def reports():
    sources = (Source("127.0.0.3", 7, "troth1"), Source("192.0.2.66", 3))
    yield strangers.dmarc("dmarc@ours.test", ABOUT, DAY, sources, "reports@there.test")
    yield strangers.tls("tlsrpt@ours.test", ABOUT, DAY, 12, 1, "tlsrpt@there.test")


def letters():
    yield strangers.spam("fbl@there.test", "fbl@ours.test", PATH, RETURNED)
    yield strangers.letter("ann@there.test", "abuse@ours.test", AT, "Is this yours?", "It says so.\r\n", RETURNED)
    yield strangers.letter("ann@there.test", "security@ours.test", AT, "A hole", "It is open.\r\n")
    yield from reports()


@pytest.mark.parametrize("letter", list(letters()), ids=lambda each: each.to)
def test_each_is_signed_by_its_senders_domain(signers, letter):
    server = OwnDns({"there.test": {}})
    name, text = signers.record("there.test")
    server.set(name, "TXT", [text])
    host, port = server.address.rsplit(":", 1)
    octets = signers.sign(letter)
    try:
        looked = Verifier(Resolver([(host, int(port))])).verify(octets, parts.read(octets), datetime.now(UTC))
        (found,) = asyncio.run(looked)
    finally:
        server.stop()
    assert (found.domain, found.why) == ("there.test", "")


@pytest.mark.parametrize(
    ("status", "words", "wanted"),
    [
        ("5.1.1", "550 5.1.1 There is no such mailbox here", (True, True, "hard")),
        ("5.2.2", "552 5.2.2 The mailbox is full", (False, "soft")),
    ],
)
def test_a_notification_is_read_as_what_it_tells(status, words, wanted):
    letter = strangers.not_delivered(PATH, TO, status, words, RETURNED)
    reading = bounce.read(letter.octets)
    (one,) = reading.recipients
    assert (reading.verdict, reading.message_id, one.recipient) == ("bounce", "<00ff@shop.test>", TO)
    assert (one.permanent, one.address_bad, one.kind)[-len(wanted) :] == wanted


def test_a_complaint_gives_the_message_back_and_names_nobody():
    letter = strangers.spam("fbl@there.test", "fbl@ours.test", PATH, RETURNED)
    (one,) = feedback_report.reports(parts.read(letter.octets))
    assert one.feedback_type == "abuse"
    assert one.returned.part.first("subject") == "Rent"
    assert TO.encode() not in letter.octets


def test_reports_are_read_as_they_were_written():
    first, second = (read(letter.octets)[0].report for letter in reports())
    assert [(str(row.source_ip), row.count) for row in first.records] == [("127.0.0.3", 7), ("192.0.2.66", 3)]
    (policy,) = second.policies
    assert (policy.policy_domain, policy.total_successful_session_count) == (ABOUT, 12)
    assert policy.failure_details[0].result_type == "certificate-expired"


def test_a_persons_letter_is_one_that_the_desks_answer(signers):
    server = OwnDns({"there.test": {}})
    name, text = signers.record("there.test")
    server.set(name, "TXT", [text])
    host, port = server.address.rsplit(":", 1)
    octets = signers.sign(strangers.letter("ann@there.test", "security@ours.test", AT, "A hole", "It is open.\r\n"))
    asked = Signed(Verifier(Resolver([(host, int(port))])))
    try:
        sender = parse_address("ann@there.test")
        assert asyncio.run(asked(octets, parts.read(octets), sender, AT, ["security@ours.test"]))
    finally:
        server.stop()


def test_an_answer_is_known_by_what_it_answers():
    letter = strangers.letter("ann@there.test", "security@ours.test", AT, "A hole", "It is open.\r\n")
    assert parts.read(letter.octets).first("message-id") == strangers.answered(letter)
    assert strangers.answered(next(reports())) == ""
