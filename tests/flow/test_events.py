"""events.py: one transaction for a state, its event, its leaf hash, its outbox row and what follows from it."""

import hashlib
import json
from datetime import timedelta

import psycopg
import pytest
from tests.support.firm import now

from troth.flow import events
from troth.flow.events import Happening, Report, Settlement
from troth.flow.gate.recall import opener
from troth.keys import places
from troth.keys.ids import uuid7
from troth.ledger.leaf import EventFields, commit, event_leaf
from troth.rules.states import IllegalTransition, Kind, State
from troth.store import events as store
from troth.store.connection import connect


@pytest.fixture
async def flow(operator):
    async with await connect(operator.database.conninfo("troth_flow"), "test") as connection:
        yield connection


@pytest.fixture
def queued(operator, firm):
    """A message in the spool, claimed with token 1, put there by the superuser."""

    def make(address="ann@example.net", state=3, cached=2):
        person, message, email = firm.person(address), uuid7(now()), uuid7(now())
        wrapped = operator.admin.execute("SELECT data_key FROM person WHERE id = %s", (person,)).fetchone()[0]
        key = firm.keys.person(wrapped, person)
        index = firm.index(address)
        operator.admin.execute(
            "INSERT INTO message VALUES (%s,%s,%s,%s,%s,%s,1,%s,%s,%s,%s)",
            (message, email, firm.tenant, person, index, firm.category, now(), b"\2x", cached, now()),
        )
        operator.admin.execute(
            "INSERT INTO spool (message_id, tenant_id, email_id, person_id, blind_index, category_id,"
            " category_snapshot, domain_id, state, due, lifetime_ends, token)"
            " VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,1)",
            (message, firm.tenant, email, person, index, firm.category, operator.snapshot(firm.category), firm.domain,
             state, now(), now() + timedelta(days=1)),
        )  # fmt: skip
        return message, key

    return make


def happening(firm, message, key, kind, source="1", detail=None):
    return Happening(message, firm.tenant, kind, source, key, detail)


def one(operator, query, *params):
    return operator.admin.execute(query, params).fetchone()


async def test_a_settlement_is_whole(flow, operator, firm, queued):
    message, key = queued()
    operator.admin.execute(
        "INSERT INTO webhook_endpoint VALUES (%s,%s,%s,%s)", (uuid7(now()), firm.tenant, b"\1x", now())
    )
    at = now()
    told = happening(firm, message, key, Kind.BOUNCED, "attempt:1", {"text": "no such user"})
    suppress = store.NewSuppression(firm.index("ann@example.net"), 1, "smtp", firm.tenant, None)
    assert await events.settle(flow, [Settlement(1, (told,), State.BOUNCED, None, suppress)], at) == {message}
    assert one(operator, "SELECT count(*) FROM spool")[0] == 0
    assert one(operator, "SELECT state FROM message")[0] == State.BOUNCED
    assert one(operator, "SELECT count(*) FROM suppression")[0] == 1
    assert one(operator, "SELECT count(*) FROM suppression_feed")[0] == 1
    assert one(operator, "SELECT kind, source_key FROM webhook_outbox") == (Kind.BOUNCED, "attempt:1")
    sealed, leaf = one(operator, "SELECT detail_ct, leaf_hash FROM event")
    opened = json.loads(key.open(sealed, places.event(message, "attempt:1")))
    assert opened["detail"] == {"text": "no such user"}
    salt = bytes.fromhex(opened["salt"])
    detail = commit(salt, '{"text":"no such user"}')
    assert leaf == event_leaf(salt, EventFields(str(message), str(firm.tenant), "bounced", at, detail))
    assert len(leaf) == hashlib.sha256().digest_size


async def test_a_stale_token_settles_nothing(flow, operator, firm, queued):
    message, key = queued()
    assert (
        await events.settle(flow, [Settlement(0, (happening(firm, message, key, Kind.SENT),), State.SENT)], now())
        == set()
    )
    assert one(operator, "SELECT state FROM spool")[0] == 3
    assert one(operator, "SELECT count(*) FROM event")[0] == 0


async def test_a_kept_message_moves_on_and_its_token_with_it(flow, operator, firm, queued):
    message, key = queued(state=4)
    due = now() + timedelta(hours=1)
    kept = store.Kept(message, 7, due, "mailbox", 1, now(), 0)
    told = happening(firm, message, key, Kind.DEFERRED)
    assert await events.settle(flow, [Settlement(1, (told,), State.DEFERRED, kept)], now()) == {message}
    assert one(operator, "SELECT state, token, schedule, schedule_attempts FROM spool") == (7, 2, "mailbox", 1)
    assert one(operator, "SELECT due FROM spool")[0] == due


async def test_a_failure_anywhere_leaves_nothing(flow, operator, firm, queued):
    message, key = queued()
    broken = store.NewSuppression(b"short", 1, "smtp", None, None)
    told = happening(firm, message, key, Kind.BOUNCED)
    with pytest.raises(psycopg.errors.CheckViolation):
        await events.settle(flow, [Settlement(1, (told,), State.BOUNCED, None, broken)], now())
    assert one(operator, "SELECT count(*) FROM event")[0] == 0
    assert one(operator, "SELECT state FROM message")[0] == State.QUEUED
    assert one(operator, "SELECT count(*) FROM spool")[0] == 1


async def test_the_database_refuses_a_step_that_the_table_does_not_have(flow, operator, firm, queued):
    message, key = queued(cached=State.BOUNCED)
    told = happening(firm, message, key, Kind.SENT)
    with pytest.raises(psycopg.errors.CheckViolation, match="cannot follow"):
        await events.settle(flow, [Settlement(1, (told,), State.QUEUED)], now())


async def test_a_report_counts_once_however_often_it_comes(flow, operator, firm, queued):
    message, _ = queued(cached=State.SENT)
    reports = [Report(message, Kind.DELIVERED, "dsn:1"), Report(uuid7(now()), Kind.DELIVERED, "dsn:2")]
    for expected in ({(message, int(Kind.DELIVERED))}, set()):
        assert await events.report(flow, reports, now(), opener(operator.keyring)) == expected
    assert one(operator, "SELECT state FROM message")[0] == State.DELIVERED
    assert one(operator, "SELECT count(*) FROM event")[0] == 1


async def test_a_late_answer_takes_the_message_out_of_the_queue(flow, operator, firm, queued):
    message, _ = queued()
    suppress = store.NewSuppression(firm.index("ann@example.net"), 3, "link", firm.tenant, None)
    await events.report(flow, [Report(message, Kind.SENT, "late", None, suppress)], now(), opener(operator.keyring))
    assert one(operator, "SELECT state FROM message")[0] == State.SENT
    assert one(operator, "SELECT count(*) FROM spool")[0] == 0
    assert one(operator, "SELECT count(*) FROM suppression")[0] == 1


async def test_an_opt_out_is_an_event_that_moves_no_state(flow, operator, firm, queued):
    message, _ = queued()
    await events.report(flow, [Report(message, Kind.UNSUBSCRIBED, "link")], now(), opener(operator.keyring))
    assert one(operator, "SELECT state FROM message")[0] == State.QUEUED
    assert one(operator, "SELECT count(*) FROM spool")[0] == 1
    assert await store.opt_out(flow, tenant=firm.tenant, index=b"i" * 32, category=firm.category, source="link")
    assert not await store.opt_out(flow, tenant=firm.tenant, index=b"i" * 32, category=firm.category, source="link")


async def test_an_erased_person_keeps_the_leaf_and_loses_the_detail(flow, operator, firm, queued):
    message, _ = queued(cached=State.SENT)
    control = operator.database.open("troth_control", tenant=firm.tenant)
    assert control.execute("SELECT erase_person_v1(%s,%s)", (firm.tenant, firm.people["ann@example.net"])).fetchone()[0]
    await events.report(flow, [Report(message, Kind.DELIVERED, "dsn")], now(), opener(operator.keyring))
    assert one(operator, "SELECT detail_ct IS NULL, length(leaf_hash) FROM event") == (True, 32)


async def test_an_impossible_report_changes_nothing(flow, operator, firm, queued):
    message, _ = queued(cached=State.SENT)
    with pytest.raises(IllegalTransition):
        await events.report(flow, [Report(message, Kind.CLAIMED, "x")], now(), opener(operator.keyring))
    assert one(operator, "SELECT count(*) FROM event")[0] == 0
