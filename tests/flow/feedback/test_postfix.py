"""A real relay, Debian's Postfix: what it says while we are there, and what it mails back later, ends in the right state.

It needs root, since Postfix starts as root only.
"""

import socket

import pytest
from tests.flow.feedback.telling import After
from tests.support.postfix import FAR, NEAR, Far, Postfix
from tests.support.stage import Stage

from troth.flow.delivery.route import Route
from troth.flow.delivery.worker import Deps
from troth.flow.feedback.bounces import Bounces
from troth.flow.inbound.server import Server
from troth.rules.states import Kind, State

pytestmark = pytest.mark.needs_root
PATH = "bounce.mail.acme.example"  # the stage's return path
# word -> state, the suppression's reason
ENDS = {
    "nouser": (State.BOUNCED, 1), "gone": (State.BOUNCED, 1), "full5": (State.DEFERRED, None),
    "full4": (State.DEFERRED, None), "policy": (State.BOUNCED, None), "spam": (State.BOUNCED, None),
    "near-nouser": (State.BOUNCED, 1), "near-full": (State.DEFERRED, None), "near-policy": (State.BOUNCED, None),
    "near-busy": (State.DEFERRED, None), "fine": (State.SENT, None),
}  # fmt: skip


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


@pytest.fixture
async def relay(stage):
    """Workers that send through Postfix, and our server where its notifications arrive."""
    far, listening = Far(), socket.create_server(("127.0.0.1", 0))
    port = _free_port()
    postfix = Postfix(port, await far.start(), PATH, listening.getsockname()[1])
    through = Stage(stage.river, stage.sink, port, stage.store)
    route = Route("relay", "127.0.0.1", port, tls="none", max_connections=4)
    through.deps = lambda connections=4: Deps(
        stage.river.database.connect, stage.river.keyring, stage.river.secrets, route
    )
    after = After(through)
    server = Server([Bounces(after.deps, after.operator, PATH)], "mx.example")
    try:
        await postfix.up()
        await server.start(listening)
        after.far, after.postfix, after.server = far, postfix, server
        yield after
    finally:
        await through.stop()
        await server.stop()
        await after.connections.close()
        postfix.stop()
        await far.stop()


async def test_what_a_real_relay_says_and_mails_back_ends_in_the_right_state(relay):
    river = relay.river
    assert set(ENDS) == {*FAR, *NEAR, "fine"} - {"grey"}
    messages = {word: river.queue(f"{word}@far.example")[0] for word in ENDS}
    relay.stage.worker()
    right = {word: state for word, (state, _) in ENDS.items()}

    def ended():
        return {word: river.state(message) for word, message in messages.items()} == right

    try:
        await relay.stage.until(ended, 60)
    except AssertionError:
        raise AssertionError({w: river.state(m) for w, m in messages.items()}, relay.postfix.log()[-3_000:]) from None
    for word, (_, reason) in ENDS.items():
        listed = [(reason, f"smtp:{messages[word]}")] if reason else []
        assert river.suppressed(f"{word}@far.example") == listed, word
    for word in ("full4", "full5", "near-full"):
        row = river.spooled(messages[word])
        assert (row["schedule"], row["schedule_attempts"], row["attempts"]) == ("mailbox", 1, 1), word
    assert river.spooled(messages["near-busy"])["schedule"] != "mailbox"
    told = {word: river.told(message) for word, message in messages.items()}
    assert told["nouser"] == [Kind.SENT, Kind.BOUNCED]
    assert told["near-nouser"] == [Kind.BOUNCED]
    assert told["full4"][-2:] == [Kind.DEFERRED, Kind.DEFERRED]  # first Postfix was late, then it gave up
    detail = river.events(messages["nouser"])[-1][1]
    assert (detail["via"], detail["status"], detail["reason"]) == ("dsn", "5.1.1", "hard")
    assert "User unknown" in detail["diagnostic"]
    assert relay.far.tries["full4@far.example"] > 1  # the relay's own tries are one attempt of ours


async def test_its_delays_are_told_and_change_nothing(relay):
    (message,) = relay.river.queue("grey@far.example")
    relay.stage.worker()
    await relay.stage.until(lambda: Kind.DEFERRED in relay.river.told(message), 40)
    assert relay.river.state(message) is State.SENT
    detail = relay.last(message)[1]
    assert (detail["reason"], detail["status"]) == ("greylisted", "4.7.1")
    assert "tries on by itself" in detail["sentence"]
    assert relay.river.suppressed("grey@far.example") == []


async def test_a_full_mailbox_behind_a_relay_is_spent_after_the_policys_retries(relay):
    """Property's: after 1, 6 and 36 hours; the relay is asked four times in all, and says four times that it is full."""
    (message,) = relay.river.queue("full5@far.example")
    relay.stage.worker()
    for number, hours in ((1, 1), (2, 6), (3, 36)):
        await relay.stage.until(lambda: relay.river.state(message) is State.DEFERRED, 40)
        assert relay.river.spooled(message)["schedule_attempts"] == number
        await relay.stage.stop()
        relay.later(hours=hours, minutes=1)
        relay.stage.worker()
        await relay.stage.until(lambda: relay.river.state(message) is not State.DEFERRED, 40)
    await relay.stage.until(lambda: relay.river.state(message) is State.BOUNCED, 40)
    assert relay.river.suppressed("full5@far.example") == [(6, f"smtp:{message}")]
    assert relay.far.tries["full5@far.example"] == 4
