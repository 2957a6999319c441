"""Domains through several resolvers: all that answer must agree, who lags is named, keys move on, and what stops is told."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from tests.support.firm import make_firm, operator

from troth.cli.demo.dns import DnsServer
from troth.flow.duties import Sending, check_domains
from troth.flow.duties.rotation import rotate, selector_of
from troth.flow.duties.sending import Rotation
from troth.keys import places
from troth.keys.dkim_pairs import make_pair
from troth.keys.keyring import OPERATOR
from troth.outside.dns import Resolver
from troth.outside.domain_views import Asked
from troth.store import domains as store

__all__ = ["operator"]
SPF, BOUNCES, DAY = "ip4:127.0.0.1", "bounces.troth.test", timedelta(days=1)
NOW = Rotation(settle=timedelta(0))


@pytest.fixture
async def connection(database):
    made = await database.connect("test")
    yield made
    await made.close()


def zone_of(firm, **changes):
    name = firm.name
    (public,) = firm.operator.admin.execute(
        "SELECT public_der FROM dkim_key WHERE domain_id = %s AND state = 'active'", (firm.domain,)
    ).fetchone()
    return {
        name: {"TXT": [f"v=spf1 {SPF} -all"]},
        f"s1._domainkey.{name}": {"TXT": [record(public)]},
        f"_dmarc.{name}": {"TXT": ["v=DMARC1; p=reject"]},
        f"bounce.{name}": {"CNAME": [f"{BOUNCES}."]},
        BOUNCES: {"TXT": [f"v=spf1 {SPF} -all"], "MX": ["10 in.troth.test."]},
        **changes,
    }


def record(public):
    return f"v=DKIM1; k=rsa; p={base64.b64encode(bytes(public)).decode()}"


def resolver(server, timeout=1.0):
    return Resolver([(server.host, server.port)], timeout)


def sending(firm, *servers, **more):
    keyring = firm.operator.keyring
    (keyset,) = firm.operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()
    asked = tuple(Asked(f"resolver {n}", resolver(each)) for n, each in enumerate(servers, 1))
    given = {"resolvers": asked, "keyring": keyring, "operator": keyring.tenant(OPERATOR, bytes(keyset)), **more}
    return Sending(asked[0].resolver, SPF, BOUNCES, **{"rotation": NOW, **given})


def one(firm, columns):
    return firm.operator.admin.execute(
        f"SELECT {columns} FROM domain_state WHERE domain_id = %s", (firm.domain,)
    ).fetchone()


def keys(firm):
    found = firm.operator.admin.execute(
        "SELECT selector, state, private_ct IS NOT NULL, ended FROM dkim_key WHERE domain_id = %s", (firm.domain,)
    )
    return {selector: (state, there, ended) for selector, state, there, ended in found.fetchall()}


def wrong(firm):
    return [each for each in one(firm, "findings")[0] if not each["ok"]]


async def look(connection, given):
    await check_domains(connection, given, timedelta(0))


async def test_every_resolver_that_answers_must_see_it_and_one_that_is_behind_is_named(operator, connection):
    firm = make_firm(operator)
    old = zone_of(firm, **{f"_dmarc.{firm.name}": {"TXT": ["v=DMARC1; p=none"]}})
    async with DnsServer(zone_of(firm)) as first, DnsServer(old) as second:
        given = sending(firm, first, second)
        await look(connection, given)
        assert one(firm, "ready_until > now_v1(), path_until > now_v1()") == (False, True)
        [finding] = wrong(firm)
        assert finding["code"] == "dmarc.policy"
        assert finding["sentence"].startswith(
            "The resolver resolver 2 still sees the old state, for up to 5 seconds more; resolver 1 sees the right one."
        )
        views = one(firm, "views")[0]
        assert [(view["who"], view["holds"]) for view in views] == [("resolver 1", True), ("resolver 2", False)]
        second.set(f"_dmarc.{firm.name}", "TXT", ["v=DMARC1; p=reject"])
        await look(connection, given)
        assert one(firm, "ready_until > now_v1(), path_until > now_v1()") == (True, True)


async def test_a_resolver_that_is_silent_does_not_close_what_another_sees_and_all_silent_is_no_answer(
    operator, connection
):
    firm = make_firm(operator)
    async with DnsServer(zone_of(firm)) as first, DnsServer({firm.name: {"RCODE": ["SERVFAIL"]}}) as second:
        given = sending(firm, first, second)
        await look(connection, given)
        assert one(firm, "ready_until > now_v1(), lookup_failed") == (True, False)
        first.set(firm.name, "RCODE", ["SERVFAIL"])
        await look(connection, given)
        assert one(firm, "ready_until > now_v1(), path_until > now_v1(), lookup_failed") == (True, True, True)


async def test_the_domains_own_servers_say_how_far_a_change_has_come(operator, connection):
    firm = make_firm(operator)
    async with DnsServer(zone_of(firm)) as own, DnsServer(zone_of(firm)) as other:
        for server in (own, other):
            server.set(firm.name.split(".", 1)[1], "NS", ["ns.host.test.", "gone.host.test."])
            server.set("ns.host.test", "A", [own.host])
        given = sending(firm, other, servers_port=own.port)
        other.set(f"_dmarc.{firm.name}", "TXT", [])
        await look(connection, given)
        assert [(view["who"], view["own"], view["holds"]) for view in one(firm, "views")[0]] == [
            ("resolver 1", False, False), ("ns.host.test", True, True),
        ]  # fmt: skip
        assert "ns.host.test sees the right one" in wrong(firm)[0]["sentence"]


async def test_own_servers_that_cannot_be_asked_for_are_left_out(operator, connection):
    firm = make_firm(operator)
    async with DnsServer(zone_of(firm)) as server:
        given = sending(firm, server, servers_port=9)
        await look(connection, given)
        server.set(firm.name.split(".", 1)[1], "NS", ["silent.host.test."])
        server.set("silent.host.test", "RCODE", ["SERVFAIL"])
        await look(connection, given)
        server.set(firm.name, "RCODE", ["SERVFAIL"])
        await look(connection, given)
        assert [view["who"] for view in one(firm, "views")[0]] == ["resolver 1"]
        assert one(firm, "lookup_failed") == (True,)


async def test_what_stops_is_a_case_a_mail_and_a_note_when_it_holds_again_each_once(operator, connection):
    firm = make_firm(operator)
    async with DnsServer(zone_of(firm)) as server:
        given = sending(firm, server)
        await look(connection, given)
        server.set(f"_dmarc.{firm.name}", "TXT", ["v=DMARC1; p=none"])
        for _ in range(3):
            await look(connection, given)
        assert one(firm, "ready_until > now_v1(), broken_at IS NOT NULL") == (False, True)
        cases = operator.admin.execute("SELECT cause, key, tenant_id, severity FROM case_file").fetchall()
        assert [(cause, key.partition(":")[0], tenant) for cause, key, tenant, _ in cases] == [
            ("domain", str(firm.domain), firm.tenant)
        ]
        assert operator.admin.execute("SELECT name, due_at > now_v1() FROM case_clock").fetchall() == [("review", True)]
        told = operator.admin.execute(
            "SELECT template, variables FROM access_notice WHERE template = 'domain-stopped'"
        ).fetchall()
        assert told
        assert {json.loads(variables)["client"] for _, variables in told} == {firm.name}
        server.set(f"_dmarc.{firm.name}", "TXT", ["v=DMARC1; p=reject"])
        for _ in range(2):
            await look(connection, given)
        assert one(firm, "ready_until > now_v1(), broken_at") == (True, None)
        entries = operator.admin.execute("SELECT kind, id, words_ct FROM case_entry ORDER BY at").fetchall()
        assert [kind for kind, *_ in entries] == ["open", "recovered"]
        said = [given.operator.open(bytes(words), places.case_words(one)).decode() for _, one, words in entries]
        assert '"p=none"' in said[0]
        assert said[1] == f"{firm.name} holds again and may send."


async def test_without_the_operators_keys_nothing_is_told_and_the_domain_closes_all_the_same(operator, connection):
    firm = make_firm(operator)
    async with DnsServer(zone_of(firm)) as server:
        given = sending(firm, server, operator=None)
        await look(connection, given)
        server.set(f"_dmarc.{firm.name}", "TXT", [])
        await look(connection, given)
        assert one(firm, "ready_until > now_v1()") == (False,)
        server.set(f"_dmarc.{firm.name}", "TXT", ["v=DMARC1; p=reject"])
        await look(connection, given)
        assert operator.admin.execute("SELECT count(*) FROM case_file").fetchone() == (0,)


def age(firm, days):
    firm.operator.admin.execute(
        "UPDATE dkim_key SET active_at = now_v1() - make_interval(days => %s) WHERE state = 'active'", (days,)
    )


async def test_a_rotation_from_its_day_to_the_end_of_the_overlap(operator, connection):
    firm = make_firm(operator)
    async with DnsServer(zone_of(firm)) as server:
        given = sending(firm, server)
        await look(connection, given)
        assert await rotate(connection, given) == 0  # the key is young
        age(firm, 181)
        assert await rotate(connection, given) == 1
        assert await rotate(connection, given) == 0  # one at a time
        [new] = set(keys(firm)) - {"s1"}
        await look(connection, given)
        assert keys(firm)[new] == ("pending", True, None)
        assert [view["keys"] for view in one(firm, "views")[0]] == [{new: "missing"}]
        (public,) = operator.admin.execute("SELECT public_der FROM dkim_key WHERE selector = %s", (new,)).fetchone()
        server.set(f"{new}._domainkey.{firm.name}", "TXT", [record(public)])
        await look(connection, given)
        assert keys(firm) == {"s1": ("overlapping", True, None), new: ("active", True, None)}
        await look(connection, given)
        assert one(firm, "ready_until > now_v1()") == (True,)
        operator.admin.execute("UPDATE installation SET clock_offset = interval '11 days'")
        assert await rotate(connection, given) == 1
        assert keys(firm) == {"s1": ("retired", False, "overlap-over"), new: ("active", True, None)}
        said = operator.admin.execute(
            "SELECT kind FROM ledger_pending WHERE kind LIKE 'sending:dkim:%' ORDER BY id"
        ).fetchall()
        assert [kind for (kind,) in said] == [
            "sending:dkim:pending", "sending:dkim:overlapping", "sending:dkim:active", "sending:dkim:retired",
        ]  # fmt: skip


async def test_a_record_that_is_gone_again_starts_the_wait_anew(operator, connection):
    firm = make_firm(operator)
    waits = Rotation(settle=timedelta(hours=1))
    async with DnsServer(zone_of(firm)) as server:
        given = sending(firm, server, rotation=waits)
        await look(connection, given)
        age(firm, 181)
        await rotate(connection, given)
        [new] = set(keys(firm)) - {"s1"}
        (public,) = operator.admin.execute("SELECT public_der FROM dkim_key WHERE selector = %s", (new,)).fetchone()
        at = f"{new}._domainkey.{firm.name}"
        seen = "SELECT seen_at IS NOT NULL FROM dkim_key WHERE selector = %s"
        for there in ([record(public)], [], [record(public)]):
            server.set(at, "TXT", there)
            await look(connection, given)
            assert operator.admin.execute(seen, (new,)).fetchone() == (bool(there),)
        operator.admin.execute("UPDATE installation SET clock_offset = interval '61 minutes'")
        await look(connection, given)
        assert keys(firm)[new] == ("active", True, None)


async def test_a_record_that_never_comes_ends_the_attempt_and_the_old_key_goes_on(operator, connection):
    firm = make_firm(operator)
    async with DnsServer(zone_of(firm)) as server:
        given = sending(firm, server)
        await look(connection, given)
        age(firm, 181)
        await rotate(connection, given)
        operator.admin.execute("UPDATE installation SET clock_offset = interval '15 days'")
        await rotate(connection, sending(firm, server, keyring=None))
        [new] = set(keys(firm)) - {"s1"}
        assert keys(firm) == {"s1": ("active", True, None), new: ("retired", False, "record-never-came")}


async def test_a_keyset_that_does_not_open_holds_up_nobody(operator, connection):
    firm = make_firm(operator)
    async with DnsServer(zone_of(firm)) as server:
        given = sending(firm, server)
        await look(connection, given)
        age(firm, 181)
        operator.admin.execute("UPDATE tenant SET keyset = %s WHERE id = %s", (b"\x01" + bytes(60), firm.tenant))
        assert await rotate(connection, given) == 0
        assert set(keys(firm)) == {"s1"}


async def test_the_database_itself_refuses_every_other_way(operator, connection):
    firm = make_firm(operator)
    admin = operator.admin
    pair = make_pair(firm.keys, firm.domain, "s2")
    insert = (
        "INSERT INTO dkim_key (id, tenant_id, domain_id, selector, bits, private_ct, public_der, created_at)"
        " VALUES (%s, %s, %s, 's2', 2048, %s, %s, now_v1())"
    )
    admin.execute(insert, (uuid4(), firm.tenant, firm.domain, pair.private_ct, pair.public_der))
    assert keys(firm)["s2"] == ("pending", True, None)
    for statement, error in (
        ("UPDATE dkim_key SET state = 'active' WHERE selector = 's2'", psycopg.errors.InsufficientPrivilege),  # unseen
        ("UPDATE dkim_key SET state = 'active', seen_at = now(), active_at = now() WHERE selector = 's2'", psycopg.errors.UniqueViolation),
        ("UPDATE dkim_key SET state = 'overlapping', overlap_ends = now() WHERE selector = 's1'", psycopg.errors.InsufficientPrivilege),
        ("UPDATE dkim_key SET state = 'pending' WHERE selector = 's1'", psycopg.errors.InsufficientPrivilege),
        ("UPDATE dkim_key SET selector = 's9' WHERE selector = 's1'", psycopg.errors.InsufficientPrivilege),
        ("UPDATE dkim_key SET private_ct = NULL WHERE selector = 's1'", psycopg.errors.CheckViolation),
        ("UPDATE dkim_key SET state = 'retired', retired_at = now(), ended = 'by-hand' WHERE selector = 's2'", psycopg.errors.CheckViolation),
    ):  # fmt: skip
        with pytest.raises(error):
            admin.execute(statement)
    # a key that came with a proposal which nobody approved waits, whatever the DNS shows
    (key,) = admin.execute("SELECT id FROM dkim_key WHERE selector = 's2'").fetchone()
    assert await store.looked(connection, key, everywhere=True, settle=timedelta(0), overlap=DAY) == "pending"
    operator.govern("domain", firm.tenant, firm.name, {"name": firm.name, "selector": "s2"}, firm.domain)
    assert await store.looked(connection, key, everywhere=True, settle=timedelta(0), overlap=DAY) == "active"
    assert keys(firm)["s1"][0] == "overlapping"
    assert await store.looked(connection, key, everywhere=True, settle=timedelta(0), overlap=DAY) == "active"
    held = "UPDATE dkim_key SET state = 'retired', private_ct = NULL, retired_at = now_v1(), ended = 'overlap-over' WHERE selector = 's1'"
    with pytest.raises(psycopg.errors.CheckViolation):
        admin.execute(held)
    new = store.NewKey("s3", b"\x01x", b"x", 2048)
    assert await store.begin(connection, firm.domain, new, timedelta(0)) is None  # the active key is not 30 days old


async def test_keys_of_a_domain_that_was_retired_are_destroyed_a_week_later(operator, connection):
    firm = make_firm(operator)
    operator.govern(
        "domain", firm.tenant, firm.name, {"name": firm.name, "selector": "s1", "retired": True}, firm.domain
    )
    assert await store.end(connection, DAY) == 0
    operator.admin.execute("UPDATE installation SET clock_offset = interval '8 days'")
    assert await store.end(connection, DAY) == 1
    assert keys(firm) == {"s1": ("retired", False, "domain-retired")}


def test_a_selector_says_its_day_and_is_used_once():
    from datetime import UTC, datetime

    made = {selector_of(datetime(2026, 11, 22, tzinfo=UTC)) for _ in range(3)}
    assert all(each.startswith("t20261122-") and len(each) == 14 for each in made)


async def test_a_look_is_of_the_time_at_which_it_began_and_a_later_one_outlasts_it(operator, connection):
    firm = make_firm(operator)
    firm.operator.admin.execute("UPDATE domain_state SET checked_at = NULL")
    began = next(each for each in await store.to_check(connection, DAY) if each.domain_id == firm.domain)
    operator.admin.execute("UPDATE installation SET clock_offset = clock_offset + interval '1 hour'")
    good = store.Verdict(ready=True, failed=False, path=True, findings=[], views=[], grace=timedelta(minutes=30))
    await store.checked(connection, began, good)
    (late, ends) = one(firm, "checked_at, ready_until")
    assert (late, ends) == (began.at, began.at + good.grace)  # an answer of before the leap closes it after
    again = next(
        each for each in await store.to_check(connection, timedelta(minutes=10)) if each.domain_id == firm.domain
    )
    await store.checked(connection, again, replace(good, ready=False))
    await store.checked(connection, began, good)
    assert one(firm, "checked_at, ready_until > now_v1()") == (again.at, False)
