"""The pure machine around the messages: greeting, EHLO, STARTTLS, AUTH, RSET and QUIT, and where an opening fails."""

import uuid
from base64 import b64encode

import pytest
from tests.support.smtp_talk import PLAIN, Talk

from troth.flow.delivery.route import Route
from troth.flow.delivery.smtp_states import StartTls, State

TLS = Route("r", "mx.test", 25, "starttls", ehlo_name="me.test")
LOGIN = Route("r", "mx.test", 465, "implicit", username="troth", password="pass word", ehlo_name="me.test")


@pytest.mark.parametrize(
    ("route", "heard", "phase", "code"),
    [
        (PLAIN, b"554 5.7.1 go away\r\n", "greeting", 554),
        (PLAIN, b"421 busy\r\n", "greeting", 421),
        (PLAIN, b"hello\r\n", "greeting", None),
        (PLAIN, b"354 what\r\n", "greeting", None),
        (PLAIN, b"220 hi\r\n502 no EHLO\r\n", "ehlo", 502),
        (PLAIN, b"220 hi\r\n250-a\r\n550 b\r\n", "ehlo", None),
        (TLS, b"220 hi\r\n250 mx.test\r\n", "starttls", None),
        (TLS, b"220 hi\r\n250-mx.test\r\n250 STARTTLS\r\n454 4.7.0 not now\r\n", "starttls", 454),
        (TLS, b"220 hi\r\n250-mx.test\r\n250 STARTTLS\r\n220 go\r\n250 injected\r\n", "starttls", None),
        (TLS, b"220 hi\r\n250-mx.test\r\n250 STARTTLS\r\n220 go\r\n2", "starttls", None),
        (TLS, b"220 hi\r\n250-mx.test\r\n250 STARTTLS\r\n220-go\r\n220 go\r\n250-x\r\n", "starttls", None),
        (LOGIN, b"220 hi\r\n250 mx.test\r\n", "auth", None),
        (LOGIN, b"220 hi\r\n250-mx.test\r\n250 AUTH CRAM-MD5\r\n", "auth", None),
        (LOGIN, b"220 hi\r\n250-mx.test\r\n250 AUTH PLAIN\r\n535 5.7.8 no\r\n", "auth", 535),
        (LOGIN, b"220 hi\r\n250-mx.test\r\n250 AUTH PLAIN\r\n334 more\r\n", "auth", None),
    ],
)
def test_an_opening_that_fails_says_where(route, heard, phase, code):
    talk = Talk(route, ehlo=None)
    talk.hear(heard)
    assert (talk.closed.phase, talk.closed.code, talk.closed.clean) == (phase, code, False)
    assert talk.closed.text
    key = uuid.uuid4()
    answer = talk.closed.unsent(key)
    assert (answer.key, answer.outcome, answer.phase, answer.code) == (key, "unsent", phase, code)
    assert answer.conversation == talk.closed.conversation


def test_starttls_forgets_what_was_said_in_the_clear():
    talk = Talk(TLS, b"250-mx.test\r\n250-PIPELINING\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n")
    assert talk.hear(b"220 go\r\n") == b""
    assert talk.happened == [StartTls()]
    assert talk.client.waiting_for is None
    talk.client.tls_started()
    assert talk.say() == b"EHLO me.test\r\n"
    talk.hear(b"250 mx.test\r\n")
    assert talk.client.extensions == {}
    assert talk.client.wants_next


def test_plaintext_in_the_handshake_ends_it():
    talk = Talk(TLS, b"250-mx.test\r\n250 STARTTLS\r\n")
    talk.hear(b"220 go\r\n")
    talk.hear(b"250 injected\r\n")
    assert (talk.closed.phase, "plaintext" in talk.closed.text) == ("starttls", True)
    talk.client.tls_started()
    assert talk.client.state is State.CLOSED


@pytest.mark.parametrize("offer", [b"AUTH PLAIN LOGIN", b"auth login plain", b"AUTH=PLAIN"])
def test_auth_plain(offer):
    talk = Talk(LOGIN, ehlo=None)
    talk.hear(b"220 hi\r\n")
    said = talk.hear(b"250-mx.test\r\n250 " + offer + b"\r\n")
    assert said == b"AUTH PLAIN " + b64encode(b"\0troth\0pass word") + b"\r\n"
    talk.hear(b"235 2.7.0 welcome\r\n")
    assert talk.client.wants_next


def test_auth_login():
    talk = Talk(LOGIN, ehlo=None)
    talk.hear(b"220 hi\r\n")
    assert talk.hear(b"250-mx.test\r\n250 AUTH LOGIN\r\n") == b"AUTH LOGIN\r\n"
    assert talk.hear(b"334 VXNlcm5hbWU6\r\n") == b64encode(b"troth") + b"\r\n"
    assert talk.hear(b"334 UGFzc3dvcmQ6\r\n") == b64encode(b"pass word") + b"\r\n"
    talk.hear(b"235 ok\r\n")
    assert talk.client.wants_next


@pytest.mark.parametrize("offer", [b"PLAIN", b"LOGIN"])
def test_the_log_never_holds_the_password_even_when_the_server_repeats_it(offer):
    talk = Talk(LOGIN, ehlo=None)
    talk.hear(b"220 hi\r\n")
    talk.hear(b"250-mx.test\r\n250 AUTH " + offer + b"\r\n")
    if offer == b"LOGIN":
        talk.hear(b"334 user\r\n")
        talk.hear(b"334 pass\r\n")
    shapes = [b"pass word", b64encode(b"pass word"), b64encode(b"\0troth\0pass word")]
    talk.hear(b"535-you said " + b" ".join(shapes) + b"\r\n535 no\r\n")
    shown = repr(talk.happened) + repr(LOGIN)
    for shape in shapes:
        assert shape.decode() not in shown
    assert "***" in shown


def test_quit_is_polite_and_clean():
    talk = Talk()
    talk.client.quit()
    assert talk.say() == b"QUIT\r\n"
    assert not talk.client.wants_next
    talk.client.quit()
    assert talk.say() == b""
    talk.hear(b"221 bye\r\n")
    assert talk.closed.clean


@pytest.mark.parametrize("reply", [b"421 bye\r\n", b"500 what\r\n"])
def test_any_reply_to_quit_will_do(reply):
    talk = Talk()
    talk.client.quit()
    talk.say()
    talk.hear(reply)
    assert talk.closed.clean


def test_quit_waits_for_the_message_under_way():
    talk = Talk()
    talk.submit()
    talk.say()
    talk.client.quit()
    assert talk.say() == b""


@pytest.mark.parametrize(("heard", "code"), [(b"421 idle too long\r\n", 421), (b"250 hello?\r\n", None)])
def test_a_word_out_of_turn_closes_an_idle_session(heard, code):
    talk = Talk()
    talk.hear(heard)
    assert (talk.closed.phase, talk.closed.code, talk.closed.clean) == ("mail", code, False)


def test_a_refused_rset_ends_the_session():
    talk = Talk()
    talk.submit()
    talk.say()
    talk.hear(b"550 no\r\n503 no\r\n503 no\r\n")
    after = talk.submit()
    talk.say()
    talk.hear(b"500 what is RSET\r\n")
    assert talk.outcome(after) == ("unsent", "mail", 500)
