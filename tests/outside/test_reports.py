"""Reports of others are read from any octets, broken XML included, and no network is asked; bombs end as words."""

import csv
import gzip
import json
import time
from pathlib import Path

import pytest
from tests.support.dmarc import record, tls, xml, zipped

from troth.mail import dmarc_recovered
from troth.mail.dmarc_words import Unreadable
from troth.outside import report_child, reports

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "dmarc-tlsrpt"


def corpus():
    if not CORPUS.exists():
        pytest.skip("the corpora are not here")
    with (CORPUS / "expected.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_file_of_the_corpus_is_as_expected():
    for row in corpus():
        told = reports.describe((CORPUS / row["file"]).read_bytes(), row["file"])
        wrong = row["expected"] == "ParserError"
        assert told["ok"] is not wrong, told
        assert wrong or row["kind"] in {told["kind"], "container"}
        assert json.loads(json.dumps(told))["file"] == row["file"]
        assert wrong or told["org"], told["report_id"]


def test_what_mail_auth_reads_is_read():
    corpus()
    told = reports.describe((CORPUS / "mail-auth/dmarc-feedback/001.xml").read_bytes(), "001.xml")
    (first,) = told["records"]
    assert told["date_range"] == {"begin": 161212415, "end": 161221511}
    assert (told["report_id"], told["policy"]["p"], told["version"]) == (
        "3v98abbp8ya9n3va8yr8oa3ya",
        "quarantine",
        "2.0",
    )
    assert [each["name"] for each in first["extensions"]] == ["extensionName", "extensionName2"]
    assert first["auth_results"]["dkim"][0]["selector"] == "abc123"
    outlook = reports.describe((CORPUS / "mail-auth/dmarc-feedback/103.eml").read_bytes(), "103.eml")
    assert outlook["records"][0]["envelope_to"]


def test_a_files_line_says_what_it_holds():
    packed = reports.describe(zipped(a=xml(), b=tls(failed=0)), "both.zip")
    assert (packed["kind"], packed["others"][0]["kind"]) == (reports.DMARC, reports.TLS)
    assert packed["sha256"] == reports.describe(gzip.compress(xml()), "one.gz")["sha256"]
    assert reports.describe(b"", "none") == {
        "file": "none", "ok": False, "kind": None, "error": "empty",
        "sentence": "It is empty: there is no report in it.",
    }  # fmt: skip


def test_broken_xml_is_recovered_without_a_network_or_a_lookup():
    found = report_child.recover(xml(record("192.0.2.7", 9, dkim="FAIL", spf="fail"), days=9).decode()[:-5])
    report = dmarc_recovered.report_of(found)
    assert (report.recovered, report.policy.domain, report.org_name) == (True, "example.com", "Receiver Inc")
    assert [(each.source_ip, each.count, each.aligned) for each in report.records] == [("192.0.2.7", 9, False)]
    assert (report.end - report.begin).days == 8
    (read,) = reports.read(b"<feedback><x", lambda _text: found)
    assert read.report == report


def test_what_cannot_be_recovered_is_a_word():
    assert reports.describe(b"<feedback><report_metadata>", "x")["error"] == "xml"
    assert report_child.recover("x" * (report_child.LARGEST + 1)) is None
    assert reports.describe(b"<other><open>", "x")["error"] == "xml"
    with pytest.raises(Unreadable):
        reports.read(b"<feedback>", lambda _text: None)


def test_a_second_document_counts_when_the_first_is_none():
    (found,) = reports.read(zipped(a=b"<rss/>", b=xml()))
    assert found.report.report_id == "r-1"


def test_what_a_child_says_is_not_believed_either():
    for said, word in (({}, "no-dates"), ({"report_metadata": {"begin_date": "2026-01-01 00:00:00",
                        "end_date": "2026-01-02 00:00:00"}, "records": 3}, "no-domain")):  # fmt: skip
        with pytest.raises(Unreadable) as raised:
            dmarc_recovered.report_of(said)
        assert raised.value.word == word


def test_a_child_that_is_killed_or_cannot_start_is_told(monkeypatch):
    monkeypatch.setattr(report_child, "_LAUNCH", "import os; os.kill(os.getpid(), 9)")
    assert report_child.recover("<feedback>") is None
    monkeypatch.setattr(report_child, "_LAUNCH", "import time; time.sleep(9)")
    monkeypatch.setattr(report_child, "WALL", 0.2)
    assert report_child.recover("<feedback>") is None
    monkeypatch.undo()
    monkeypatch.setattr(report_child, "_LAUNCH", "import nothing_of_this_name")
    with pytest.raises(report_child.ReportChildError):
        report_child.recover("<feedback>")


def test_bombs_are_answered_in_bounded_time():
    entities = b'<!DOCTYPE l [<!ENTITY a "' + b"a" * 1_000 + b'">' + b'<!ENTITY b "' + b"&a;" * 1_000 + b'">]>' + xml()
    deep = xml().replace(b"<row>", b"<a>" * 100_000 + b"<row>")
    attributes = b"<feedback " + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b"/>"
    started = time.monotonic()
    words = [reports.describe(each, "bomb")["error"] for each in (
        entities, deep, attributes, gzip.compress(bytes(5_000_000)), b"[" * 1_000_000, b"{" * 1_000_000,
        b"<" * 1_000_000, b"<feedback>" + b"&" * 1_000_000,
    )]  # fmt: skip
    assert None not in words
    assert time.monotonic() - started < 30
