"""The pure machine: envelopes through a session without sockets, octet by octet, each with one answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.smtp_talk import EHLO, GROUP, PLAIN, Talk, envelope

from troth.flow.delivery.smtp_protocol import CHUNK, SmtpClient
from troth.flow.delivery.smtp_states import MOVES, Want


def test_messages_follow_one_another_in_one_write():
    talk = Talk()
    one = talk.submit(b"one@y.test")
    assert talk.say() == GROUP % (one.size, b"one@y.test")
    assert not talk.client.wants_next
    talk.client.receive_data(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert talk.client.wants_next
    two = talk.submit(b"two@y.test")
    assert talk.say() == one.data + b".\r\n" + GROUP % (two.size, b"two@y.test")
    assert talk.hear(b"250 2.0.0 queued as 17\r\n250 ok\r\n250 ok\r\n354 go\r\n") == two.data + b".\r\n"
    assert talk.hear(b"250 2.0.0 queued as 18\r\n") == b""
    assert talk.client.idle
    assert [(a.key, a.outcome, a.enhanced, a.text) for a in talk.answers] == [
        (one.key, "accepted", "2.0.0", "queued as 17"),
        (two.key, "accepted", "2.0.0", "queued as 18"),
    ]
    assert talk.answers[0].conversation == (
        "MAIL FROM:<b@x.test> SIZE=21",
        "RCPT TO:<one@y.test>",
        "DATA",
        "250 ok",
        "250 ok",
        "354 go",
        "(21 octets and the final dot)",
        "250 2.0.0 queued as 17",
    )


def test_an_envelope_may_join_while_a_final_dot_waits():
    talk = Talk()
    one = talk.submit()
    talk.say()
    assert talk.hear(b"250 ok\r\n250 ok\r\n354 go\r\n") == one.data + b".\r\n"
    two = talk.submit(b"two@y.test")
    assert talk.say() == GROUP % (two.size, b"two@y.test")
    assert not talk.client.wants_next
    talk.hear(b"451 4.3.0 not now\r\n250 ok\r\n250 ok\r\n354 go\r\n")
    assert talk.outcome(one) == ("refused", "eod", 451)
    talk.hear(b"250 ok\r\n")
    assert talk.outcome(two) == ("accepted", "eod", 250)


def test_without_pipelining_it_goes_step_by_step():
    talk = Talk(ehlo=b"250 mx.test\r\n")
    sent = talk.submit()
    assert talk.say() == b"MAIL FROM:<b@x.test>\r\n"
    assert talk.hear(b"250 ok\r\n") == b"RCPT TO:<sam@y.test>\r\n"
    assert talk.hear(b"250 ok\r\n") == b"DATA\r\n"
    assert talk.hear(b"354 go\r\n") == sent.data + b".\r\n"
    assert not talk.client.wants_next
    talk.hear(b"250 ok\r\n")
    assert talk.outcome(sent) == ("accepted", "eod", 250)
    refused = talk.submit()
    talk.say()
    assert talk.hear(b"250 ok\r\n") == b"RCPT TO:<sam@y.test>\r\n"
    assert talk.hear(b"550 5.1.1 no\r\n") == b""
    assert talk.outcome(refused) == ("refused", "rcpt", 550)
    assert talk.client.wants_next
    talk.submit()
    assert talk.say() == b"RSET\r\n"
    assert talk.hear(b"250 ok\r\n") == b"MAIL FROM:<b@x.test>\r\n"


@pytest.mark.parametrize(
    ("replies", "phase", "code"),
    [
        (b"550 no\r\n503 what\r\n503 what\r\n", "mail", 550),
        (b"452 full\r\n503 what\r\n554 no\r\n", "mail", 452),
        (b"250 ok\r\n550 5.1.1 no\r\n554 no\r\n", "rcpt", 550),
        (b"250 ok\r\n450 4.2.1 later\r\n503 no\r\n", "rcpt", 450),
        (b"250 ok\r\n250 ok\r\n451 later\r\n", "data", 451),
    ],
)
def test_a_refusal_is_authoritative_and_the_next_begins_with_rset(replies, phase, code):
    talk = Talk()
    sent = talk.submit()
    talk.say()
    assert talk.hear(replies) == b""
    assert talk.outcome(sent) == ("refused", phase, code)
    after = talk.submit(b"two@y.test")
    assert talk.say() == b"RSET\r\n" + GROUP % (after.size, b"two@y.test")
    data = talk.hear(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n")
    assert data == after.data + b".\r\n"
    talk.hear(b"250 ok\r\n")
    assert talk.outcome(after) == ("accepted", "eod", 250)


@pytest.mark.parametrize("end", [b"250 took nothing\r\n", b"554 no recipients\r\n", b"451 what\r\n"])
def test_a_refused_recipient_and_a_354_get_a_lone_dot(end):
    talk = Talk()
    sent = talk.submit()
    talk.say()
    assert talk.hear(b"250 ok\r\n550 5.1.1 no\r\n354 go\r\n") == b".\r\n"
    assert talk.outcome(sent) == ("refused", "rcpt", 550)
    after = talk.submit()
    assert talk.say().startswith(b"RSET\r\n")
    talk.hear(end + b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n")
    talk.hear(b"250 ok\r\n")
    assert talk.outcome(after) == ("accepted", "eod", 250)
    assert talk.closed is None


def test_a_refused_sender_with_a_recipient_taken_is_not_trusted():
    talk = Talk()
    sent = talk.submit()
    talk.say()
    assert talk.hear(b"550 no\r\n250 ok\r\n354 go\r\n") == b""
    assert talk.outcome(sent) == ("refused", "mail", 550)
    assert "not to be trusted" in talk.closed.text


@pytest.mark.parametrize(
    ("replies", "phase", "outcome"),
    [
        (b"421 4.3.2 bye\r\n", "mail", "unsent"),
        (b"250 ok\r\n421 4.3.2 bye\r\n", "rcpt", "unsent"),
        (b"250 ok\r\n250 ok\r\n421 4.3.2 bye\r\n", "data", "unsent"),
        (b"503 5.5.1 nested\r\n", "mail", "unsent"),
    ],
)
def test_421_closes_and_the_message_is_unsent_by_it(replies, phase, outcome):
    talk = Talk()
    sent = talk.submit()
    talk.say()
    talk.hear(replies)
    assert talk.outcome(sent) == (outcome, phase, int(replies.split(b"\r\n")[-2][:3]))
    assert talk.closed.phase == phase
    assert talk.client.closed


def test_421_to_the_final_dot_is_a_verdict_not_taken():
    talk = Talk()
    one = talk.submit()
    talk.say()
    talk.client.receive_data(b"250 ok\r\n250 ok\r\n354 go\r\n")
    two = talk.submit()
    talk.say()
    talk.hear(b"421 4.3.2 shutting down\r\n")
    assert talk.outcome(one) == ("unsent", "eod", 421)
    assert talk.outcome(two) == ("unsent", "mail", None)


def test_only_a_message_whose_dot_is_out_is_lost():
    talk = Talk()
    one = talk.submit()
    talk.say()
    talk.client.receive_data(b"250 ok\r\n250 ok\r\n354 go\r\n")
    two = talk.submit()
    talk.say()
    talk.client.end("The connection was cut.")
    talk.say()
    assert talk.outcome(one) == ("lost", "eod", None)
    assert talk.outcome(two) == ("unsent", "mail", None)
    assert {answer.text for answer in talk.answers} == {"The connection was cut."}
    assert talk.answers[0].maybe_taken
    assert talk.hear(b"250 ok\r\n") == b""
    talk.client.end("again")
    assert len(talk.happened) == 3


@pytest.mark.parametrize(
    ("heard", "phase"),
    [
        (b"", "mail"),
        (b"250 ok\r\n", "rcpt"),
        (b"250 ok\r\n250 ok\r\n", "data"),
        (b"250 ok\r\n250 ok\r\n354 go\r\n", "data"),
    ],
)
def test_before_the_dot_an_end_is_unsent(heard, phase):
    talk = Talk()
    sent = talk.submit()
    talk.say()
    talk.client.receive_data(heard)  # the content is not asked for
    talk.client.end("Gone.")
    talk.say()
    assert talk.outcome(sent) == ("unsent", phase, None)


def test_submitted_but_never_said_is_unsent():
    talk = Talk()
    sent = talk.submit()
    talk.client.end("Gone.")
    assert talk.say() == b""
    assert talk.outcome(sent) == ("unsent", "mail", None)


@pytest.mark.parametrize(
    "garbage",
    [b"what?\r\n", b"354 again\r\n", b"334 go\r\n", b"250-half\r\n550 other\r\n", b"250 " + b"a" * 3000, b"250 bare\n"],
)
def test_nonsense_after_the_dot_is_uncertain(garbage):
    talk = Talk()
    sent = talk.submit()
    talk.say()
    talk.hear(b"250 ok\r\n250 ok\r\n354 go\r\n")
    talk.hear(garbage)
    assert talk.outcome(sent) == ("lost", "eod", None)
    assert talk.closed.phase == "eod"


@pytest.mark.parametrize("garbage", [b"what?\r\n", b"354 now?\r\n", b"334 x\r\n"])
def test_nonsense_before_the_dot_is_unsent(garbage):
    talk = Talk()
    sent = talk.submit()
    talk.say()
    talk.hear(b"250 ok\r\n" + garbage)
    assert talk.outcome(sent) == ("unsent", "rcpt", None)


def test_large_content_leaves_in_pieces_and_the_next_envelope_with_the_last():
    talk = Talk()
    data = (b"x" * 98 + b"\r\n") * 1500
    one = talk.submit(data=data)
    talk.say()
    talk.client.receive_data(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert not talk.client.wants_next
    first = talk.client.data_to_send()
    assert (len(first), talk.client.waiting_for) == (CHUNK, Want.DATA)
    second = talk.client.data_to_send()
    assert talk.client.wants_next
    two = talk.submit()
    last = talk.client.data_to_send()
    assert first + second + last == data + b".\r\n" + GROUP % (two.size, b"sam@y.test")
    assert talk.client.waiting_for is Want.EOD
    talk.hear(b"250 ok\r\n")
    assert talk.outcome(one) == ("accepted", "eod", 250)


def test_a_message_of_exactly_one_piece_has_its_dot():
    talk = Talk()
    data = b"x" * (CHUNK - 2) + b"\r\n"
    talk.submit(data=data)
    talk.say()
    assert talk.hear(b"250 ok\r\n250 ok\r\n354 go\r\n") == data + b".\r\n"


@pytest.mark.parametrize(
    ("reply", "outcome", "code"),
    [(b"552 5.3.4 too big\r\n", "refused", 552), (b"421 bye\r\n", "unsent", 421), (b"250 fine\r\n", "unsent", None)],
)
def test_a_reply_before_the_content_is_out_never_makes_it_lost(reply, outcome, code):
    talk = Talk()
    sent = talk.submit(data=(b"x" * 98 + b"\r\n") * 1500)
    talk.say()
    talk.client.receive_data(b"250 ok\r\n250 ok\r\n354 go\r\n")
    talk.client.data_to_send()
    talk.client.receive_data(reply)
    assert talk.say() == b""
    assert talk.outcome(sent) == (outcome, "data", code)
    assert talk.client.closed


def test_content_half_out_is_unsent_when_the_connection_goes():
    talk = Talk()
    sent = talk.submit(data=(b"x" * 98 + b"\r\n") * 1500)
    talk.say()
    talk.client.receive_data(b"250 ok\r\n250 ok\r\n354 go\r\n")
    talk.client.data_to_send()
    talk.client.end("Gone.")
    talk.say()
    assert talk.outcome(sent) == ("unsent", "data", None)


@pytest.mark.parametrize(
    ("ehlo", "data", "enhanced"),
    [
        (b"250-x\r\n250 SIZE 20\r\n", b"x" * 30 + b"\r\n", "5.3.4"),
        (b"250 x\r\n", b"caf\xc3\xa9\r\n", "5.6.3"),
        (EHLO, b"bare\nline\r\n", "5.6.0"),
    ],
)
def test_what_this_server_cannot_take_is_refused_before_the_wire(ehlo, data, enhanced):
    talk = Talk(ehlo=ehlo)
    sent = talk.submit(data=data)
    assert talk.say() == b""
    assert talk.outcome(sent) == ("refused", "mail", None)
    assert talk.answers[0].enhanced == enhanced
    assert talk.client.wants_next


@pytest.mark.parametrize("size", [b"SIZE", b"SIZE 0", b"SIZE lots", b"SIZE 9" + b"9" * 30])
def test_a_size_without_a_limit_limits_nothing(size):
    talk = Talk(ehlo=b"250-x\r\n250 " + size + b"\r\n")
    talk.submit(data=b"x" * 90 + b"\r\n")
    assert talk.say() == b"MAIL FROM:<b@x.test> SIZE=92\r\n"


def test_8bit_content_says_so():
    talk = Talk()
    talk.submit(data=b"caf\xc3\xa9\r\n")
    assert b" SIZE=7 BODY=8BITMIME\r\n" in talk.say()


def test_submitting_out_of_turn_is_the_callers_fault():
    talk = Talk(ehlo=None)
    with pytest.raises(RuntimeError, match="wants_next"):
        talk.client.submit(envelope())


def test_every_move_has_a_step_and_every_reply_a_meaning():
    client = SmtpClient(PLAIN)
    assert {name for name in MOVES.values() if not callable(getattr(client, name, None))} == set()
    assert {want for want, _ in MOVES} == set(Want)


SCRIPTS = [
    [b"250 ok\r\n250 ok\r\n354 go\r\n", b"250 2.0.0 in\r\n"],
    [b"250-a\r\n250 ok\r\n550-5.1.1 no\r\n550 5.1.1 no\r\n354 go\r\n", b"554 none\r\n"],
    [b"250 ok\r\n250 ok\r\n451 no\r\n", b"421 bye\r\n"],
    [b"550 a\r\n503 b\r\n503 c\r\n"],
    [b"250 ok\r\n250 ok\r\n354 go\r\n", b"250-a\r\n251 b\r\n"],
    [b"250 ok\r\n250 ok\r\n354 go\r\n", b"bad\r\n"],
]


@given(st.sampled_from(SCRIPTS), st.data())
def test_any_split_gives_the_same_events_and_octets(script, data):
    sent = envelope()

    def run(split):
        talk = Talk()
        talk.client.submit(sent)
        said = [talk.say()]
        for step in script:
            said.append(b"".join([talk.hear(piece) for piece in split(step)]))
        return said, talk.happened

    def anyhow(step):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(step)), max_size=5)))
        edges = [0, *cuts, len(step)]
        return [step[a:b] for a, b in zip(edges, edges[1:], strict=False)]

    assert run(anyhow) == run(lambda step: [step])


@given(st.lists(st.sampled_from([b"250 ok\r\n", b"354 go\r\n", b"550 no\r\n", b"421 bye\r\n", b"x\r\n", b"503 a\r\n"])))
def test_every_envelope_gets_exactly_one_answer_whatever_is_heard(replies):
    talk = Talk()
    sent = []
    for reply in replies:
        if talk.client.wants_next:
            sent.append(talk.submit())
        talk.say()
        talk.hear(reply)
    talk.client.end("Over.")
    talk.say()
    assert sorted(answer.key for answer in talk.answers) == sorted(one.key for one in sent)
    assert talk.closed is not None
    assert all(answer.maybe_taken == (answer.outcome == "lost") for answer in talk.answers)
