"""A DMARC aggregate report of either standard is read whole, and whatever is none is told apart in a closed word."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.dmarc import record, xml

from troth.mail import dmarc
from troth.mail.dmarc import RECORDS
from troth.mail.dmarc_words import Unreadable, count, ip, moment

WORDS = {"empty", "xml", "doctype", "deep", "not-a-report", "incomplete", "no-domain", "no-reporter", "no-dates"}


def fate(act):
    try:
        act()
    except Unreadable as found:
        return found.word
    return None


def fault(octets):
    with pytest.raises(Unreadable) as raised:
        dmarc.read(octets)
    assert str(raised.value).endswith(".")
    return raised.value.word


def test_a_report_comes_out_as_it_was_said():
    found = dmarc.read(xml(record("192.0.2.1", 3), record("2001:DB8::1", 4, dkim="FAIL", spf="Fail")))
    assert (found.org_name, found.report_id, found.policy.domain) == ("Receiver Inc", "r-1", "example.com")
    assert found.begin == datetime.fromtimestamp(1780000000, UTC)
    assert [(r.source_ip, r.count, r.dkim, r.spf, r.aligned) for r in found.records] == [
        ("192.0.2.1", 3, "pass", "pass", True),
        ("2001:db8::1", 4, "fail", "fail", False),
    ]
    assert found.records[0].dkim_results[0].selector == "s1"
    assert found.records[0].spf_results[0].scope == "mfrom"
    assert (found.messages, found.policy.p, found.policy.pct, found.skipped, found.cut) == (7, "reject", "100", 0, 0)


def test_what_rfc_9990_adds_is_read():
    text = xml(namespace=dmarc.NAMESPACE).decode()
    text = text.replace("<p>reject</p>", "<p>reject</p><np>none</np><testing>y</testing>"
                        "<discovery_method>treewalk</discovery_method>")  # fmt: skip
    text = text.replace("</date_range>", "</date_range><generator>G</generator><error lang='en'>slow</error>")
    reason = "<reason><type>Other</type><comment lang='en'>why</comment></reason><reason><type></type></reason>"
    text = text.replace("</policy_evaluated>", reason + "</policy_evaluated>")
    text = text.replace("</feedback>", '<extensions><extension name="n" definition="d"/></extensions></feedback>')
    found = dmarc.read(text.encode())
    assert (found.namespace, found.generator, found.errors) == (dmarc.NAMESPACE, "G", ("slow",))
    assert (found.policy.np, found.policy.testing, found.policy.discovery_method) == ("none", "y", "treewalk")
    assert [(r.type, r.comment) for r in found.records[0].reasons] == [("other", "why")]
    assert [(e.name, e.definition) for e in found.extensions] == [("n", "d")]


def test_what_reporters_do_wrong_is_taken():
    plain = xml().decode()
    prefixed = plain.replace("<", "<d:").replace("<d:/", "</d:").replace("<d:?", "<?")
    assert dmarc.read(prefixed.replace("<d:feedback>", '<d:feedback xmlns:d="x">').encode()).messages == 3
    assert dmarc.read(plain.encode("utf-16")).messages == 3
    assert (
        dmarc.read(plain.replace("UTF-8", "windows-1252").replace("Receiver", "Résumé").encode("cp1252")).org_name
        == "Résumé Inc"
    )
    assert dmarc.read(b"\xef\xbb\xbf" + plain.encode()).messages == 3
    assert dmarc.read(plain.replace("Receiver", "A & B\x00 &nbsp;\udcff").encode(errors="surrogatepass")).messages == 3
    assert dmarc.read(plain.replace("<feedback>", "<xs:schema a='b'><feedback>").encode()).messages == 3
    assert dmarc.read(plain.encode() + b"<junk>").messages == 3
    assert dmarc.read(plain.replace("identifiers>", "identities>").encode()).records[0].header_from == "example.com"
    assert dmarc.read(plain.replace("<org_name>Receiver Inc</org_name>", "").encode()).org_name == "receiver.test"
    assert dmarc.read(plain.replace("1780000000", "2026-05-28T20:26:40").encode()).begin.year == 2026


def test_broken_xml_is_read_as_what_it_must_have_been():
    two = xml(record(count=1), record(count=2)).decode()
    for lost in ("</selector>", "</identifiers>", "</record>", "</feedback>", "</row>", "</report_metadata>"):
        found = dmarc.read(two.replace(lost, "", 1).encode())
        assert (found.messages, found.recovered, found.policy.domain) == (3, True, "example.com"), lost
    assert dmarc.read(two.replace("</count>", "</cnt>").encode()).records[0].count == 1
    assert dmarc.read(two.replace("Receiver", "a < b &quot;c").encode()).org_name == 'a < b "c Inc'
    assert dmarc.read(two[:-40].encode()).messages == 3
    extended = two.replace("</feedback>", "<extensions><extension name='n' definition='d'/><a/></b></extensions>")
    assert dmarc.read(extended.encode()).extensions[0].name == "n"


def test_records_that_say_nothing_are_counted_and_the_most_are_kept():
    found = dmarc.read(xml(record("nowhere"), record(count="many"), record(count=10**13), record()))
    assert (len(found.records), found.skipped) == (1, 3)
    many = dmarc.read(xml(*[record()] * (RECORDS + 2)))
    assert (len(many.records), many.cut) == (RECORDS, 2)


def test_what_is_no_report_is_told_apart():
    plain = xml().decode()
    assert fault(b" \r\n") == "empty"
    assert fault(plain[:200].encode()) == "xml"
    assert fault(plain.replace("</feedback>", "").replace("record>", "recorder>").encode()) == "xml"
    assert fault(b"<a>" + plain.replace("<row>", "<b>" * 30 + "<row>").encode()) == "deep"
    assert fault(b"<a><feedback></a><b></c><d><!doctype e>" + plain.encode()) == "doctype"
    assert fault(b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + plain.encode()) == "doctype"
    assert fault(b"<a>" * 50 + plain.encode()) == "deep"
    assert fault(b"<rss/>") == "not-a-report"
    assert fault(b"<feedback/>") == "incomplete"
    assert (
        fault(plain.replace("<policy_published><domain>example.com", "<policy_published><domain>").encode())
        == "no-domain"
    )
    assert fault(plain.replace("Receiver Inc", "").replace("dmarc@receiver.test", "").encode()) == "no-reporter"
    assert fault(plain.replace("<begin>1780000000", "<begin>soon").encode()) == "no-dates"
    assert fault(plain.replace("<begin>1780000000", "<begin>9990000000").encode()) == "no-dates"


def test_a_text_or_a_section_without_end_is_cut():
    long = dmarc.read(xml(org="x" * 5_000))
    assert len(long.org_name) == 1_000
    results = "<dkim><domain>a</domain><result>pass</result></dkim>" * 5_000
    found = dmarc.read(xml(record()).replace(b"<auth_results>", b"<auth_results>" + results.encode()))
    assert len(found.records[0].dkim_results) == 50


@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda b: xml().replace(b"<count>3", b"<count>3" + b)))
def test_any_octets_are_a_report_or_a_closed_word(octets):
    word = fate(lambda: dmarc.read(octets))
    assert word is None or word in WORDS


def test_addresses_numbers_and_times_are_read_leniently():
    assert (ip("::FFFF:192.0.2.1"), ip("[2001:db8:0::1]"), ip("fe80::1%eth0"), ip("a")) == (
        "192.0.2.1", "2001:db8::1", "fe80::1", "")  # fmt: skip
    assert (count(" 12 "), count("12.0"), count("-1"), count("9" * 30)) == (12, 12, None, None)
    assert moment("2026-06-01T02:00:00+02:00") == datetime(2026, 6, 1, tzinfo=UTC)
    assert (moment("999999999999"), moment("")) == (None, None)
