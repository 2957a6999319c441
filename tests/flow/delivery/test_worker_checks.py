"""What changes between the claim and the mark is seen by the mark: nothing is sent after the change was committed."""

from datetime import timedelta
from uuid import uuid4

import pytest
from tests.support.stage import HELD_UP

from troth.rules.states import Kind, State

ADDRESS = "zoe@home.example"


def suppress(river):
    river.suppress(ADDRESS)


def opt_out(river):
    index = river.people[ADDRESS].index
    river.database.run("SELECT opt_out_v1(%s, %s, %s, 'test')", river.tenant, index, river.category)


def pause(river):
    river.database.run("SELECT pause_v1(ARRAY[%s::uuid], 'stop-delivery', 'test', 'test')", river.tenant)


def pause_category(river):
    _stop(river, river.category)


def _stop(river, category):
    river.database.fill(
        "INSERT INTO pause (id, tenant_id, category_id, effect, reason, started_by, started_at)"
        " VALUES (%s, %s, %s, 'stop-delivery', 'test', 'somebody', now())", uuid4(), river.tenant, category,
    )  # fmt: skip


def revoke(river):
    river.database.fill(
        "INSERT INTO revocation VALUES (%s, %s, 'test', now(), %s)",
        river.snapshots[river.template], river.tenant, river.humans[0],
    )  # fmt: skip


def unverify(river):
    river.database.fill("UPDATE person SET status = 1 WHERE id = %s", river.people[ADDRESS].id)


def erase(river):
    river.erase(ADDRESS)


def close_domain(river):
    river.database.run("UPDATE domain_state SET ready_until = '-infinity'")


def end_life(river):
    river.database.run("UPDATE spool SET lifetime_ends = now() WHERE person_id = %s", river.people[ADDRESS].id)


def cancel(river):
    river.database.run("DELETE FROM spool WHERE person_id = %s", river.people[ADDRESS].id)


CHANGES = [
    (suppress, State.SUPPRESSED, [Kind.SUPPRESSED]),
    (opt_out, State.SUPPRESSED, [Kind.SUPPRESSED]),
    (pause, State.HELD, [Kind.HELD]),
    (pause_category, State.HELD, [Kind.HELD]),
    (revoke, State.HELD, [Kind.HELD]),
    (unverify, State.HELD, [Kind.HELD]),
    (erase, State.CANCELLED, [Kind.CANCELLED]),
    (close_domain, State.HELD, [Kind.HELD]),
    (end_life, State.EXPIRED, [Kind.EXPIRED]),
    (cancel, State.QUEUED, []),
]


@pytest.mark.parametrize(("change", "state", "told"), CHANGES, ids=lambda c: getattr(c, "__name__", ""))
async def test_zero_are_sent_after_the_change(stage, change, state, told):
    river = stage.river
    worker = await stage.one_ahead()
    (message,) = river.queue(ADDRESS)
    await stage.until(lambda: len(worker.desk.ready) == 1)
    change(river)
    await stage.until(lambda: worker.counters.marked + worker.counters.stale >= 1 and not worker.desk.hand)
    await stage.stop()
    assert river.state(message) is state
    assert river.told(message) == told
    assert stage.got(ADDRESS) == []
    assert (river.spooled(message) is not None) == (state is State.HELD)


@pytest.mark.parametrize("change", [suppress, pause, erase, close_domain])
async def test_changes_before_the_claim_are_seen_too(stage, change):
    river = stage.river
    (message,) = river.queue(ADDRESS)
    change(river)
    worker = stage.worker()
    await stage.until(lambda: river.state(message) is not State.QUEUED and not worker.desk.hand)
    assert stage.got() == []
    assert river.state(message) in (State.SUPPRESSED, State.HELD, State.CANCELLED)


async def test_a_stop_of_another_category_stops_nothing_here(stage):
    river = stage.river
    (message,) = river.queue(ADDRESS)
    _stop(river, uuid4())
    stage.worker()
    await stage.until(lambda: river.state(message) is State.SENT)
    assert len(stage.got(ADDRESS)) == 1


async def test_a_hold_asks_again_by_itself_and_is_told_once(stage):
    river = stage.river
    (message,) = river.queue(ADDRESS)
    close_domain(river)
    stage.worker()
    await stage.until(lambda: river.state(message) is State.HELD)
    for _ in range(2):
        token = river.spooled(message)["token"]
        river.database.run("UPDATE spool SET due = now() - interval '1 s'")
        await stage.until(lambda: river.spooled(message)["token"] >= token + 2)  # claimed and given back
    assert river.told(message) == [Kind.HELD]
    river.database.run("UPDATE domain_state SET ready_until = 'infinity'")
    river.database.run("UPDATE spool SET due = now() - interval '1 s'")
    await stage.until_state(message, State.SENT)
    assert river.told(message) == [Kind.HELD, Kind.QUEUED, Kind.SENT]


async def test_a_released_message_goes_and_its_release_is_told(stage):
    river = stage.river
    (message,) = river.queue(ADDRESS)
    river.database.fill("UPDATE message SET state = 10")
    river.database.run("UPDATE spool SET state = 10, due = now()")
    river.database.fill("INSERT INTO release_order VALUES (%s, %s, %s, now())", message, river.tenant, uuid4())
    stage.worker()
    await stage.until_state(message, State.SENT)
    assert river.told(message) == [Kind.RELEASED, Kind.SENT]
    assert river.database.run("SELECT count(*) FROM release_order") == [(0,)]


async def test_a_message_held_for_review_to_its_end_expires(stage):
    river = stage.river
    (message,) = river.queue(ADDRESS, lifetime=timedelta(seconds=1))
    river.database.fill("UPDATE message SET state = 10")
    river.database.run("UPDATE spool SET state = 10, due = lifetime_ends")
    stage.worker()
    await stage.until_state(message, State.EXPIRED)
    assert river.told(message) == [Kind.EXPIRED]


@pytest.mark.parametrize("broken", ["no key", "other key", "no template"])
async def test_what_cannot_be_signed_or_found_is_held(stage, broken):
    river = stage.river
    (message,) = river.queue(ADDRESS)
    if broken == "no key":
        river.database.fill("DELETE FROM dkim_key")
    elif broken == "other key":
        river.database.fill("UPDATE dkim_key SET private_ct = %s", river.keys.seal(b"not a key", b"elsewhere"))
    else:
        river.database.fill("UPDATE spool SET template_snapshot = %s", uuid4())
    stage.worker()
    await stage.until_state(message, State.HELD)
    assert river.events(message)[0][1]["reason"] == ("unapproved" if broken == "no template" else "domain-unready")


async def test_a_body_that_does_not_open_is_held_for_people_to_look(stage):
    river = stage.river
    (one, two, three) = (river.queue(ADDRESS)[0] for _ in range(3))
    key = river.people[ADDRESS].key
    river.database.fill("UPDATE message_body SET body_ct = %s WHERE message_id = %s", key.seal(b"x", b"elsewhere"), one)
    river.database.fill(
        "UPDATE message_body SET body_ct = %s WHERE message_id = %s",
        key.seal(b"\xc1", b"message.body:" + two.bytes),
        two,
    )
    stage.worker()
    await stage.until(lambda: river.states() == {State.HELD: 2, State.SENT: 1})
    assert river.events(one)[0][1]["reason"] == "cannot-open"
    assert river.state(three) is State.SENT


async def test_a_foreign_data_key_is_held(stage):
    river = stage.river
    (message,) = river.queue(ADDRESS)
    _, wrapped = river.keys.new_person_key(uuid4())
    river.database.fill("UPDATE person SET data_key = %s", wrapped)
    stage.worker()
    await stage.until_state(message, State.HELD)


# ---- poison


BOMB = {
    "category": "rent-reminder",
    "subject": "x",
    "html": None,
    "text": "{% set a = 'xxxxxxxxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 34 + "{{ a | length }}",
    "schema": {},
    "targeting": {},
}


def template(river, **parts):
    river.approve("template", river.template, "rent-reminder", {**BOMB, **parts})


async def test_a_bomb_that_killed_a_worker_is_rendered_in_a_child_and_held(stage):
    river = stage.river
    template(river)
    (bomb,) = river.queue(ADDRESS)
    template(river, text="Hello {{ name }}")
    (innocent,) = river.queue(ADDRESS)
    river.database.run("UPDATE spool SET state = 3, due = now() - interval '1 s'")
    worker = stage.worker()
    await stage.until(lambda: river.states() == {State.HELD: 1, State.SENT: 1}, 30)
    assert river.events(bomb)[0][1]["reason"] == "poison"
    assert river.state(innocent) is State.SENT
    assert river.spooled(bomb)["due"] == river.spooled(bomb)["lifetime_ends"]
    assert river.spooled(bomb)["lost_claims"] == 1  # so that after a release it is rendered in a child again
    assert worker.counters.broken == 0


async def test_what_loses_workers_again_and_again_is_held(stage):
    river = stage.river
    (message,) = river.queue(ADDRESS)
    river.database.run("UPDATE spool SET state = 3, lost_claims = 4, due = now() - interval '1 s'")
    stage.worker()
    await stage.until_state(message, State.HELD)
    assert river.events(message)[0][1]["reason"] == "poison"


@pytest.mark.parametrize(
    ("parts", "state", "reason"),
    [
        ({"text": "{% for i in range(99999) %}{{ i }}{% endfor %}"}, State.HELD, "render-limit"),
        ({"text": "{{ 'x' * 9 }}{{ missing }}"}, State.FAILED, "cannot-render"),
        ({"text": "{{ "}, State.FAILED, "cannot-render"),
        ({"text": "x", "subject": "s" * 1001}, State.FAILED, "cannot-render"),
    ],
)
@pytest.mark.parametrize("lost", [0, 1])
async def test_what_cannot_be_rendered(stage, parts, state, reason, lost):
    river = stage.river
    template(river, **parts)
    (message,) = river.queue(ADDRESS)
    if lost:
        river.database.run("UPDATE spool SET state = 3, due = now() - interval '1 s'")
    stage.worker()
    await stage.until_state(message, state)
    assert river.events(message)[0][1]["reason"] == reason
    assert (river.spooled(message) is None) == (state is State.FAILED)


async def test_a_fault_of_ours_in_one_message_stops_nobody_else(stage):
    river = stage.river
    (bad,) = river.queue(ADDRESS, lifetime=timedelta(days=60_000))  # a return path cannot be dated that far
    (good,) = river.queue(ADDRESS)
    stage.worker()
    await stage.until(lambda: river.states() == {State.HELD: 1, State.SENT: 1})
    assert river.state(good) is State.SENT
    assert river.events(bad)[0][1]["reason"] == "cannot-compose"


async def test_an_address_that_cannot_be_said_in_smtp_fails_here(stage):
    river = stage.river
    river.person(HELD_UP)
    (message,) = river.queue(ADDRESS)
    from troth.keys import places
    from troth.mail.letter import Letter, encode

    key = river.people[ADDRESS].key
    letter = Letter(sender=river.sender, forward_path="a> <b@c", variables={"name": "n", "flat": "f"})
    river.database.fill("UPDATE message_body SET body_ct = %s", key.seal(encode(letter), places.body(message)))
    stage.worker()
    await stage.until_state(message, State.FAILED)
    assert river.events(message)[0][1]["reason"] == "not-sendable"
