"""The gate against a real database: what is on disk after each answer."""

import asyncio
import json
from datetime import timedelta

import pytest
from tests.support.firm import make_firm, now

from troth.flow.gate.accept import Gate, StoreAway
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Refused, Taken
from troth.flow.gate.recall import Recall
from troth.keys.ids import uuid7
from troth.store.connection import connect


@pytest.fixture
async def gate(operator):
    made = Gate(
        lambda name: connect(operator.database.conninfo("troth_flow"), name), operator.keyring, operator.secrets
    )
    await made.start()
    yield made
    await made.stop()


def email(to="ann@example.net", **more):
    asked = {"to": (to,) if isinstance(to, str) else to, "template": "reminder", "variables": {"name": "Ann Example"}}
    return EmailAsked(**{**asked, **more})


def ask(firm, *emails, key=None, fingerprint=b"f", permissive=False):
    idempotency = None if key is None else (key.ljust(32, b"k"), fingerprint.ljust(32, b"f"))
    return Ask(Caller(key_hash=firm.key_hash), emails or (email(),), "POST", "/emails", permissive, idempotency)


def count(operator, table):
    return operator.admin.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


async def test_a_taken_email_is_on_disk_in_every_table_and_sealed(gate, operator, firm):
    firm.person("ann@example.net")
    answer = await gate.submit(ask(firm))
    assert isinstance(answer, Taken)
    for table in ("email", "message", "message_body", "event", "spool", "api_request"):
        assert count(operator, table) == 1, table
    row = operator.admin.execute("SELECT b.body_ct, m.decision_ct, m.state FROM message m, message_body b").fetchone()
    assert b"Ann" not in row[0]
    assert b"tenant_active" not in row[1]
    assert row[2] == 2
    assert {r.scope for r in answer.rates} == {"key", "tenant", "template"}


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("recipient-unverified", email("stranger@example.net")),
        ("address-invalid", email("a@b)c@d")),
        ("smtputf8-unsupported", email("änn@example.net")),
        ("unknown-template", email(template="nope")),
        ("variables-do-not-fit", email(variables={"nam": "x"})),
        ("content-invalid", email(html="<p>both</p>")),
        ("sender-mismatch", email(sender="other@mail.firm.example")),
        ("no-recipient", email(())),
        ("header-injection", email(headers={"X-Note": "a\r\nBcc: x@example.net"})),
        ("header-refused", email(headers={"DKIM-Signature": "v=1"})),
        ("schedule-in-past", email(scheduled_at=now() - timedelta(hours=1))),
        ("schedule-too-far", email(scheduled_at=now() + timedelta(days=90))),
        ("category-unknown", email(template=None, variables=None, subject="x", text="y", tags={"category": "none"})),
        ("too-many-recipients", email(tuple(f"a{n}@example.net" for n in range(51)))),
    ],
)
async def test_a_refusal_stores_nothing_but_its_decision_in_the_request_log(gate, operator, firm, code, asked):
    firm.person("ann@example.net")
    answer = await gate.submit(ask(firm, asked))
    assert isinstance(answer, Refused)
    assert answer.refusal.code == code
    assert answer.refusal.sentence
    assert [count(operator, t) for t in ("email", "message", "spool", "event", "idempotency")] == [0, 0, 0, 0, 0]
    log = operator.admin.execute("SELECT status, problem, tenant_id, decision_ct FROM api_request").fetchone()
    assert log[1] == code
    assert log[2] == firm.tenant
    assert log[3][0] == 1


async def test_what_is_governed_is_looked_up_live(gate, operator, firm):
    firm.person("ann@example.net")
    assert isinstance(await gate.submit(ask(firm)), Taken)
    firm.domain_ready(ready=False)
    assert (await gate.submit(ask(firm))).refusal.code == "domain-unready"
    firm.domain_ready()
    operator.revoke(firm.template)
    assert (await gate.submit(ask(firm))).refusal.code == "template-unapproved"
    operator.revoke(firm.category)
    assert (await gate.submit(ask(firm))).refusal.code == "category-unapproved"
    operator.revoke(firm.key)
    assert (await gate.submit(ask(firm))).refusal.code == "key-revoked"
    unknown = Ask(Caller(key_hash=b"?" * 32), (email(),), "POST", "/emails")
    assert (await gate.submit(unknown)).refusal.code == "invalid-api-key"


async def test_what_waits_for_its_second_person_is_told_as_that(gate, operator, firm):
    firm.person("ann@example.net")
    for kind, code in (("template", "waiting"), ("category", "waiting")):
        artefact = json.dumps({"category": "rent"})
        asked = (uuid7(now()), kind, firm.tenant, uuid7(now()), code, artefact, "soon", operator.sessions[0])
        operator.control.execute("SELECT propose_v1(%s,%s,%s,%s,%s,%s,%s,%s)", asked)
    assert (await gate.submit(ask(firm, email(template="waiting")))).refusal.code == "template-unapproved"
    raw = email(template=None, variables=None, subject="x", text="y", tags={"category": "waiting"})
    assert (await gate.submit(ask(firm, raw))).refusal.code == "category-unapproved"


async def test_a_pause_refuses_and_an_anomaly_holds(gate, operator, firm):
    firm.person("ann@example.net")
    operator.admin.execute("SELECT pause_v1(%s, 'stop-new', 'too much', 'anomaly')", ([firm.tenant],))
    assert isinstance(await gate.submit(ask(firm)), Taken)
    state, due, ends = operator.admin.execute("SELECT state, due, lifetime_ends FROM spool").fetchone()
    assert state == 10
    assert due == ends
    operator.admin.execute("SELECT pause_v1(%s, 'stop-new', 'stop', 'owner')", ([None],))
    assert (await gate.submit(ask(firm))).refusal.code == "tenant-paused"


async def test_a_suppressed_recipient_is_stored_as_suppressed_and_not_spooled(gate, operator, firm):
    firm.person("ann@example.net")
    firm.person("bob@example.net")
    operator.admin.execute(
        "SELECT suppress_v1(%s, ARRAY[1]::smallint[], ARRAY['test'], ARRAY[NULL]::uuid[], ARRAY[NULL]::bytea[])",
        ([firm.index("ann@example.net")],),
    )
    assert isinstance(await gate.submit(ask(firm, email(("ann@example.net", "bob@example.net")))), Taken)
    assert sorted(r[0] for r in operator.admin.execute("SELECT state FROM message")) == [2, 11]
    assert count(operator, "spool") == 1


async def test_an_opt_out_covers_its_category_alone(gate, operator, firm):
    firm.person("ann@example.net")
    operator.admin.execute(
        "SELECT opt_out_v1(%s,%s,%s,'test')", (firm.tenant, firm.index("ann@example.net"), firm.category)
    )
    await gate.submit(ask(firm))
    assert operator.admin.execute("SELECT state FROM message").fetchone()[0] == 11


async def test_one_key_a_thousand_times_at_once_is_one_email(gate, operator, firm):
    firm.person("ann@example.net")
    answers = await asyncio.gather(*(gate.submit(ask(firm, key=b"once")) for _ in range(1000)))
    assert len({a.ids for a in answers}) == 1
    assert sum(not a.replayed for a in answers) == 1
    assert count(operator, "email") == count(operator, "spool") == 1


async def test_two_doors_agree_on_one_key(operator, firm):
    firm.person("ann@example.net")
    doors = [
        Gate(lambda n: connect(operator.database.conninfo("troth_flow"), n), operator.keyring, operator.secrets)
        for _ in range(2)
    ]
    for door in doors:
        await door.start()
    answers = await asyncio.gather(*(d.submit(ask(firm, key=b"k%d" % (n % 20))) for n in range(200) for d in doors))
    assert len({a.ids for a in answers}) == 20
    assert count(operator, "email") == 20
    for door in doors:
        await door.stop()


async def test_a_key_used_for_another_body_is_a_conflict_and_a_refusal_frees_it(gate, operator, firm):
    firm.person("ann@example.net")
    assert isinstance(await gate.submit(ask(firm, email("stranger@example.net"), key=b"k")), Refused)
    assert isinstance(await gate.submit(ask(firm, key=b"k")), Taken)
    other = await gate.submit(ask(firm, key=b"k", fingerprint=b"other"))
    assert other.refusal.code == "idempotency-mismatch"
    together = await asyncio.gather(
        gate.submit(ask(firm, key=b"n")), gate.submit(ask(firm, key=b"n", fingerprint=b"other"))
    )
    assert sorted(type(a).__name__ for a in together) == ["Refused", "Taken"]


async def test_a_spent_idempotency_key_may_be_taken_again(gate, operator, firm):
    firm.person("ann@example.net")
    first = await gate.submit(ask(firm, key=b"k"))
    operator.admin.execute("UPDATE idempotency SET expires_at = now() - interval '1 second'")
    second = await gate.submit(ask(firm, key=b"k"))
    assert first.ids != second.ids


@pytest.mark.parametrize("permissive", [False, True])
async def test_a_batch_is_all_or_nothing_unless_permissive(gate, operator, firm, permissive):
    firm.person("ann@example.net")
    batch = ask(firm, email(), email("stranger@example.net"), email(), key=b"b", permissive=permissive)
    answer = await gate.submit(batch)
    again = await gate.submit(batch)
    if permissive:
        assert [i is not None for i in answer.ids] == [True, False, True]
        assert answer.refused[0].index == 1
        assert again.ids == answer.ids
        assert [r.code for r in again.refused] == ["recipient-unverified"]
        assert count(operator, "email") == 2
    else:
        assert answer.refusal.index == 1
        assert count(operator, "email") == 0


async def test_no_limit_is_passed_by_any_number_of_doors(operator):
    firm = make_firm(operator, limits=50)
    for n in range(200):
        firm.person(f"p{n}@example.net")
    doors = [
        Gate(lambda n: connect(operator.database.conninfo("troth_flow"), n), operator.keyring, operator.secrets)
        for _ in range(3)
    ]
    for door in doors:
        await door.start()
    asks = [ask(firm, email(f"p{n}@example.net")) for n in range(200)]
    answers = await asyncio.gather(*(doors[n % 3].submit(a) for n, a in enumerate(asks)))
    taken = [a for a in answers if isinstance(a, Taken)]
    refused = [a for a in answers if isinstance(a, Refused)]
    assert len(taken) == 50 == count(operator, "spool")
    assert {a.refusal.code for a in refused} == {"rate-limited"}
    assert all(0 < a.refusal.retry_after <= 3600 for a in refused)
    assert operator.admin.execute("SELECT max(used), max(cap) FROM rate_counter WHERE scope = 1").fetchone() == (50, 50)
    for door in doors:
        await door.stop()


async def test_one_recipient_is_not_flooded(operator):
    firm = make_firm(operator, limits=3)
    firm.person("ann@example.net")
    gate = Gate(lambda n: connect(operator.database.conninfo("troth_flow"), n), operator.keyring, operator.secrets)
    await gate.start()
    answers = [await gate.submit(ask(firm)) for _ in range(4)]
    assert [type(a).__name__ for a in answers] == ["Taken"] * 3 + ["Refused"]
    await gate.stop()


async def test_a_scheduled_email_is_cancelled_or_moved_until_it_is_marked(gate, operator, firm):
    firm.person("ann@example.net")
    later = now() + timedelta(hours=5)
    taken = await gate.submit(ask(firm, email(scheduled_at=later)))
    assert await gate.reschedule(firm.tenant, taken.ids[0], later + timedelta(hours=3)) is Recall.DONE
    due = operator.admin.execute("SELECT due FROM spool").fetchone()[0]
    assert abs(due - later - timedelta(hours=3)) < timedelta(seconds=1)
    windows = operator.admin.execute("SELECT count(*) FROM rate_counter WHERE scope = 1 AND used = 1").fetchone()[0]
    assert windows == 1, "the hour that it left is given back"
    assert await gate.cancel(firm.tenant, taken.ids[0]) is Recall.DONE
    assert operator.admin.execute("SELECT state FROM message").fetchone()[0] == 12
    assert count(operator, "spool") == 0
    assert await gate.cancel(firm.tenant, taken.ids[0]) is Recall.TOO_LATE
    assert await gate.cancel(firm.programme, taken.ids[0]) is Recall.MISSING
    assert await gate.reschedule(firm.tenant, taken.ids[0], later) is Recall.TOO_LATE
    assert await gate.reschedule(firm.tenant, firm.key, later) is Recall.MISSING


async def test_moving_into_a_full_hour_is_refused(operator):
    firm = make_firm(operator, limits=2)
    firm.person("ann@example.net")
    firm.person("bob@example.net")
    gate = Gate(lambda n: connect(operator.database.conninfo("troth_flow"), n), operator.keyring, operator.secrets)
    await gate.start()
    later = now() + timedelta(days=2)
    for to in ("ann@example.net", "bob@example.net"):
        await gate.submit(ask(firm, email(to, scheduled_at=later)))
    moved = await gate.submit(ask(firm, email(scheduled_at=later + timedelta(days=3))))
    refused = await gate.reschedule(firm.tenant, moved.ids[0], later)
    assert refused.refusal.code == "rate-limited"
    assert operator.admin.execute("SELECT max(used) FROM rate_counter").fetchone()[0] == 2
    await gate.stop()


async def test_the_store_away_is_said_and_nothing_is_accepted(operator, firm):
    firm.person("ann@example.net")
    gone = {**operator.database.conninfo("troth_flow"), "dbname": "no_such_database"}
    gate = Gate(lambda n: connect(gone, n), operator.keyring, operator.secrets)
    await gate.start()
    with pytest.raises(StoreAway):
        await gate.submit(ask(firm))
    with pytest.raises(StoreAway):
        await gate.cancel(firm.tenant, firm.key)
    await gate.stop()
    assert count(operator, "email") == 0


async def test_one_ask_that_breaks_the_transaction_refuses_itself_alone(gate, operator, firm):
    firm.person("ann@example.net")
    broken = firm.person("broken@example.net")
    operator.admin.execute("UPDATE person SET data_key = '\\x0102'::bytea WHERE id = %s", (broken,))
    answers = await asyncio.gather(
        gate.submit(ask(firm)), gate.submit(ask(firm, email("broken@example.net"))), gate.submit(ask(firm)),
        return_exceptions=True,
    )  # fmt: skip
    assert [isinstance(a, Taken) for a in answers] == [True, False, True]
    assert count(operator, "email") == 2


async def test_a_category_that_leaves_out_what_may_be_left_out_sends(gate, operator, firm):
    firm.person("ann@example.net")
    operator.govern("category", firm.tenant, "rent", {
        "name": "Rent", "purpose": "Rent notices", "legal_class": "transactional",
        "sender": {"name": "Firm", "address": f"rent@{firm.name}"}}, firm.category)  # fmt: skip
    assert isinstance(await gate.submit(ask(firm)), Taken)
