"""A stranger's letter as parts: whatever is sent, something is read, quickly, and what is whole is read exactly."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail import parts
from troth.mail.parts import LEVELS, PARTS, Part, addresses, fields_of, read

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"
REPORT = b"""Return-Path: <>\r
From: MAILER-DAEMON@mx.example\r
Subject: =?utf-8?q?Gr=C3=BC=C3=9F?= =?UTF-8?Q?e_an?= =?iso-2022-jp?b?GyRCRnxLXBsoQg==?=\r
Content-Type: multipart/report; report-type=delivery-status;\r
\tboundary="a b"\r
\r
preamble\r
--a b\r
\r
plain words\r
--a b \r
Content-Type: message/delivery-status\r
\r
Final-Recipient: rfc822; ann@example.net\r
\r
--a b\r
Content-Type: message/rfc822\r
Content-Transfer-Encoding: base64\r
\r
U3ViamVjdDogaW5zaWRlDQoNCmhlbGxvDQo=\r
--a b--\r
epilogue\r
"""


def ends(octets):
    plain = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return [plain, plain.replace(b"\n", b"\r\n"), plain.replace(b"\n", b"\r")]


def shape(part):
    return [(each.type, each.fields, each.text(), each.broken) for each in part.walk()]


@pytest.mark.parametrize("octets", ends(REPORT))
def test_a_report_is_read_whole_however_its_lines_end(octets):
    top = read(octets)
    assert [part.type for part in top.walk()] == [
        "multipart/report", "text/plain", "message/delivery-status", "message/rfc822", "text/plain"]  # fmt: skip
    assert top.first("subject") == "Grüße an日本"
    assert (top.first("nothing"), top.first("RETURN-PATH"), top.body) == ("", "<>", b"")
    assert top.parameters == {"report-type": "delivery-status", "boundary": "a b"}
    text, status, message = top.parts
    assert (text.text(), status.text()) == ("plain words", "Final-Recipient: rfc822; ann@example.net\n")
    assert message.body == b"Subject: inside\r\n\r\nhello\r\n"
    assert (message.parts[0].first("Subject"), message.parts[0].text()) == ("inside", "hello\n")
    assert {word for part in top.walk() for word in part.broken} == set()


@pytest.mark.parametrize(("octets", "text", "broken"), [
    (b"", "", ()),
    (b"\r\n\r\nbody", "\nbody", ()),
    (b"\nhello", "hello", ()),
    (b"no field here\nat all", "no field here\nat all", ()),
    (b"From me Mon Jan 1\n>From me too\nA: b\n\nbody", "body", ()),
    (b"A: b\nbroken line\nC: d\n\nbody", "body", ("no-field",)),
    (b"A: b\nbroken line\nmore", "broken line\nmore", ("no-empty-line",)),
    (b"A: b\r\r\nC: d\r\r\n\r\r\nbody", "body", ()),
    (b" folded first\nA: b\n\nbody", "body", ("no-field",)),
    (b"A: b", "", ()),
    (b"Content-Type: nonsense\n\nbody", "body", ("type",)),
    (b"Content-Type: \n\nbody", "body", ()),
    (b"Content-Type: text/plain; charset=klingon\n\nb\xf6dy", "bödy", ("charset",)),
    (b"Content-Transfer-Encoding: x-own\n\nbody", "body", ("encoding",)),
    (b"Content-Type: multipart/mixed\n\nbody", "body", ("no-boundary",)),
    (b"Content-Type: multipart/mixed; boundary=z\n\nbody", "body", ("no-boundary",)),
    (b"Content-Type: multipart/mixed; boundary=" + b"z" * 2000 + b"\n\nbody", "body", ("no-boundary",)),
])  # fmt: skip
def test_what_is_broken_is_read_and_named(octets, text, broken):
    top = read(octets)
    assert (top.type, top.text(), top.broken) == ("text/plain", text, broken)


def test_a_boundary_that_nobody_announced_is_found():
    top = read(b"Content-Type: multipart/mixed; boundary=wrong\n\n--real\nContent-Type: text/html\n\n<p>\n--real--\n")
    assert (top.broken, [part.type for part in top.parts]) == (("no-boundary",), ["text/html"])


def test_parts_without_an_end_and_boundaries_that_begin_alike():
    top = read(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none --b\n--bb\n--b\n--b\n\ntwo")
    assert [part.text() for part in top.parts] == ["one --b\n--bb", "", "two"]
    assert top.broken == ("no-end-boundary",)


def test_a_digest_holds_messages_and_a_message_in_a_message_is_kept_once():
    top = read(b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\nhello\n--b--")
    assert (top.parts[0].type, top.parts[0].parts[0].first("subject")) == ("message/rfc822", "one")
    nested = read(b"Content-Type: message/rfc822\n\n" * 2 + b"A: b\n\ninside")
    outer, inner, last = nested.walk()
    assert (outer.body[:12], inner.body, last.text()) == (b"Content-Type", b"", "inside")


def test_depth_and_number_are_bounded():
    deep = read(b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(50)))
    assert sum(1 for _ in deep.walk()) == LEVELS + 1
    assert "deep" in [*deep.walk()][-1].broken
    messages = [*read(b"Content-Type: message/rfc822\n\n" * 50).walk()]
    assert (len(messages), messages[-1].broken, messages[-1].body) == (LEVELS + 1, ("deep",), b"")
    many = read(b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 5_000)
    assert (sum(1 for _ in many.walk()), "many" in many.broken) == (PARTS, True)
    long = read(b"A: b\n" * 20_000 + b"\nbody")
    assert (long.text(), long.broken) == ("body", ("long-header",))
    assert len(long.fields) < 20_000
    assert read(b"A: b\n" * 20_000).broken == ("long-header",)
    assert len(read(b"A: " + b"x" * 200_000).first("a")) == parts.HEADER - 1


@pytest.mark.parametrize(("value", "kind", "parameters"), [
    (b'TEXT/Plain (as said); charset="us-ascii" ; x=1', "text/plain", {"charset": "us-ascii", "x": "1"}),
    (b"text/plain charset=utf-8 (comment)", "text/plain", {"charset": "utf-8"}),
    (b'a/b; name="x;\\"y\\""; name=second; =no; bare', "a/b", {"name": 'x;"y"'}),
    (b'a/b; name="never closed; x', "a/b", {"name": "never closed; x"}),
    (b"a/b; n*=utf-8'de'Gr%C3%BC%C3%9Fe; m*1=b; m*0=a; o*0*=iso-8859-1''%FC; o*1=x", "a/b",
     {"n": "Grüße", "m": "ab", "o": "üx"}),
    (b"a/b; n*=no%20charset; m==?utf-8?q?=C3=BC?=", "a/b", {"n": "no charset", "m": "ü"}),
    (b"a/b; charset=", "a/b", {"charset": ""}),
])  # fmt: skip
def test_content_types_as_strangers_write_them(value, kind, parameters):
    top = read(b"Content-Type: " + value + b"\n\n")
    assert (top.type, top.parameters) == (kind, parameters)


@pytest.mark.parametrize(("charset", "octets", "text"), [
    (b"", "äö".encode(), "äö"), (b"", b"\xe4", "ä"), (b"", b"\x1b$BF|K\\\x1b(B", "日本"),
    (b"us-ascii", b"\xe4", "ä"), (b"us-ascii", "ä".encode(), "ä"), (b"utf-8", b"\xe4x", "�x"),
    (b"ISO-2022-JP", b"\x1b$BF|K\\\x1b(B", "日本"), (b"x-sjis", "日本".encode("cp932"), "日本"),
    (b"ks_c_5601-1987", "한국".encode("cp949"), "한국"), (b"gb2312", "退信".encode("gb18030"), "退信"),
    (b"koi8-r", "письмо".encode("koi8_r"), "письмо"), (b"utf-7", b"+AOQ-", "ä"), (b"unicode-1-1-utf-7", b"+AOQ-", "ä"),
    (b"base64", b"YQ==", "YQ=="), (b"rot13", b"a", "a"), (b"unicode_escape", b"\\x41", "\\x41"),
    (b"zlib", b"x", "x"), (b"idna", b"xn--a", "xn--a"), (b"windows-1251", b"\xcf", "П"), (b"utf-16", b"\xff\xfea", "�"),
])  # fmt: skip
def test_charsets_known_unknown_and_dangerous(charset, octets, text):
    header = b"Content-Type: text/plain; charset=" + charset + b"\n\n" if charset else b"A: b\n\n"
    assert read(header + octets).text() == text


@pytest.mark.parametrize(("encoding", "body", "octets"), [
    (b"base64", b"aGVs\n!!bG8=", b"hello"), (b"Base64 ", b"aGk=aGk=", b"hihi"), (b"base64", b"aGVsbG8x2", b"hello1"),
    (b"base64", b"====", b""), (b"quoted-printable", b"a=3Db=\r\nc= \nd=\re=ZZ", b"a=bcde=ZZ"), (b"7bit", b"=3D", b"=3D"),
])  # fmt: skip
def test_transfer_encodings_give_what_they_hold(encoding, body, octets):
    assert read(b"Content-Transfer-Encoding: " + encoding + b"\n\n" + body).body == octets


@pytest.mark.parametrize(("value", "text"), [
    ("=?utf-8?b?w6Q=?=", "ä"), ("=?utf-8*de?q?=C3=A4_x?= y", "ä x y"), ("=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),
    ("a =?utf-8?q?b?= c =?koi8-r?b?0A==?=", "a b c п"), ("=?utf-8?q?never ended", "=?utf-8?q?never ended"),
    ("=?nonsense?q?x?=", "x"),
])  # fmt: skip
def test_encoded_words_wherever_they_stand(value, text):
    assert read(b"Subject: " + value.encode() + b"\n\n").first("subject") == text


@pytest.mark.parametrize(("value", "found"), [
    ('Ann <a@b.c>, "x, y" <d@e.f>; g@h.', ("a@b.c", "d@e.f", "g@h")), ("<mailto:a@b> (c@d)", ("a@b",)),
    ('"a b"@c.d', ('"a b"@c.d',)), ('<"a,b"@c>', ('"a,b"@c',)), ("<@x,@y:a@b>", ("a@b",)), ("undisclosed:;", ()),
    ("a@[192.0.2.1]", ("a@[192.0.2.1]",)), ("o'neil@b.c 'x@y.z'", ("o'neil@b.c", "x@y.z")), ("<>", ()), ("", ()),
    ("friends: a@b, c@d; a@b", ("a@b", "c@d")), ("a@b\nc@d", ("a@b", "c@d")), ("<unclosed@b.c", ("unclosed@b.c",)),
])  # fmt: skip
def test_addresses_of_a_list_as_strangers_write_it(value, found):
    assert addresses(value) == found


def test_fields_of_blocks():
    text = "no field\n folded before any\nA: b\n\n c\nD :=?utf-8?q?=C3=A4?=\n"
    assert fields_of(text) == (("A", "b c"), ("D", "ä"))


@pytest.mark.parametrize("octets", [
    b"Content-Type: multipart/mixed; boundary=-----\n\n" + b"-" * 1_000_000,
    b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 250_000,
    b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 20_000,
    b"Content-Type: message/rfc822\n\n" * 30_000, b"a:\n" * 300_000, b"\r" * 1_000_000, b"a:b\n" + b" \n" * 500_000,
    b"Content-Type: a/b;" + b'"\\"' * 20_000, b"Content-Type: multipart/x\n\n" + b"\n--a" + b" " * 1_000_000,
    b"Subject: " + b"=?a?q?" * 10_000, b"Content-Transfer-Encoding: base64\n\n" + b"a=" * 500_000,
    b"Content-Transfer-Encoding: quoted-printable\n\n" + b"= " * 500_000,
])  # fmt: skip
def test_a_bomb_of_a_megabyte_takes_no_time(octets):
    begun = time.process_time()
    top = read(octets)
    for part in top.walk():
        part.text()
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "value", ["<" * 65_000, '"\\' * 32_000, "(" * 65_000, "a@" * 32_000, "a" * 65_000, '"a"@' * 16_000]
)
def test_a_bomb_of_addresses_takes_no_time(value):
    begun = time.process_time()
    addresses(value)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("corpus", ["mime", "bounce-sisimai", "bounce-flufl", "arf", "dmarc-tlsrpt"])
def test_every_letter_of_the_collections_is_read_the_same_however_its_lines_end(corpus):
    if not (CORPORA / corpus).exists():
        pytest.skip("the shared corpora are not here")
    for path in sorted(each for each in (CORPORA / corpus).rglob("*") if each.is_file()):
        octets = path.read_bytes()
        assert read(octets) == read(octets)
        if b"\r" not in octets.replace(b"\r\n", b""):
            first, *others = [shape(read(each)) for each in ends(octets)]
            assert all(other == first for other in others), path.name


words = st.sampled_from([
    b"Content-Type: ", b"multipart/mixed; boundary=b", b"message/rfc822", b"text/plain; charset=", b"utf-8", b"\n", b"\r\n",
    b"\r", b"\n\n", b"--b", b"--b--", b"Content-Transfer-Encoding: base64", b"quoted-printable", b"=?utf-8?q?", b"?=", b" ",
    b"\t", b":", b";", b'"', b"\\", b"=", b"*0*=", b"a", b"\xff", b"\x00", b"<", b">", b"@", b"Subject",
])  # fmt: skip


@given(st.lists(words | st.binary(max_size=8), max_size=60).map(b"".join))
def test_any_octets_are_read(octets):
    top = read(octets)
    assert isinstance(top, Part)
    for part in top.walk():
        part.text()
        assert all(isinstance(value, str) for _, value in part.fields)
    assert addresses(octets.decode("latin-1")) == addresses(octets.decode("latin-1"))
    fields_of(octets.decode("utf-8", "replace"))
