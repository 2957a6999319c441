"""`troth inspect bounce|feedback|report`: a JSON line a recipient, whatever the files hold; an unreadable one fails at the end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.mail.bounces import dsn, group, plain

from troth.cli import inspecting

KEYS = ["file", "recipient", "permanent", "address_bad", "kind", "status", "class", "diagnostic", "remote_mta"]


def run(*args):
    done = subprocess.run(
        [sys.executable, "-m", "troth.cli", "inspect", *map(str, args)], capture_output=True, check=False
    )
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.fixture
def letters(tmp_path):
    two = dsn(
        group("smtp; 550 5.1.1 User unknown", "5.1.1", more="Remote-MTA: dns; mx2.example"),
        group("smtp; 552 5.2.2 full", "5.2.2", recipient="rfc822; bob@example.net"),
    )
    (tmp_path / "two.eml").write_bytes(two)
    (tmp_path / "plain letter.eml").write_bytes(plain("See you.", "Lunch\x7f\x1b[2J", "ann@example.net"))
    return tmp_path


def test_a_json_line_a_recipient_and_one_for_what_is_no_bounce(letters):
    code, out, err = run("bounce", "--json", letters / "two.eml", letters / "plain letter.eml")
    found = [json.loads(line) for line in out.splitlines()]
    assert (code, err, [list(one) for one in found]) == (0, "", [KEYS] * 3)
    assert found[0] == {
        "file": str(letters / "two.eml"), "recipient": "ann@example.net", "permanent": True, "address_bad": True, "kind": "hard",
        "status": "5.1.1", "class": "user-unknown", "diagnostic": "550 5.1.1 User unknown", "remote_mta": "mx2.example",
    }  # fmt: skip
    assert (found[1]["recipient"], found[1]["kind"], found[1]["class"]) == ("bob@example.net", "soft", "full")
    assert (found[2]["recipient"], found[2]["kind"], found[2]["class"]) == ("", "none", "")


def test_an_unreadable_file_is_told_and_the_others_are_read(letters):
    code, out, err = run("bounce", "--json", letters / "missing.eml", letters, letters / "two.eml")
    assert (code, len(out.splitlines())) == (1, 2)
    first, second = err.splitlines()
    assert "missing.eml" in first
    assert first.endswith("cannot be read: No such file or directory.")
    assert second.endswith("cannot be read: Is a directory.")


def test_words_for_people(letters):
    code, out, _ = run("bounce", letters / "two.eml")
    assert code == 0
    assert b'class: "user-unknown"' in out
    assert b"address bad: True" in out
    assert run("bounce")[0] == 2


def test_a_file_that_is_no_letter_by_its_size_is_refused(letters, monkeypatch, capsys):
    monkeypatch.setattr(inspecting, "MOST", 10)
    assert inspecting.inspect_files([str(letters / "two.eml")], inspecting.bounces, as_json=True) == 1
    assert "has more than 10 octets; give one letter a file." in capsys.readouterr().err


def test_complaints_and_reports(letters):
    complaint = letters / "complaint.eml"
    complaint.write_bytes(
        b"From: fbl@x.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nspam\n--b\n"
        b"Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: X/1\nOriginal-Rcpt-To: ann@example.net\n\n--b--\n"
    )
    code, out, err = run("feedback", "--json", complaint, letters / "two.eml")
    first, second = [json.loads(line) for line in out.splitlines()]
    assert (code, err, first["file"], first["feedback_type"], first["recipient"]) == (
        0,
        "",
        str(complaint),
        "abuse",
        "ann@example.net",
    )
    assert second["feedback_type"] == "none"
    code, out, _ = run("report", "--json", Path(__file__))
    told = json.loads(out)
    assert (code, told["ok"], told["file"]) == (0, False, __file__)
    assert b'feedback type: "abuse"' in run("feedback", complaint)[1]


_DMARC = b"""<?xml version="1.0"?><feedback><report_metadata><org_name>big.example</org_name><email>a@big.example</email>
<report_id>r1</report_id><date_range><begin>1661558400</begin><end>1661644799</end></date_range></report_metadata>
<policy_published><domain>firm.example</domain><p>reject</p></policy_published>%s</feedback>"""
_RECORD = b"""<record><row><source_ip>%s</source_ip><count>%d</count><policy_evaluated><disposition>%s</disposition>
<dkim>%s</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>firm.example</header_from></identifiers>
<auth_results><spf><domain>x.example</domain><result>fail</result></spf></auth_results></record>"""


def test_a_report_for_people_is_a_table_of_sources_the_failing_first(letters):
    there = letters / "report.xml"
    rows = [_RECORD % (b"192.0.2.1", 1200, b"none", b"pass"), _RECORD % (b"198.51.100.7", 3, b"reject", b"fail")]
    there.write_bytes(_DMARC % b"".join(rows))
    code, out, err = run("report", there)
    lines = out.decode().splitlines()
    assert (code, err, len(lines)) == (0, "", 5)
    assert lines[0].endswith(
        "DMARC report on firm.example by big.example, 2022-08-27T00:00:00Z to 2022-08-27T23:59:59Z"
    )
    assert lines[1] == "  1,203 messages, 1,200 passed DMARC; the policy is p=reject"
    assert [each.split()[:2] for each in lines[3:]] == [["198.51.100.7", "3"], ["192.0.2.1", "1,200"]]
    there.write_bytes(
        _DMARC % b"".join(_RECORD % (b"10.0.0.%d" % (n % 250), n + 1, b"none", b"pass") for n in range(120))
    )
    assert run("report", there)[1].decode().splitlines()[-1].strip() == "The first 100 of 120: --json has all."


def test_a_tls_report_for_people_and_what_a_stranger_wrote_moves_no_terminal(letters):
    failure = {"result-type": "certificate-expired", "failed-session-count": 2}
    there = letters / "tls.json"
    there.write_text(json.dumps({
        "organization-name": "Big \x1b[2J", "date-range": {"start-datetime": "2026-01-01T00:00:00Z", "end-datetime": "2026-01-01T23:59:59Z"},
        "report-id": "t1", "policies": [{"policy": {"policy-type": "sts", "policy-domain": "in.example"},
            "summary": {"total-successful-session-count": 9, "total-failure-session-count": 2}, "failure-details": [failure]}],
    }))  # fmt: skip
    code, out, _ = run("report", there)
    assert code == 0
    assert b"\x1b" not in out
    assert out.splitlines()[2].split() == [b"in.example", b"sts", b"9", b"2", b"certificate-expired", b"(2)"]


def test_what_is_no_report_is_said_in_a_line_and_by_the_exit_code_for_people_alone(letters):
    for kind, words in (("report", b"no report. "), ("feedback", b"no feedback report.")):
        code, out, _ = run(kind, letters / "plain letter.eml")
        assert (code, out.count(b"\n"), words in out) == (1, 1, True), kind
        assert run(kind, "--json", letters / "plain letter.eml")[0] == 0
    assert run("bounce", letters / "plain letter.eml")[0] == 0
