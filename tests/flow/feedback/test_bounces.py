"""What comes back to a return path counts for its own message alone, and only when the path is signed."""

import base64
import secrets
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.flow.feedback.bounced import CHALLENGE, DOMAIN, TALK, VACATION, bounces, dsn
from tests.flow.feedback.telling import ANN
from tests.support.firm import now

from troth.flow.feedback import aside
from troth.flow.feedback import bounces as module
from troth.flow.feedback.bounces import ours
from troth.mail.arrived import Verdict
from troth.mail.bounce import Bounced
from troth.rules.states import Kind, State
from troth.store.inbound import Most

__all__ = ["bounces"]
CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpora"


async def test_a_hard_bounce_suppresses_once_however_often_it_comes(bounces):
    (message,) = await bounces.sent()
    letter = dsn()
    for path in (bounces.path(message), bounces.path(message).upper()):
        assert await bounces.desk.knows(path)
        assert await bounces.take(path, letter) is Verdict.TAKEN
    assert bounces.river.state(message) is State.BOUNCED
    assert bounces.river.suppressed(ANN) == [(1, f"smtp:{message}")]
    kind, detail = bounces.last(message)
    assert kind is Kind.BOUNCED
    assert (detail["via"], detail["status"], detail["reason"]) == ("dsn", "5.1.1", "hard")
    assert (detail["remote_mta"], detail["class"]) == ("mx.example.net", "user-unknown")
    assert "No such user" in detail["diagnostic"]
    assert "forwarded" not in detail
    assert bounces.kept() == []
    assert bounces.counted() == {("bounce", "failed"): (2, 0)}


async def test_a_full_mailbox_goes_back_into_the_spool(bounces):
    (message,) = await bounces.sent()
    await bounces.take(bounces.path(message), dsn(status="5.2.2", said="552 5.2.2 Mailbox is full"))
    assert bounces.river.state(message) is State.DEFERRED
    assert bounces.river.spooled(message)["schedule"] == "mailbox"
    assert bounces.river.suppressed(ANN) == []


async def test_a_refusal_by_policy_bounces_and_suppresses_nobody(bounces):
    (message,) = await bounces.sent()
    await bounces.take(bounces.path(message), dsn(status="5.7.1", said="554 5.7.1 Message rejected by policy"))
    assert bounces.river.state(message) is State.BOUNCED
    assert bounces.river.suppressed(ANN) == []


async def test_delays_and_deliveries_are_what_they_say(bounces):
    (message,) = await bounces.sent()
    await bounces.take(bounces.path(message), dsn(action="delayed", status="4.4.1", said="connection timed out"))
    assert bounces.river.state(message) is State.SENT
    await bounces.take(bounces.path(message), dsn(action="relayed", status="2.0.0", said="250 ok"))
    assert bounces.river.state(message) is State.SENT
    await bounces.take(bounces.path(message), dsn(action="delivered", status="2.0.0", said="250 ok"))
    assert bounces.river.state(message) is State.DELIVERED
    assert bounces.river.told(message) == [Kind.SENT, Kind.DEFERRED, Kind.DELIVERED]


@pytest.mark.parametrize("sender", ["<>", "ann@home.example"])
async def test_vacation_replies_and_challenges_change_nothing(bounces, sender):
    (message,) = await bounces.sent()
    for n in range(3):
        for letter in (VACATION, CHALLENGE, TALK):
            assert await bounces.take(bounces.path(message), b"X-N: %d\r\n" % n + letter, sender) is Verdict.TAKEN
    assert bounces.river.told(message) == [Kind.SENT]
    assert bounces.nothing_changed(message)
    assert {reason for _, reason in bounces.kept()} <= {"challenge", "not-a-bounce"}
    assert ("bounce", "not-a-bounce") in bounces.kept()
    assert sum(n for n, _ in bounces.counted().values()) == 9


async def test_forged_expired_and_foreign_tokens_are_kept_aside_unread(bounces, monkeypatch):
    (message,) = await bounces.sent()

    def never(octets):
        raise AssertionError

    monkeypatch.setattr(module, "read", never)
    good = bounces.path(message)
    local = good.partition("@")[0]
    paths = {
        bounces.path(message, ends=now() - timedelta(seconds=1)): "expired",
        bounces.path(message, key=secrets.token_bytes(32)): "forged",
        bounces.path(message, cell="b")[:1] + "c" + bounces.path(message)[2:]: "forged",
        f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{DOMAIN}": "forged",
        f"ba{base64.b32encode(secrets.token_bytes(35)).decode().lower()}@{DOMAIN}": "forged",
    }  # fmt: skip
    for n, (path, reason) in enumerate(paths.items()):
        assert await bounces.desk.knows(path)
        assert await bounces.take(path, b"X-N: %d\r\n" % n + dsn()) is Verdict.TAKEN
        assert bounces.kept()[-1] == ("bounce", reason)
    assert bounces.nothing_changed(message)
    assert bounces.river.told(message) == [Kind.SENT]


async def test_at_another_domain_only_what_we_signed_is_ours(bounces):
    (message,) = await bounces.sent()
    assert await bounces.desk.knows(bounces.path(message, domain="old.example"))
    assert not await bounces.desk.knows(bounces.path(message, key=bytes(32), domain="old.example"))
    for local in ("b", "ba", "x" * 58, "ba" + "1" * 56, "postmaster", "bä" + "a" * 56):
        assert not await bounces.desk.knows(f"{local}@{DOMAIN}")


async def test_a_token_is_good_for_its_own_message_alone(bounces):
    one, other = await bounces.sent(ANN, "bob@home.example")
    named = dsn(to="bob@home.example", returned=f"Message-ID: <{other.hex}@mail.acme.example>\r\n")
    await bounces.take(bounces.path(one), named)
    assert bounces.kept() == [("bounce", "other-message")]
    assert bounces.nothing_changed(one, other)
    own = dsn(returned=f"Message-ID: <{one.hex}@mail.acme.example>\r\n")
    await bounces.take(bounces.path(one), own)
    assert bounces.river.state(one) is State.BOUNCED
    assert bounces.river.state(other) is State.SENT


async def test_a_relays_own_message_id_is_no_other_message(bounces):
    (message,) = await bounces.sent()
    await bounces.take(bounces.path(message), dsn(returned="Message-ID: <0100018c-1-000000@email.amazonses.com>\r\n"))
    assert bounces.river.state(message) is State.BOUNCED


async def test_where_mail_was_forwarded_to_is_noted_and_it_is_still_our_message_that_failed(bounces):
    (message,) = await bounces.sent()
    await bounces.take(bounces.path(message), dsn(to="elsewhere@far.example", original=ANN))
    assert bounces.river.state(message) is State.BOUNCED
    assert bounces.last(message)[1]["forwarded"] is True
    assert bounces.river.suppressed(ANN) == [(1, f"smtp:{message}")]


async def test_of_several_recipients_only_ours_counts(bounces):
    (message,) = await bounces.sent()
    letter = dsn(to="bob@home.example", status="5.1.1", **{"5_2_2": ANN.upper()}).replace(
        b"550 5.1.1 No such user here", b"see the status"
    )
    await bounces.take(bounces.path(message), letter)
    assert bounces.river.state(message) is State.DEFERRED
    assert bounces.river.suppressed(ANN) == []


def test_of_an_alias_that_was_expanded_the_mildest_counts():
    hard = Bounced("a@x.example", ANN, "failed", permanent=True, address_bad=True)
    soft = Bounced("b@x.example", ANN, "failed")
    there = Bounced("c@x.example", ANN, "delivered")
    assert ours((hard, soft), ANN) == (soft, True)
    assert ours((hard, there, soft), ANN) == (there, True)
    assert ours((hard,), "") == (hard, True)
    assert ours((), ANN) == (None, False)
    assert ours((hard, Bounced(f"<{ANN}>", "", "failed")), ANN)[1] is False


async def test_a_letter_to_two_messages_counts_for_both_and_a_wrong_one_beside_them_for_none(bounces):
    one, other = await bounces.sent(ANN, "bob@home.example")
    forged = bounces.path(one, key=bytes(32))
    await bounces.take([bounces.path(one), bounces.path(other), forged], dsn())
    assert bounces.river.state(one) is State.BOUNCED
    assert bounces.river.state(other) is State.BOUNCED
    assert bounces.kept() == [("bounce", "forged")]


async def test_what_names_nobody_or_is_no_bounce_is_kept_for_a_person(bounces, monkeypatch):
    (message,) = await bounces.sent()
    arf = next(iter(sorted((CORPUS / "arf").rglob("*.eml"))), None)
    for n, (letter, reason) in enumerate(
        [(b"", "not-a-bounce"), (b"\0\xff" * 50, "not-a-bounce"), *([(arf.read_bytes(), "feedback")] if arf else [])]
    ):
        await bounces.take(bounces.path(message), letter)
        assert bounces.kept()[n] == ("bounce", reason)
    monkeypatch.setattr(module, "read", lambda octets: module.Reading("bounce"))
    await bounces.take(bounces.path(message), b"nobody is named")
    assert bounces.kept()[-1] == ("bounce", "no-recipient")
    monkeypatch.setattr(module, "read", lambda octets: 1 // 0)
    await bounces.take(bounces.path(message), b"a fault of ours")
    assert bounces.kept()[-1] == ("bounce", "unreadable")
    assert bounces.nothing_changed(message)


async def test_a_message_that_is_gone_or_erased(bounces):
    (message,) = await bounces.sent()
    assert await bounces.take(bounces.path(uuid4()), dsn()) is Verdict.TAKEN
    assert bounces.counted() == {("bounce", "message-gone"): (1, 0)}
    bounces.river.erase(ANN)
    await bounces.take(bounces.path(message), dsn())
    assert bounces.river.state(message) is State.BOUNCED
    assert bounces.river.suppressed(ANN) == [(1, f"smtp:{message}")]


async def test_an_address_that_cannot_be_opened_is_nobodys(bounces):
    (message,) = await bounces.sent()
    bounces.river.database.fill("UPDATE person SET address_ct = %s", b"\x02nothing")
    await bounces.take(bounces.path(message), dsn())
    assert bounces.river.state(message) is State.BOUNCED


async def test_a_flood_is_a_number_and_hides_nothing_else(bounces, monkeypatch):
    (message,) = await bounces.sent()
    monkeypatch.setattr(aside, "MOST", Most(letters=5, of_reason=3, octets=10_000_000))
    forged = bounces.path(message, key=bytes(32))
    for n in range(20):
        assert await bounces.take(forged, b"X-N: %d\r\n" % n + dsn()) is Verdict.TAKEN
    await bounces.take(bounces.path(message), TALK)
    assert bounces.kept() == [("bounce", "forged")] * 3 + [("bounce", "not-a-bounce")]
    assert bounces.counted() == {("bounce", "forged"): (20, 17), ("bounce", "not-a-bounce"): (1, 0)}


async def test_so_many_octets_are_kept_of_them(bounces, monkeypatch):
    (message,) = await bounces.sent()
    monkeypatch.setattr(aside, "MOST", Most(letters=50, of_reason=50, octets=5_000))
    for n in range(5):
        await bounces.take(bounces.path(message), b"X-N: %d\r\n" % n + TALK + b"x" * 2_000)
    assert len(bounces.kept()) == 2
    assert bounces.counted()["bounce", "not-a-bounce"] == (5, 3)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpora are not here")
async def test_of_the_corpus_of_bounces_each_letter_leaves_the_message_in_a_state_of_the_table(bounces):
    """Whatever a bounce says, with a good token the message's address is suppressed only when the address is bad."""
    letters = sorted((CORPUS / "bounce-sisimai").rglob("*.eml"))[::40]
    messages = await bounces.sent(*(f"a{n}@home.example" for n in range(len(letters))))
    for message, letter in zip(messages, letters, strict=True):
        assert await bounces.take(bounces.path(message), letter.read_bytes()) is Verdict.TAKEN
    states = {bounces.river.state(m) for m in messages}
    assert states <= {State.SENT, State.BOUNCED, State.DEFERRED, State.DELIVERED}
    hard = bounces.river.database.run("SELECT count(*) FROM suppression")[0][0]
    assert 0 < hard < len(messages)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=70), st.sampled_from([DOMAIN, "", "other.example", "ä.example"]))
async def test_no_address_is_a_fault(bounces, local, domain):
    assert await bounces.desk.knows(f"{local}@{domain}") is False


async def test_each_letter_that_went_out_names_its_attempt_in_its_return_path(bounces):
    def full(said):
        return dsn(status="5.2.2", said=f"552 5.2.2 Mailbox is full {said}")

    (message,) = await bounces.sent()
    [first] = [entry.mail_from for entry in bounces.stage.store.entries()]
    await bounces.take(first, full("once"))
    bounces.later(hours=2)
    await bounces.work(lambda: bounces.river.state(message) is State.SENT)
    [second] = [entry.mail_from for entry in bounces.stage.store.entries() if entry.mail_from != first]
    await bounces.take(first, full("late"))
    assert bounces.river.state(message) is State.SENT
    await bounces.take(second, full("again"))
    assert bounces.river.state(message) is State.DEFERRED
