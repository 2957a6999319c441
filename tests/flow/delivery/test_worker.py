"""The worker against a real database and a real SMTP sink: what each answer makes of a message."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import dkim
import pytest
from tests.support.river import DOMAIN
from tests.support.stage import dns_txt

from troth.flow.delivery.work import Facts
from troth.keys.installation import Purpose
from troth.mail.letter import File
from troth.mail.own_link import mail_address, token_of
from troth.mail.tokens import ReturnPath, read_token, verp_open
from troth.rules.states import Kind, State


def head(content: bytes) -> dict[str, str]:
    """Unfolded header fields of a message."""
    lines = content.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b" ").decode().split("\r\n")
    return dict(line.split(": ", 1) for line in lines)


async def test_a_queued_message_is_signed_sent_and_told(stage):
    river = stage.river
    (message,) = river.queue("zoe@home.example")
    stage.worker()
    await stage.until_state(message, State.SENT)
    await stage.stop()
    (content,) = stage.got()
    assert dkim.DKIM(content).verify(dnsfunc=dns_txt)
    assert "Dear Zo=C3=AB" in content.decode()
    assert river.spooled(message) is None
    ((kind, detail),) = river.events(message)
    assert kind is Kind.SENT
    assert detail["code"] == 250
    assert detail["message_id"] == f"{message.hex}@{DOMAIN}"
    assert detail["size"] == len(content)
    assert (detail["selector"], detail["bits"]) == ("troth1", 2048)


async def test_the_event_tells_header_and_conversation_as_they_were(stage):
    river = stage.river
    (message,) = river.queue("zoe@home.example")
    stage.worker()
    await stage.until_state(message, State.SENT)
    await stage.stop()
    ((_, detail),) = river.events(message)
    assert "\r\n".join(detail["headers"]).encode() == stage.got()[0].partition(b"\r\n\r\n")[0]
    assert detail["headers"][0].startswith("DKIM-Signature: ")
    said = detail["conversation"]
    assert "RCPT TO:<zoe@home.example>" in said
    assert said[-1].startswith("250 ")


async def test_a_long_header_is_kept_in_whole_lines_up_to_16_kilobytes():
    header = b"\r\n".join(b"X-%04d: %s" % (n, b"x" * 90) for n in range(300))
    kept = Facts("a@b", 1, "s", 2048, header).headers()
    assert 16_000 < len("\r\n".join(kept)) <= 16_384
    assert header.startswith("\r\n".join(kept).encode() + b"\r\n")


async def test_tokens_of_a_message_name_it(stage):
    river = stage.river
    (message,) = river.queue("zoe@home.example")
    stage.worker(inbound_port=2525)
    await stage.until_state(message, State.SENT)
    fields = head(stage.got()[0])
    now = datetime.now(UTC)
    keys = river.secrets.token_keys(Purpose.UNSUBSCRIBE)
    web, _, mail = fields["List-Unsubscribe"].partition(", ")
    token = web.strip("<>").removeprefix("http://localhost:8026/u/")
    assert UUID(bytes=read_token(keys, "unsubscribe", token, now)) == message
    assert mail == f"<mailto:{mail_address(token, f'bounce.{DOMAIN}')}>"
    assert token_of(mail[len("<mailto:") :].partition("@")[0]) == token
    assert fields["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    local, _, domain = stage.store.entries()[0].mail_from.partition("@")
    assert domain == f"bounce.{DOMAIN}"
    assert verp_open(river.secrets.token_keys(Purpose.VERP), local, now) == ReturnPath(message, 1)


async def test_no_opt_out_by_mail_is_offered_where_no_mail_is_taken(stage):
    (message,) = stage.river.queue("zoe@home.example")
    stage.worker()
    await stage.until_state(message, State.SENT)
    fields = head(stage.got()[0])
    assert re.fullmatch("<http://localhost:8026/u/[^<>]+>", fields["List-Unsubscribe"])
    assert fields["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


async def test_a_raw_letter_carries_all_it_was_given(stage):
    river = stage.river
    meant = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    made = river.queue(
        "zoe@home.example",
        cc=("max@home.example", "gone@home.example"),
        subject="Grüße",
        text=".dots\n..first",
        html="<img src='cid:logo@x'>",
        reply_to=(f"Desk <desk@{DOMAIN}>",),
        headers={"X-Ref": "7", "Auto-Submitted": "auto-notified"},
        attachments=(File("a.txt", "text/plain", b"file"), File("b.png", "image/png", b"\x89PNG", "logo@x")),
        scheduled_at=meant,
    )
    river.erase("gone@home.example")
    stage.worker()
    await stage.until(lambda: river.states() == {State.SENT: 2, State.CANCELLED: 1})
    contents = stage.got()
    assert len(contents) == 2
    for content in contents:
        fields = head(content)
        assert dkim.DKIM(content).verify(dnsfunc=dns_txt)
        assert fields["To"] == "zoe@home.example"
        assert fields["Cc"] == "max@home.example"
        assert fields["Reply-To"] == f"Desk <desk@{DOMAIN}>"
        assert fields["X-Ref"] == "7"
        assert fields["Auto-Submitted"] == "auto-notified"
        assert b"\r\n.dots\r\n..first\r\n" in content
        assert b"multipart/related" in content
    # scheduled before it was made: the Date stays the day it was asked for
    assert head(contents[0])["Date"].endswith("+0000")
    assert river.told(made[2]) == [Kind.CANCELLED]


@pytest.mark.parametrize(
    ("address", "state", "kind", "reasons"),
    [
        ("bounce-hard@home.example", State.BOUNCED, Kind.BOUNCED, [1]),
        ("policy@home.example", State.BOUNCED, Kind.BOUNCED, []),
        ("full@home.example", State.DEFERRED, Kind.DEFERRED, []),
        ("tempfail@home.example", State.DEFERRED, Kind.DEFERRED, []),
        ("greylist@home.example", State.DEFERRED, Kind.DEFERRED, []),
    ],
)
async def test_a_refusal_by_its_class(stage, address, state, kind, reasons):
    river = stage.river
    (message,) = river.queue(address)
    stage.worker()
    await stage.until_state(message, state)
    await stage.stop()
    assert stage.got() == []
    assert river.told(message) == [kind]
    assert [r for r, _ in river.suppressed(address)] == reasons
    assert all(source == f"smtp:{message}" for _, source in river.suppressed(address))
    row = river.spooled(message)
    assert (row is None) == (state is State.BOUNCED)
    if row:
        assert row["state"] == State.DEFERRED
        assert row["attempts"] == 1
        assert row["schedule_attempts"] == 1


async def test_a_full_mailbox_is_tried_three_times_then_condemned(stage):
    river = stage.river
    (message,) = river.queue("full@home.example")
    stage.worker()
    for wait in (60, 360, 2160):
        await stage.until(lambda: river.state(message) is State.DEFERRED and river.spooled(message)["state"] == 7)
        row = river.spooled(message)
        due = datetime.fromisoformat(row["due"]) - datetime.now(UTC)
        assert abs(due - timedelta(minutes=wait)) < timedelta(minutes=1)
        assert row["schedule"] == "mailbox"
        river.database.run("UPDATE spool SET due = now() - interval '1 s' WHERE message_id = %s", message)
        await stage.until(
            lambda: river.spooled(message) is None or river.spooled(message)["attempts"] > row["attempts"]
        )
    await stage.until_state(message, State.BOUNCED)
    assert river.told(message) == [Kind.DEFERRED] * 3 + [Kind.BOUNCED]
    assert river.events(message)[-1][1]["reason"] == "soft_spent"
    assert [r for r, _ in river.suppressed("full@home.example")] == [6]


async def test_an_answer_that_never_came_is_uncertain_and_sent_again_under_the_same_id(stage):
    river = stage.river
    (message,) = river.queue("drop-after-data@home.example")
    stage.worker()
    await stage.until_state(message, State.SENT)
    assert river.told(message) == [Kind.UNCERTAIN, Kind.QUEUED, Kind.SENT]
    assert stage.message_ids() == [f"<{message.hex}@{DOMAIN}>"] * 2


async def test_an_uncertain_message_is_held_where_the_live_policy_says_so(stage):
    river = stage.river
    river.add_category(delivery={"uncertain": "hold"})
    (message,) = river.queue("drop-after-data@home.example")
    stage.worker()
    await stage.until_state(message, State.HELD)
    assert river.told(message) == [Kind.UNCERTAIN, Kind.HELD]
    assert len(stage.got()) == 1
    assert river.spooled(message)["due"] == river.spooled(message)["lifetime_ends"]


async def test_a_mark_left_behind_is_uncertain_even_when_its_life_is_over(stage):
    river = stage.river
    kept, over = river.queue("a@home.example"), river.queue("b@home.example")
    river.database.run(
        "UPDATE spool SET state = 4, attempts = 1, due = now() - interval '1 s',"
        " lifetime_ends = CASE WHEN message_id = %s THEN now() - interval '1 s' ELSE lifetime_ends END", over[0],
    )  # fmt: skip
    stage.worker()
    await stage.until_state(kept[0], State.SENT)
    await stage.until_state(over[0], State.EXPIRED)
    assert river.told(kept[0]) == [Kind.UNCERTAIN, Kind.QUEUED, Kind.SENT]
    assert river.told(over[0]) == [Kind.UNCERTAIN, Kind.QUEUED, Kind.EXPIRED]
    assert len(stage.got()) == 1


async def test_a_late_answer_after_the_claim_was_lost_is_still_told(stage):
    river = stage.river
    (sent,) = river.queue("slow@home.example")
    worker = stage.worker()
    await stage.until(lambda: worker.desk.sending == 1)
    river.database.run("UPDATE spool SET token = token + 1, due = now() + interval '1 hour'")
    await stage.until_state(sent, State.SENT)
    assert river.spooled(sent) is None
    assert worker.counters.late == 1


async def test_late_refusals_that_mean_nothing_are_dropped(stage):
    river = stage.river
    (message,) = river.queue("slow-full@home.example")
    stage.sink.delay = 0
    worker = stage.worker()
    await stage.until_state(message, State.DEFERRED)
    assert worker.counters.late == 0


async def test_two_workers_send_each_message_once(stage):
    stage.river.queue("a@home.example", copies=300)
    stage.worker(claim_batch=40)
    stage.worker(claim_batch=40)
    await stage.until_all(State.SENT)
    await stage.stop()
    ids = stage.message_ids()
    assert len(ids) == len(set(ids)) == 300
    assert stage.river.database.run("SELECT count(*) FROM spool") == [(0,)]


async def test_a_slow_next_hop_keeps_its_lease(stage):
    """The answer takes longer than a lease; a second worker looks on."""
    stage.sink.delay = 3.0
    (message,) = stage.river.queue("a@home.example")
    stage.worker(lease_seconds=1)
    stage.worker(lease_seconds=1)
    await stage.until_state(message, State.SENT)
    assert stage.river.told(message) == [Kind.SENT]
    assert len(stage.got()) == 1


async def test_what_waits_longer_than_a_lease_goes_back(stage):
    river = stage.river
    river.queue("slow@home.example", copies=3)
    worker = stage.worker(connections=1, lease_seconds=1)
    await stage.until(lambda: worker.counters.returned > 0)
    await stage.until_all(State.SENT)
    assert len(stage.got()) == 3


async def test_a_stop_gives_back_what_was_not_marked_and_finishes_the_rest(stage):
    worker = await stage.one_ahead()
    stage.river.queue("a@home.example", copies=20)
    await stage.until(lambda: len(worker.desk.ready) > 0)
    await stage.stop()
    assert stage.river.states()[State.SENT] == 1
    rows = stage.river.database.run("SELECT state, lost_claims, count(*) FROM spool GROUP BY 1, 2")
    assert rows == [(int(State.QUEUED), 0, 20)]
    assert worker.desk.hand == {}


async def test_a_route_that_is_down_costs_one_probe_not_every_message(stage, monkeypatch):
    from troth.flow.delivery import marking

    monkeypatch.setattr(marking, "DOWN_DELAY", 0.5)
    river = stage.river
    await stage.sink.stop()
    river.queue("a@home.example", copies=30)
    worker = stage.worker()
    await stage.until(lambda: river.states().get(State.DEFERRED, 0) >= 1 and worker.counters.returned >= 2)
    await asyncio.sleep(1)
    deferred = river.states()[State.DEFERRED]
    assert deferred <= 8
    await stage.sink.start(port=stage.port)
    await stage.until(lambda: river.states().get(State.SENT, 0) == 30 - river.states().get(State.DEFERRED, 0))
    assert river.states()[State.SENT] >= 20
