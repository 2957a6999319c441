"""Messages: an independent parser reads back what was meant, and the bytes keep every promise."""

import email
import email.policy
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.mail.attachment import Attachment, MimeError, media_type
from troth.mail.bodies import text_body
from troth.mail.headers import HeaderError
from troth.mail.mailbox import parse_mailbox
from troth.mail.mime import AssemblyError, Outgoing, assemble, date_value, verify_bytes
from troth.mail.plain import plain_text
from troth.mail.wire import wire

NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
ALLOWED = frozenset({b"from", b"date", b"subject", b"x-a"})


def outgoing(**changes):
    fields = {
        "message_id": "0193a1b2@sender.test",
        "date": NOW,
        "from_": parse_mailbox("Acme Lets <rent@sender.test>"),
        "to": (parse_mailbox("jo@example.com"),),
        "subject": "Your rent",
        "text": "Hello\nJo\n",
    }
    return Outgoing(**(fields | changes))


def read(message):
    """As a stranger's mail program reads it."""
    assembled = assemble(message)
    return email.message_from_bytes(wire(b"", assembled), policy=email.policy.SMTP)


def structure(part):
    if not part.is_multipart():
        return part.get_content_type()
    return {part.get_content_type(): [structure(one) for one in part.iter_parts()]}


PDF = Attachment("a.pdf", "application/pdf", b"%PDF" * 100)
LOGO = Attachment("logo.png", "image/png", b"\x89PNG", content_id="logo@x", inline=True)


def test_text_only():
    message = read(outgoing())
    assert message.get_content_type() == "text/plain"
    assert message.get_content() == "Hello\r\nJo\r\n"
    assert message["from"] == "Acme Lets <rent@sender.test>"
    assert message["date"].datetime == NOW
    assert message["message-id"] == "<0193a1b2@sender.test>"
    assert (
        list(message.keys())
        == "From To Subject Date Message-ID MIME-Version Content-Type Content-Transfer-Encoding".split()
    )


def test_every_field():
    message = read(
        outgoing(
            cc=(parse_mailbox("c@example.com"),),
            reply_to=(parse_mailbox("Jürgen <r@example.com>"),),
            headers=(("X-Ref", "Größe"), ("X-Ref-2", "b")),
            extra=(("X-Mailgun-Variables", '{"t": "x"}'),),
            list_unsubscribe_url="https://t.test/u?a=1&b=2",
            list_unsubscribe_mailto="mailto:u+x@t.test?subject=unsubscribe",
        )
    )
    assert message["cc"] == "c@example.com"
    assert message["reply-to"].addresses[0].display_name == "Jürgen"
    assert message["x-ref"] == "Größe"
    assert message["x-mailgun-variables"] == '{"t": "x"}'
    assert message["list-unsubscribe"] == "<https://t.test/u?a=1&b=2>, <mailto:u+x@t.test?subject=unsubscribe>"
    assert message["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"


def test_mailto_alone_is_not_one_click():
    message = read(outgoing(list_unsubscribe_mailto="mailto:u@t.test"))
    assert message["list-unsubscribe"] == "<mailto:u@t.test>"
    assert message["list-unsubscribe-post"] is None


def test_no_recipient_in_the_header():
    assert read(outgoing(to=()))["to"] is None


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"html": "<p>x</p>"}, {"multipart/alternative": ["text/plain", "text/html"]}),
        ({"html": "<p>x</p>", "text": None}, {"multipart/alternative": ["text/plain", "text/html"]}),
        ({"attachments": (PDF,)}, {"multipart/mixed": ["text/plain", "application/pdf"]}),
        ({"attachments": (LOGO,)}, {"multipart/mixed": ["text/plain", "image/png"]}),
        (
            {"html": "<img src=cid:logo@x>", "attachments": (LOGO, PDF)},
            {
                "multipart/mixed": [
                    {"multipart/alternative": ["text/plain", {"multipart/related": ["text/html", "image/png"]}]},
                    "application/pdf",
                ]
            },
        ),
    ],
)
def test_structure(parts, expected):
    message = read(outgoing(**parts))
    assert structure(message) == expected
    assert not [part.defects for part in message.walk() if part.defects]


def test_attachment_survives():
    content = bytes(range(256)) * 40
    name = "Rechnung Größe 漢字 " + "x" * 80 + ".pdf"
    message = read(
        outgoing(attachments=(Attachment(name, "application/PDF; charset=utf-7; name=evil", content, "c@1"),))
    )
    (_, part) = message.iter_parts()
    assert part.get_content() == content
    assert part.get_filename() == name
    assert part["content-type"] == "application/pdf"
    assert part["content-id"] == "<c@1>"
    assert part.get_content_disposition() == "attachment"
    assert read(outgoing(attachments=(Attachment("e", "application/x", b""),))).get_payload()[1].get_content() == b""


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "a\r\nX: y",
        "a\0",
        "gpj\u202eexe.pdf",
        "a\u200b.pdf",
        "a.",
        " a",
        "a ",
        "x" * 201,
        "\ud800",
        None,
        "a\u2028",
    ],
)
def test_filename_traps(name):
    with pytest.raises(MimeError) as caught:
        Attachment(name, "application/pdf", b"")
    assert caught.value.code == "filename"


@pytest.mark.parametrize(
    "kind",
    [
        "", "pdf", "a/b/c", "a /b", "text/html\r\nX: y", "a/b; c", "a/b; boundary=x", "a/b; method=REQUEST", "multipart/mixed", "message/rfc822",
        'text/calendar; method="a b"', 'a/b; name="x\r\ny"', None, "é/b",
    ],
)  # fmt: skip
def test_content_type_traps(kind):
    with pytest.raises(MimeError) as caught:
        Attachment("a", kind, b"")
    assert caught.value.code == "content_type"


def test_calendar_keeps_its_method():
    assert media_type('text/calendar; charset="utf-8"; method=REQUEST;') == ("text/calendar", "method=REQUEST")


@pytest.mark.parametrize(
    "bad",
    [{"content_id": "a b"}, {"content_id": "<a>"}, {"content_id": "a\r\nb"}, {"inline": True}],
)
def test_content_id(bad):
    with pytest.raises(MimeError) as caught:
        Attachment("a", "a/b", b"", **bad)
    assert caught.value.code == "content_id"


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"date": datetime(2026, 1, 1)}, "date"),
        ({"message_id": "<a@b>"}, "message_id"),
        ({"message_id": "a"}, "message_id"),
        ({"message_id": "a@b\r\nX: y"}, "message_id"),
        ({"message_id": "a" * 250 + "@b"}, "message_id"),
        ({"text": None}, "body"),
        ({"text": "a\0b"}, "body"),
        ({"text": "a\ud800b"}, "body"),
        ({"subject": "x" * 1001}, "subject"),
        ({"list_unsubscribe_url": "javascript:x"}, "link"),
        ({"list_unsubscribe_url": "https://a/> b"}, "link"),
        ({"list_unsubscribe_url": "https://a/\r\nX: y"}, "link"),
        ({"list_unsubscribe_url": "https://" + "a" * 500}, "link"),
        ({"list_unsubscribe_mailto": "u@t.test"}, "link"),
        ({"list_unsubscribe_mailto": "mailto:u@t.test>,<x"}, "link"),
    ],
)
def test_refused_in_words(bad, code):
    with pytest.raises(MimeError) as caught:
        assemble(outgoing(**bad))
    assert caught.value.code == code


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@evil", "a\nb", "a\0"])
def test_subject_injection(subject):
    with pytest.raises(HeaderError):
        assemble(outgoing(subject=subject))


def test_reserved_headers_cannot_come_in_by_the_side():
    for name in ("Bcc", "From", "X\r\nBcc"):
        with pytest.raises(HeaderError):
            outgoing(headers=((name, "x"),))


def test_our_own_extra_headers_are_checked_too():
    with pytest.raises(AssemblyError):
        assemble(outgoing(extra=(("Subject", "again"),)))
    with pytest.raises(HeaderError):
        assemble(outgoing(extra=(("X-A", "x\r\nBcc: y"),)))


def test_date():
    assert date_value(NOW) == b"Sun, 22 Nov 2026 01:02:03 +0000"
    assert date_value(NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))) == b"Sun, 22 Nov 2026 01:02:03 +0000"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain\n", b"7bit"),
        ("x" * 998, b"7bit"),
        ("x" * 999, b"quoted-printable"),
        ("a\x0bb", b"quoted-printable"),
        ("Grüße aus dem langen Text mit wenigen Zeichen\n", b"quoted-printable"),
        ("漢字漢字漢字", b"base64"),
        ("", b"7bit"),
    ],
)
def test_encoding_choice(text, encoding):
    assert text_body(text)[0] == encoding


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=400) | st.text(
    "ab. \t\r\né=\x0b-_漢", max_size=300
)


@settings(max_examples=150)
@given(TEXTS, TEXTS, st.text(max_size=60))
def test_content_survives(text, html, subject):
    try:
        message = read(outgoing(text=text, html=html, subject=subject))
    except HeaderError:
        return
    plain, rich = message.iter_parts()
    for part, meant in ((plain, text), (rich, html)):
        expected = meant.replace("\r\n", "\n").replace("\r", "\n")
        expected += "" if expected.endswith("\n") else "\n"
        got = part.get_payload(decode=True).decode().replace("\r\n", "\n")
        # The CRLF before a boundary is the boundary's, and quoted-printable keeps the text's own.
        assert got.removesuffix("\n") == expected.removesuffix("\n")


@pytest.mark.parametrize("text", [".\n", "a\n.\nb", "--=_\n", "From x\n", "\n\n\n", " \n", "a\t \n", "=" * 2000])
def test_awkward_texts(text):
    assert read(outgoing(text=text)).get_payload(decode=True).decode().replace("\r\n", "\n") == text + (
        "" if text.endswith("\n") else "\n"
    )


def test_boundaries_differ_by_message_and_level():
    first = assemble(outgoing(html="x", attachments=(PDF, LOGO))).body
    second = assemble(outgoing(html="x", attachments=(PDF, LOGO), message_id="other@sender.test")).body
    boundaries = {
        line
        for body in (first, second)
        for line in body.split(b"\r\n")
        if line.startswith(b"--=_") and not line.endswith(b"--")
    }
    assert len(boundaries) == 6
    assert first == assemble(outgoing(html="x", attachments=(PDF, LOGO))).body


def test_a_boundary_in_the_content_is_found(monkeypatch):
    body = assemble(outgoing(html="x")).body
    boundary = body.split(b"\r\n")[0].decode()
    with pytest.raises(AssemblyError, match="boundary"):
        assemble(outgoing(html="x", text=boundary))


GOOD = ((b"From", b"a@b.example"), (b"Date", b"now"))


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((*GOOD, (b"X-B", b"1")), b"x\r\n"),
        ((*GOOD, (b"X-A", b"1\r\nBcc: x")), b"x\r\n"),
        ((*GOOD, (b"X-A", b"1\r\n\r\nhello")), b"x\r\n"),
        ((*GOOD, (b"X-A", b"1\nBcc: x")), b"x\r\n"),
        ((*GOOD, (b"X-A", b"1\rBcc: x")), b"x\r\n"),
        ((*GOOD, (b"X-A", b"1\0")), b"x\r\n"),
        ((*GOOD, (b"X-A", b"\xff")), b"x\r\n"),
        ((*GOOD, (b"X-A", b"1\r\n \r\n 2")), b"x\r\n"),
        ((*GOOD, (b"X-A", b"x" * 999)), b"x\r\n"),
        ((*GOOD, (b"X A", b"1")), b"x\r\n"),
        ((*GOOD, (b"X-A\r\nSubject", b"1")), b"x\r\n"),
        ((*GOOD, (b"Subject", b"1"), (b"subject", b"2")), b"x\r\n"),
        (((b" From", b"x"),), b"x\r\n"),
        (GOOD[:1], b"x\r\n"),
        (GOOD[1:], b"x\r\n"),
        (GOOD, b"x"),
        (GOOD, b"x\n"),
        (GOOD, b"x\ry\r\n"),
        (GOOD, b"x" * 999 + b"\r\n"),
        (GOOD, b"\0\r\n"),
        (GOOD, b"\xc3\xa4\r\n"),
    ],
)
def test_verify_bytes_refuses(headers, body):
    with pytest.raises(AssemblyError):
        verify_bytes(headers, body, ALLOWED)


def test_verify_bytes_accepts():
    verify_bytes((*GOOD, (b"X-A", b"1\r\n 2"), (b"x-a", b"3")), b"x\r\n", ALLOWED)
    verify_bytes(GOOD, b"", ALLOWED)


def test_plain_text():
    html = """<html><head><title>T</title><style>p{color:red}</style></head><body><h1>Rent&nbsp;due</h1>
    <p>Hello  <b>Jo</b>,<br>see <a href="https://a.example/x">here</a> or <a href="https://a.example">https://a.example</a>
    <a>none</a></p></a><ul><li>one</li><li>two</li></ul><table><tr><td>a</td><td>b</td></tr></table>
    <img src="x" alt="Logo"><script>alert(1)</script></style>end</body></html>"""
    assert plain_text(html) == (
        "Rent due\n\nHello Jo,\nsee here <https://a.example/x> or https://a.example none\n\n- one\n- two\n\na b\n\nLogoend\n"
    )
