"""The duties keep time whatever becomes of one another, of the database, or of the DNS."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from tests.outside.conftest import zone
from tests.support.firm import PUBLIC_DER, make_firm, operator

from troth.flow import duties
from troth.flow.duties import Duty, Sending, check_domains, findings, grace, run_duties, standard
from troth.outside.dns import LookupFailed, Resolver
from troth.store import domains as domain_store
from troth.store import duties as store

__all__ = ["operator", "zone"]
SPF = "include:spf.troth.test"


@pytest.fixture
async def connection(database):
    made = await database.connect("test")
    yield made
    await made.close()


def publish(zone, name, *, dmarc="v=DMARC1; p=reject"):
    zone.txt(name, f"v=spf1 {SPF} -all")
    zone.txt(f"s1._domainkey.{name}", f"v=DKIM1; k=rsa; p={base64.b64encode(PUBLIC_DER).decode()}")
    zone.txt(f"_dmarc.{name}", dmarc)


def sending(zone, timeout=2.0):
    return Sending(Resolver([zone.address], timeout), SPF)


def never_checked(firm):
    firm.operator.admin.execute("UPDATE domain_state SET checked_at = NULL, ready_until = '-infinity'")


def state(firm):
    return firm.operator.admin.execute(
        "SELECT ready_until > now_v1(), lookup_failed, findings, ready_until - checked_at FROM domain_state"
    ).fetchone()


async def test_a_domain_that_shows_everything_is_ready_for_the_policys_grace(operator, connection, zone):
    firm = make_firm(operator)
    never_checked(firm)
    publish(zone, firm.name)
    assert await check_domains(connection, sending(zone)) == 1
    ready, failed, found, lasts = state(firm)
    assert (ready, failed) == (True, False)
    assert abs(lasts - timedelta(minutes=120)) < timedelta(seconds=1)
    assert [each["code"] for each in found] == ["spf.ok", "dkim.ok", "dmarc.ok"]
    assert await check_domains(connection, sending(zone)) == 0  # asked about a moment ago
    assert await check_domains(connection, sending(zone), timedelta(0)) == 1


async def test_a_changed_record_closes_the_domain_at_once(operator, connection, zone):
    firm = make_firm(operator)
    publish(zone, firm.name, dmarc="v=DMARC1; p=none")
    await check_domains(connection, sending(zone), timedelta(0))
    ready, failed, found, _ = state(firm)
    assert (ready, failed) == (False, False)
    assert [each["code"] for each in found if not each["ok"]] == ["dmarc.policy"]


async def test_silence_leaves_the_last_look_to_run_out(operator, connection, zone):
    firm = make_firm(operator)  # ready for two hours
    zone.faults[firm.name] = "drop"
    await check_domains(connection, sending(zone, 0.3), timedelta(0))
    ready, failed, found, _ = state(firm)
    assert (ready, failed) == (True, True)
    assert [each["code"] for each in found] == ["dns.no-answer"]


async def test_a_domain_without_a_key_says_how_to_make_one(operator, connection, zone):
    firm = make_firm(operator)
    operator.admin.execute("DELETE FROM dkim_key")
    await check_domains(connection, sending(zone), timedelta(0))
    ready, _, found, _ = state(firm)
    assert not ready
    assert [each["code"] for each in found] == ["dkim.no-key"]
    assert "troth domain add" in found[0]["sentence"]


async def test_one_domain_that_cannot_be_asked_about_stops_no_other(operator, connection, zone):
    one, two = make_firm(operator, "one"), make_firm(operator, "two")
    operator.admin.execute("UPDATE domain_state SET name = 'ö.example' WHERE domain_id = %s", (one.domain,))
    operator.admin.execute("UPDATE domain_state SET ready_until = '-infinity' WHERE domain_id = %s", (two.domain,))
    publish(zone, two.name)
    with pytest.raises(ExceptionGroup, match="could not be checked"):
        await check_domains(connection, sending(zone), timedelta(0))
    assert operator.admin.execute(
        "SELECT ready_until > now_v1() FROM domain_state WHERE domain_id = %s", (two.domain,)
    ).fetchone() == (True,)


def to_check(promise=None, tenant=None):
    return domain_store.DomainToCheck(
        None, None, "a.example", None, None, None, False, None, b"", datetime.now(UTC), promise, None, tenant
    )  # fmt: skip


def test_without_a_policy_there_is_no_grace():
    domain = to_check()
    assert grace(domain) == timedelta(0)


def test_a_stricter_client_has_a_shorter_grace(operator):
    from troth.rules.profile import load_profile

    promise = json.dumps(load_profile("property").document)
    tenant = json.dumps({"domain": {"grace_minutes": 5}})
    domain = to_check(promise, tenant)
    assert grace(domain) == timedelta(minutes=5)


def test_findings_of_a_failed_look_up_name_it():
    assert findings(LookupFailed("a.example", "no answer")) == [
        {"code": "dns.no-answer", "ok": False, "sentence": "no answer"}
    ]


async def until(condition, seconds=10):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_failing_duty_stops_no_other_and_is_tried_again(database):
    done, failed, stop = [], [], asyncio.Event()

    async def works(connection):
        done.append(await store.make_partitions(connection))

    async def fails(connection):
        failed.append(1)
        raise ValueError("on purpose")

    made = (Duty("works", 0.01, works), Duty("fails", 0.01, fails))
    database.fill("INSERT INTO installation (id, mode, cell, secrets_ct, operator_keyset)"
                  " VALUES (gen_random_uuid(), 'test', 'a', repeat('x', 40)::bytea, repeat('x', 40)::bytea)")  # fmt: skip
    task = asyncio.create_task(run_duties(database.connect, made, stop, tick=0.01))
    await until(lambda: len(done) > 2 and len(failed) > 2)
    stop.set()
    await asyncio.wait_for(task, 5)


async def test_one_leads_and_another_takes_over_when_its_session_ends(database):
    turns, stops = [], (asyncio.Event(), asyncio.Event())

    def duty(name):
        async def note(_connection):
            turns.append(name)

        return Duty("note", 0.01, note)

    first = asyncio.create_task(run_duties(database.connect, [duty("first")], stops[0], tick=0.01))
    await until(lambda: turns)
    second = asyncio.create_task(run_duties(database.connect, [duty("second")], stops[1], tick=0.01))
    await asyncio.sleep(0.2)
    assert set(turns) == {"first"}
    with database.open() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7402")
    await until(lambda: "second" in turns or turns.count("first") > 100)
    for stop in stops:
        stop.set()
    await asyncio.wait_for(asyncio.gather(first, second), 5)


async def test_a_database_that_is_away_is_waited_for(database):
    tries, done, stop = [], [], asyncio.Event()

    async def connect(name):
        tries.append(name)
        if len(tries) < 3:
            raise psycopg.OperationalError("away")
        return await database.connect(name)

    async def note(_connection):
        done.append(1)

    task = asyncio.create_task(run_duties(connect, [Duty("note", 5, note)], stop, tick=0.01))
    await until(lambda: done)
    stop.set()
    await asyncio.wait_for(task, 5)
    assert len(tries) == 3


async def test_the_standard_duties_all_run_once_at_the_start(operator, zone):
    make_firm(operator)
    never = make_firm(operator, "second")
    never_checked(never)
    ran, stop = set(), asyncio.Event()

    def noting(duty):
        async def run(connection):
            await duty.run(connection)
            ran.add(duty.name)

        return Duty(duty.name, duty.every, run)

    made = [noting(duty) for duty in standard(sending(zone, 1.0))]
    task = asyncio.create_task(run_duties(operator.database.connect, made, stop, tick=0.01))
    await until(lambda: len(ran) == len(made))
    stop.set()
    await asyncio.wait_for(task, 5)
    assert operator.admin.execute("SELECT count(*) FROM clock_mark").fetchone() == (1,)
    assert operator.admin.execute("SELECT count(*) FROM domain_state WHERE checked_at IS NULL").fetchone() == (0,)


async def test_a_change_that_nobody_decided_expires_by_itself_and_the_ledger_knows(operator, connection):
    firm = make_firm(operator)
    proposed = "SELECT propose_v1(gen_random_uuid(), 'category', %s, gen_random_uuid(), 'late', '{}', 'why', %s)"
    operator.control.execute(proposed, (firm.tenant, operator.sessions[0]))
    assert await store.expire_changes(connection) == 0
    operator.admin.execute("UPDATE installation SET clock_offset = interval '15 days'")
    assert await store.expire_changes(connection) == 1
    assert await store.expire_changes(connection) == 0
    assert operator.admin.execute("SELECT state, decider_human FROM change WHERE code = 'late'").fetchone() == (5, None)
    said = "SELECT count(*) FROM ledger_pending WHERE kind = 'governance:change:expire'"
    assert operator.admin.execute(said).fetchone() == (1,)


def test_rechecks_come_well_within_the_longest_grace():
    assert timedelta(minutes=10) <= duties.RECHECK <= timedelta(minutes=60)


async def test_what_proved_an_act_is_swept_thirty_days_after_its_end_and_by_nobody_sooner(operator, connection):
    firm = make_firm(operator)
    person = firm.person("ann@example.net")
    for days in (31, 29):
        ended = f"now_v1() - interval '{days} days'"
        operator.admin.execute(
            "INSERT INTO confirmation (secret_hash, tenant_id, person_id, pathway, code_hash, created_at, expires_at)"
            f" VALUES (%s, %s, %s, 'confirmation-link', %s, {ended} - interval '3 days', {ended})",
            (bytes([days]) * 32, firm.tenant, person, b"c" * 32),
        )
        operator.admin.execute(
            "INSERT INTO own_code (id, tenant_id, person_id, message_id, blind_index, act, code_hash, created_at, expires_at)"
            f" VALUES (gen_random_uuid(), %s, %s, gen_random_uuid(), %s, 1, %s, {ended} - interval '20 minutes', {ended})",
            (firm.tenant, person, b"i" * 32, b"c" * 32),
        )
    assert await store.sweep(connection) == 2
    for table in ("confirmation", "own_code"):
        assert operator.admin.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="kept for 30 days"):
            operator.database.open("troth_flow", firm.tenant).execute(f"DELETE FROM {table}")
