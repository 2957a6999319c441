"""What feedback reports say is read of every form that providers send, and nothing makes the reader fail."""

import base64
import csv
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.feedback_report import describe, read, reports

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "arf"
PLACEHOLDER = "@libsisimai.org.invalid"  # what that library writes for a recipient who is not told

RETURNED = (
    "Return-Path: <bounce-7@mail.example.org>\nReceived: from out.example.org by mx.example.net; Mon, 2 Mar 2026 10:00:00 +0000\n"
    "From: Rent <rent@example.org>\nTo: <reader@example.net>\nSubject: Your rent\nMessage-ID: <one@example.org>\n\nHello.\n"
)
BLOCK = "Feedback-Type: abuse\nUser-Agent: Some/1.0\nVersion: 1\nSource-IP: 192.0.2.7\nArrival-Date: Mon, 2 Mar 2026 11:00:00 +0100\n"


def _arf(
    block: str = BLOCK, returned: str = RETURNED, kind: str = "message/rfc822", subject: str = "FW: rent"
) -> bytes:
    return (
        f"From: fbl@provider.example\nSubject: {subject}\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nThis is an email abuse report.\n"
        f"--b\nContent-Type: message/feedback-report\n\n{block}\n"
        f"--b\nContent-Type: {kind}\n\n{returned}\n--b--\n"
    ).encode()


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpora are not here")
def test_every_report_of_the_corpus_is_read_as_expected() -> None:
    expected: dict[str, list[tuple[str, str]]] = {}
    with (CORPUS / "expected.csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            recipient = "" if row["recipient"].endswith(PLACEHOLDER) else row["recipient"]
            told = recipient if row["recipient_source"] else "?"  # no source: the corpus does not say
            expected.setdefault(row["file"], []).append((row["feedback_type"], told))
    assert expected
    for name, wanted in expected.items():
        told = [(str(d["feedback_type"]), str(d["recipient"])) for d in describe((CORPUS / name).read_bytes())]
        assert [(k, r if w != "?" else "?") for (k, r), (_, w) in zip(told, wanted, strict=True)] == wanted, name


def test_a_report_says_who_complained_of_which_message() -> None:
    report = read(_arf(BLOCK + "Original-Rcpt-To: <reader@example.net>\nReported-Domain: Example.org\nIncidents: 3\n"))
    assert (report.feedback_type, report.format) == ("abuse", "arf: Some/1.0")
    assert (report.recipients, report.recipient_source) == (("reader@example.net",), "original-rcpt-to")
    assert (report.source_ip, report.message_id) == ("192.0.2.7", "one@example.org")
    assert (report.reported_domains, report.incidents) == (("example.org",), 3)
    assert report.arrival_date is not None
    assert report.arrival_date.isoformat() == "2026-03-02T10:00:00+00:00"
    assert report.mail_from == "bounce-7@mail.example.org"
    assert report.returned.first("subject") == "Your rent"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("abuse", "abuse"), ("ABUSE ", "abuse"), ("complaint", "abuse"), ("fraud", "fraud"), ("phishing", "fraud"),
        ("not-spam", "not-spam"), ("virus", "virus"), ("opt-out-list", "opt-out"), ("auth-failure", "auth-failure"),
        ("dmarc", "auth-failure"), ("other", "other"), ("what-nobody-knows", "other"), ("!", "other"),
    ],
)  # fmt: skip
def test_kinds_are_the_registrys_words(said: str, kind: str) -> None:
    assert read(_arf(BLOCK.replace("Feedback-Type: abuse", f"Feedback-Type: {said}"))).feedback_type == kind


def test_a_report_without_its_kind_is_what_its_words_say() -> None:
    block = BLOCK.replace("Feedback-Type: abuse\n", "")
    assert read(_arf(block)).feedback_type == "abuse"
    assert read(_arf(block + "Auth-Failure: dmarc\n")).feedback_type == "auth-failure"
    assert read(_arf(block).replace(b"This is an email abuse report.", b"Good day.")).feedback_type == "other"


@pytest.mark.parametrize(
    "stated",
    [
        "redacted@example.net", "<redacted>", "[redacted]", "undisclosed", "xxxxx@example.net", "****@example.net",
        "0123456789abcdef0123456789abcdef@example.net", "nobody@redacted.invalid", "",
    ],
)  # fmt: skip
def test_a_redacted_recipient_is_nobody(stated: str) -> None:
    returned = RETURNED.replace("<reader@example.net>", '"undisclosed"')
    assert read(_arf(BLOCK + f"Original-Rcpt-To: {stated}\n", returned)).recipients == ()
    assert describe(_arf(BLOCK, returned))[0]["recipient"] == ""


def test_the_returned_message_names_the_recipient_where_the_report_does_not() -> None:
    assert read(_arf()).recipient_source == "to"
    hidden = RETURNED.replace(
        "To: <reader@example.net>", "Delivered-To: reader@example.net\nTo: undisclosed-recipients:;"
    )
    assert (read(_arf(BLOCK, hidden)).recipients, read(_arf(BLOCK, hidden)).recipient_source) == (
        ("reader@example.net",),
        "delivered-to",
    )
    aol = BLOCK + "Redacted-Address: redacted\nRemoval-Recipient: rfc822; reader@example.net\n"
    assert read(_arf(aol, hidden)).recipient_source == "removal-recipient"


def test_a_header_whose_signature_failed_names_nobody() -> None:
    block = BLOCK.replace("abuse", "auth-failure")
    assert read(_arf(block + "Auth-Failure: dmarc\n", kind="text/rfc822-headers")).recipients == ("reader@example.net",)
    assert read(_arf(block + "Auth-Failure: bodyhash\n", kind="text/rfc822-headers")).recipients == ()


def test_microsofts_has_no_part_of_its_own() -> None:
    letter = (
        "From: staff@hotmail.example\nSubject: complaint about message from 192.0.2.9\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: message/rfc822\n\n'
        f"X-HmXmrOriginalRecipient: reader@example.net\n{RETURNED}\n--b--\n"
    ).encode()
    report = read(letter)
    assert (report.feedback_type, report.format) == ("abuse", "microsoft-jmrp (no ARF part)")
    assert (report.recipients, report.source_ip) == (("reader@example.net",), "192.0.2.9")
    assert report.message_id == "one@example.org"


def test_a_block_in_a_text_or_behind_a_broken_boundary_is_found() -> None:
    plain = f"From: a@b.example\nSubject: spam\n\nSomebody says:\n\n> {BLOCK.replace(chr(10), chr(10) + '> ')}\n\n{RETURNED}".encode()
    assert (read(plain).feedback_type, read(plain).message_id) == ("abuse", "one@example.org")
    broken = _arf().replace(b"--b\n", b"==wrong\n").replace(b"--b--", b"")
    assert (read(broken).feedback_type, read(broken).source_ip) == ("abuse", "192.0.2.7")
    untyped = _arf().replace(b"message/feedback-report", b"application/octet-stream")
    assert read(untyped).format == "arf: Some/1.0"
    coded = base64.encodebytes(BLOCK.encode()).decode()
    encoded = _arf().replace(
        f"feedback-report\n\n{BLOCK}".encode(),
        f"feedback-report\nContent-Transfer-Encoding: base64\n\n{coded}".encode(),
    )
    assert read(encoded).source_ip == "192.0.2.7"
    alone = b"Content-Type: message/feedback-report\n\n" + BLOCK.encode()
    assert (read(alone).feedback_type, read(alone).recipients) == ("abuse", ())
    mentioned = b"Subject: hi\n\nThe field Feedback-Type is:\nfeedback-type: what?\n\nBye.\n"
    assert not read(mentioned).found


def test_a_returned_message_may_lie_deeper() -> None:
    inner = f'Content-Type: multipart/mixed; boundary="i"\n\n--i\nContent-Type: message/rfc822\n\n{RETURNED}\n--i--\n'
    letter = _arf().replace(f"Content-Type: message/rfc822\n\n{RETURNED}".encode(), inner.encode())
    assert read(letter).message_id == "one@example.org"
    assert read(_arf(returned="")).message_id == ""


def test_several_reports_in_one_letter_are_told_apart() -> None:
    two = (
        'Content-Type: multipart/mixed; boundary="b"\n\n'
        + "".join(
            f"--b\nContent-Type: message/feedback-report\n\n{BLOCK}Original-Rcpt-To: {who}@example.net\n"
            f"--b\nContent-Type: message/rfc822\n\n{RETURNED.replace('<one@', f'<{who}@')}\n"
            for who in ("ann", "ben")
        )
        + "--b--\n"
    ).encode()
    assert [(r.recipients, r.message_id) for r in reports(two)] == [
        (("ann@example.net",), "ann@example.org"),
        (("ben@example.net",), "ben@example.org"),
    ]
    nested = 'Content-Type: multipart/digest; boundary="d"\n\n' + "".join(
        f"--d\nContent-Type: message/rfc822\n\n{_arf().decode()}\n" for _ in range(2)
    )
    assert len(reports(nested.encode() + b"--d--\n")) == 2


def test_xarf_old_and_new() -> None:
    sample = base64.b64encode(RETURNED.encode()).decode()
    three = {
        "Version": "3", "ReporterInfo": {}, "Report": {
            "ReportClass": "Content", "ReportType": "Spam", "Date": "2026-03-02T10:00:00Z", "SourceIp": "192.0.2.7",
            "SmtpRcptToAddress": "reader@example.net",
            "Samples": ["nonsense", {"ContentType": "message/rfc822", "Base64Encoded": True, "Payload": sample}],
        },
    }  # fmt: skip
    four = {"xarf_version": "4.0.0", "type": "phishing", "source_identifier": "192.0.2.7", "smtp_to": "reader@example.net",
            "evidence": [{"content_type": "message/rfc822", "payload": sample}]}  # fmt: skip
    for document, kind in ((three, "abuse"), (four, "fraud")):
        letter = b"Subject: abuse\nContent-Type: application/json\n\n" + json.dumps(document).encode()
        report = read(letter)
        assert (report.feedback_type, report.format, report.source_ip) == (kind, "xarf", "192.0.2.7")
        assert (report.recipients, report.message_id) == (("reader@example.net",), "one@example.org")
    old = (
        'X-XARF: PLAIN\nSubject: abuse report\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
        '--b\n\nDear team.\n--b\nContent-Type: text/plain; name="report.txt"\n\n---\nReported-From: a@b.example\n'
        "Category: abuse\nReport-Type: spam\nSource: 192.0.2.7\nSource-Type: ipv4\nDate: Mon, 2 Mar 2026 10:00:00 +0000\n"
        f"--b\nContent-Type: message/rfc822\n\n{RETURNED}\n--b--\n"
    )  # fmt: skip
    report = read(old.encode())
    assert (report.feedback_type, report.format, report.source_ip) == ("abuse", "xarf", "192.0.2.7")
    assert report.message_id == "one@example.org"


@pytest.mark.parametrize(
    "payload", [b"{", b"[" * 100_000, b'{"Report": 1}', b'"text"', b'{"xarf_version": "4", "evidence": 3}']
)
def test_a_broken_document_is_no_failure(payload: bytes) -> None:
    letter = b"Content-Type: application/json; name=x.json\n\n" + payload
    assert read(letter).feedback_type in ("none", "other")
    undecoded = b'{"xarf_version":"4","type":"spam","evidence":[{"content_type":"message/rfc822","payload":"To: a@b.example!"}]}'
    assert read(b"Content-Type: application/json\n\n" + undecoded).feedback_type == "abuse"
    assert not read(b"X-XARF: PLAIN\n\nNothing here.\n").found


def test_people_and_small_providers_use_words() -> None:
    text = (
        "Subject: [SpamCop (192.0.2.7) id:77]Your rent\n\n[ SpamCop V5 ]\nThis message is brief.\n"
        f"Source IP: [192.0.2.7]:25\nRecipient: reader@example.net\n\n[ Offending message ]\n\n{RETURNED}"
    )
    report = read(text.encode())
    assert (report.feedback_type, report.format) == ("abuse", "spamcop")
    assert (report.source_ip, report.recipients) == ("192.0.2.7", ("reader@example.net",))
    attached = (
        'Subject: Spam complaint\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/html\n\n<p>See.\n'
        f'--b\nContent-Type: application/octet-stream; name="mail.eml"\n\n{RETURNED}\n--b--\n'
    )  # fmt: skip
    assert (read(attached.encode()).format, read(attached.encode()).recipients) == ("text", ("reader@example.net",))
    bare = b"Subject: Spam complaint\n\nI got spam from you. Stop it.\n"
    assert read(bare).feedback_type == "none"
    assert describe(bare)[0] | {} == describe(b"Subject: hello\n\nHow are you?\n")[0]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Mon, 2 Mar 2026 10:00:00 +0000", "2026-03-02T10:00:00+00:00"), ("2 Mar 26 10:00 PST", "2026-03-02T18:00:00+00:00"),
        ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00+00:00"), ("2026-03-02 10:00:00 +0100", "2026-03-02T09:00:00+00:00"),
        ("2026-03-02 10:00", "2026-03-02T10:00:00+00:00"), ("2 Mar 85 10:00:60 GMT", "1985-03-02T10:00:59+00:00"),
        ("31 Feb 2026 10:00:00 +0000", ""), ("2 Xyz 2026 10:00", ""), ("yesterday", ""),
    ],
)  # fmt: skip
def test_dates_are_read_as_they_are_written(said: str, wanted: str) -> None:
    block = BLOCK.replace("Mon, 2 Mar 2026 11:00:00 +0100", said)
    assert describe(_arf(block))[0]["arrival_date"] == wanted


@given(st.binary(max_size=2_000), st.integers(0, 700), st.booleans())
def test_nothing_makes_it_fail(noise: bytes, at: int, inside: bool) -> None:  # noqa: FBT001 - drawn, not passed
    letter = _arf()[:at] + noise + _arf()[at:] if inside else noise
    told = describe(letter)
    assert told
    json.dumps(told)


@pytest.mark.parametrize(
    "bomb",
    [
        b"feedback-type:" * 300_000, b"Subject: spam report\n\n" + b"a: b\n" * 400_000, b"Subject: spam report\n\n" + b">" * 2_000_000,
        _arf(BLOCK + "Original-Rcpt-To: a@b.example\n" * 20_000), b"Subject: spam complaint\n\n" + b"x " * 1_000_000,
        _arf(BLOCK + "Source-IP: " + ":" * 60_000 + "\n"), b"Subject: spam report\n\n" + b"\n> \n" * 500_000,
        b"Subject: spam report\n\n" + b"Source IP" + b" " * 2_000_000,
    ],
    ids=range(8),
)  # fmt: skip
def test_bombs_cost_little(bomb: bytes) -> None:
    before = time.process_time()
    assert len(describe(bomb)) <= 100
    assert time.process_time() - before < 3
