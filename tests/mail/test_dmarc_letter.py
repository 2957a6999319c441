"""Reports are found wherever a letter, an archive or a file has them, and nothing else is taken for one."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.dmarc import letter, tls, xml, zipped

from troth.mail.dmarc_letter import JSON, LETTER_SIZE, XML, documents
from troth.mail.dmarc_words import Unreadable
from troth.mail.unpacking import UNPACKED


def kinds(octets):
    return [each.kind for each in documents(octets)]


def fate(act):
    try:
        act()
    except Unreadable as found:
        return found.word
    return None


def fault(octets):
    with pytest.raises(Unreadable) as raised:
        documents(octets)
    return raised.value.word


def part(type_, body, encoding="7bit"):
    return f"--b\r\nContent-Type: {type_}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body + b"\r\n"


def mailed(*given_):
    head = b'From: a@b.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    return head + b"".join(part(*each) for each in given_) + b"--b--\r\n"


def test_files_and_archives():
    assert kinds(xml()) == [XML]
    assert kinds(b"\n " + tls()) == [JSON]
    assert kinds(gzip.compress(tls())) == [JSON]
    assert kinds(zipped(a=xml(), b=tls(), readme=b"hello")) == [XML, JSON]
    assert kinds(xml().decode().encode("utf-16")) == [XML]


def test_letters():
    assert kinds(letter(xml())) == [XML]
    assert kinds(letter(tls(), type_="application/tlsrpt+json", packed=False)) == [JSON]
    assert kinds(b"Subject: x\r\nContent-Type: text/xml\r\n\r\n" + xml()) == [XML]
    assert kinds(b"Subject: x\r\n\r\n" + tls()) == [JSON]
    assert kinds(b"From a@b.test Thu\r\nSubject: x\r\nContent-Type: message/rfc822\r\n\r\n" + letter(xml())) == [XML]
    assert kinds(letter(xml()).replace(b"Content-Transfer-Encoding: base64\r\n", b"")) == [XML]
    assert kinds(mailed(("application/gzip", b"\x1f\x8bnot", "8bit"), ("text/xml", xml()))) == [XML]


def test_what_holds_none_is_told_apart():
    assert fault(b"") == "empty"
    assert fault(gzip.compress(b" ")) == "empty"
    assert fault(zipped(a=b"just words")) == "not-a-report"
    assert fault(b"just words") == "not-a-report"
    assert fault(bytes([1]) * (LETTER_SIZE + 1)) == "large"
    assert fault(b"Subject: hello\r\n\r\nI am on holiday.") == "not-a-report"
    assert fault(b"Subject: hello\r\n\r\n<html><body>hello</body></html>") == "not-a-report"
    assert fault(mailed(("application/gzip", b"\x1f\x8bnot", "8bit"))) == "broken"
    assert fault(mailed(("application/x", b"A" * 33), ("text/plain", gzip.compress(b"x"), "8bit"))) == "not-a-report"
    assert fault(mailed(("message/feedback-report", b"Feedback-Type: auth-failure"))) == "failure-report"


def test_a_bomb_beside_a_report_is_still_one():
    bomb = gzip.compress(bytes(5_000_000), 9)
    assert fault(mailed(("text/xml", xml()), ("application/gzip", bomb, "8bit"))) == "ratio"
    half = gzip.compress(xml() + b" " * (UNPACKED // 2), 1)
    large = ("application/gzip", half, "8bit")
    assert fault(mailed(large, large, large)) in {"large", "ratio"}
    body = b"<a>" + b" " * (UNPACKED // 2) + b"</a>"
    assert fault(mailed(("text/xml", body), ("text/xml", body))) == "large"


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda b: letter(xml()).replace(b"--b", b"--b" + b)))
def test_any_octets_are_documents_or_a_closed_word(octets):
    word = fate(lambda: documents(octets))
    assert word != ""
