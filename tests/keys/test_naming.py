"""Which of our messages a letter or a pasted source is about: by tokens that only we can have made, wherever they stand."""

import quopri
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from troth.keys.installation import InstallationSecrets, Purpose
from troth.keys.naming import MOST, in_letter, in_text
from troth.mail.own_link import mail_address, own_link
from troth.mail.parts import read
from troth.mail.tokens import make_token, verp_make

SECRETS = InstallationSecrets.create()
NOW = datetime(2026, 11, 22, tzinfo=UTC)
VERP, LINKS = SECRETS.token_keys(Purpose.VERP)[0], SECRETS.token_keys(Purpose.UNSUBSCRIBE)[0]


def header(message, ends=NOW + timedelta(days=30)):
    token = make_token(LINKS, "unsubscribe", message.bytes, ends)
    return {
        "return-path": f"Return-Path: <{verp_make(VERP, message, ends, 'a')}@bounce.example>",
        "opt-out": f"List-Unsubscribe: <https://troth.example/u/{token}>",
        "opt-out by mail": f"List-Unsubscribe: <mailto:{mail_address(token, 'in.example')}>",
        "own-page": own_link("https://troth.example", LINKS, message, ends),
        "message-id": f"Message-ID: <{message.hex}@mail.acme.example>",
    }


def test_each_token_names_its_message():
    for how, line in header(uuid4()).items():
        message = uuid4()
        [found] = in_text(SECRETS, f"they wrote\n{header(message)[how]}\nagain")
        assert (found.message, found.how) == (message, how.partition(" by")[0]), line
        assert found.domain == ("mail.acme.example" if how == "message-id" else "")


def test_an_old_token_names_its_message_still_and_a_forged_one_none():
    message = uuid4()
    for how, line in header(message, NOW - timedelta(days=900)).items():
        assert [one.message for one in in_text(SECRETS, line)] == [message], how
    other = InstallationSecrets.create()
    assert [one.how for one in in_text(other, "\n".join(header(message).values()))] == ["message-id"]


def test_pasted_source_with_soft_line_ends_is_read():
    message = uuid4()
    line = header(message)["opt-out"]
    pasted = quopri.encodestring(line.encode()).decode()
    assert "=\n" in pasted
    assert in_text(SECRETS, pasted)[0].message == message


def test_in_what_is_attached_or_forwarded_signed_ones_first():
    ours, quoted = uuid4(), uuid4()
    inner = f"From: a@acme.example\r\n{header(ours)['return-path']}\r\nSubject: Rent\r\n\r\nDear you\r\n"
    letter = (
        "From: ann@example.net\r\nSubject: abuse\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        f"--b\r\n\r\nsee <{quoted.hex}@mail.acme.example>\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{header(ours)['opt-out']}\r\n"
        "--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n"
    )
    found = in_letter(SECRETS, read(letter.encode()))
    assert [(one.message, one.how, one.signed) for one in found] == [
        (ours, "return-path", True),
        (quoted, "message-id", False),
    ]


def test_no_more_than_some_are_looked_at():
    text = "\n".join(f"<{uuid4().hex}@a.example>" for _ in range(3 * MOST))
    assert len(in_text(SECRETS, text)) == MOST


@given(st.text())
def test_any_text_is_read(text):
    in_text(SECRETS, text)
