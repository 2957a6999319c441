"""Endpoints and the database: a client's own alone, never a change without its entry, never an eleventh, roles held to theirs."""

import threading

import psycopg
import pytest
from tests.support.firm import make_firm
from tests.support.hooks import LOOPBACK

from troth.control.audit.refusals import Refused
from troth.control.webhooks import deliveries, endpoints
from troth.control.webhooks.deliveries import Again
from troth.rules.hook_events import ALL_KINDS

URL = "http://127.0.0.1:9/"


def add(firm, connection=None, types=None):
    asked = endpoints.Asked(URL, types, "test")
    connection = connection or firm.operator.control
    added = endpoints.add(connection, firm.keys, firm.tenant, asked, LOOPBACK)
    return endpoints.find(connection, [firm.tenant], added.id)


def entries(operator):
    rows = operator.admin.execute(
        "SELECT kind, leaf::jsonb ->> 'by', leaf FROM ledger_pending WHERE kind LIKE 'webhook:%' ORDER BY id"
    ).fetchall()
    return [(kind.removeprefix("webhook:"), by) for kind, by, _ in rows], " ".join(leaf for *_, leaf in rows)


def test_url_and_secret_are_sealed_and_in_no_leaf(firm):
    added = endpoints.add(
        firm.operator.control, firm.keys, firm.tenant, endpoints.Asked(f"{URL}?token=hidden", None, "test"), LOOPBACK
    )
    found = endpoints.find(firm.operator.control, [firm.tenant], added.id)
    assert found.url(firm.keys) == f"{URL}?token=hidden"
    assert tuple(found.kinds) == ALL_KINDS
    kept = firm.operator.admin.execute("SELECT url_ct FROM webhook_endpoint UNION SELECT secret_ct FROM webhook_secret")
    for (sealed,) in kept.fetchall():
        assert b"hidden" not in sealed
        assert added.secret.encode() not in sealed
    _, leaves = entries(firm.operator)
    assert "hidden" not in leaves
    assert added.secret not in leaves


def test_another_clients_endpoint_reads_as_missing_and_takes_nothing(firm):
    other, mine = make_firm(firm.operator, "other"), add(firm)
    control = firm.operator.control
    with pytest.raises(Refused, match="no such endpoint"):
        endpoints.find(control, [other.tenant], mine.id)
    assert endpoints.listed(control, other.tenant) == []
    stolen = endpoints.Endpoint(**{n: getattr(mine, n) for n in mine.__slots__} | {"tenant_id": other.tenant})
    with pytest.raises(Refused, match="[Nn]o such endpoint"):
        deliveries.replay(control, stolen, Again(failed=True), "test")
    with pytest.raises(Refused, match="[Nn]o such endpoint"):
        deliveries.test(control, stolen)
    endpoints.disable(control, stolen, "test")
    endpoints.remove(control, stolen, "test")
    endpoints.rotate(control, firm.keys, mine, "test")
    assert endpoints.find(control, [firm.tenant], mine.id).disabled_at is None
    stranger = firm.operator.database.open("troth_control", tenant=other.tenant)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stranger.execute("INSERT INTO webhook_endpoint (id, tenant_id, url_ct, created_at)"
                         " VALUES (gen_random_uuid(), %s, '\\x01', now())", (firm.tenant,))  # fmt: skip


def test_raw_sql_changes_nothing_without_its_entry(firm):
    mine, admin = add(firm), firm.operator.database.owner()
    with admin:
        admin.execute("UPDATE webhook_endpoint SET kinds = '{8}' WHERE id = %s", (mine.id,))
        admin.execute("UPDATE webhook_endpoint SET disabled_at = now(), disabled_why = 'gone'")
        admin.execute("UPDATE webhook_endpoint SET disabled_at = NULL, disabled_why = NULL")
        admin.execute("UPDATE webhook_endpoint SET created_at = created_at")
        admin.execute("DELETE FROM webhook_endpoint")
    told, _ = entries(firm.operator)
    assert [kind for kind, _ in told] == ["endpoint:add", "secret:add", "endpoint:change", "endpoint:disable",
                                          "endpoint:enable", "endpoint:remove"]  # fmt: skip
    assert [by for _, by in told] == ["test"] * 2 + ["role:troth_migrate"] * 4
    assert firm.operator.admin.execute("SELECT count(*) FROM webhook_secret").fetchone() == (0,)


def test_one_statement_that_does_two_things_hides_neither(firm):
    mine, control = add(firm), firm.operator.database.open("troth_control", tenant=firm.tenant)
    control.execute("UPDATE webhook_endpoint SET disabled_at = now(), disabled_why = 'command', url_ct = '\\x0102'")
    control.execute("UPDATE webhook_endpoint SET disabled_at = NULL, disabled_why = NULL, kinds = '{8}'")
    told, _ = entries(firm.operator)
    assert [kind for kind, _ in told[2:]] == [
        "endpoint:change",
        "endpoint:disable",
        "endpoint:change",
        "endpoint:enable",
    ]
    for column in ("id = gen_random_uuid()", "created_at = now()"):
        with pytest.raises(psycopg.Error):
            control.execute(f"UPDATE webhook_endpoint SET {column} WHERE id = %s", (mine.id,))


def test_a_secret_that_ends_does_not_come_back_and_its_end_is_told(firm):
    mine, control = add(firm), firm.operator.database.open("troth_control", tenant=firm.tenant)
    endpoints.rotate(firm.operator.control, firm.keys, mine, "test")
    control.execute("UPDATE webhook_secret SET ends_at = ends_at - interval '23 hours' WHERE ends_at IS NOT NULL")
    for later in ("ends_at + interval '1 second'", "'infinity'", "NULL"):
        with pytest.raises(psycopg.Error, match="does not go on for longer|webhook_secret_current"):
            control.execute(f"UPDATE webhook_secret SET ends_at = {later} WHERE ends_at IS NOT NULL")
    told, _ = entries(firm.operator)
    kinds = [kind for kind, _ in told]
    assert kinds == ["endpoint:add", "secret:add", "secret:end", "secret:add", "secret:end"]


def test_ten_at_most_also_when_asked_all_at_once(firm):
    connections = [firm.operator.database.open("troth_control") for _ in range(4)]
    refused = []

    def many(connection):
        for _ in range(4):
            try:
                add(firm, connection)
            except Refused as no:
                refused.append(str(no))

    threads = [threading.Thread(target=many, args=(each,)) for each in connections]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(endpoints.listed(firm.operator.control, firm.tenant)) == 10
    assert len(refused) == 6
    assert "at most 10" in refused[0]


@pytest.mark.parametrize("kinds", ["{}", "{1}", "{2,8}", "{17}", "{99}"])
def test_no_endpoint_hears_of_a_silent_kind(firm, kinds):
    mine = add(firm)
    with pytest.raises(psycopg.errors.CheckViolation), firm.operator.database.owner() as owner:
        owner.execute("UPDATE webhook_endpoint SET kinds = %s WHERE id = %s", (kinds, mine.id))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO webhook_endpoint (id, tenant_id, url_ct, created_at) SELECT gen_random_uuid(), id, '\\x01', now() FROM tenant",
        "UPDATE webhook_endpoint SET url_ct = '\\x01'",
        "DELETE FROM webhook_endpoint",
        "UPDATE webhook_secret SET ends_at = NULL",
        "INSERT INTO webhook_secret SELECT gen_random_uuid(), tenant_id, endpoint_id, secret_ct, now() FROM webhook_secret",
        "SELECT webhook_test_v1(gen_random_uuid())",
        "SELECT address_ct FROM account",
    ],
)  # fmt: skip
def test_the_sender_can_change_no_endpoint_but_disable_it(firm, statement):
    add(firm)
    flow = firm.operator.database.open("troth_flow")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        flow.execute(statement)


@pytest.mark.parametrize(
    "statement",
    ["SELECT secret_ct FROM webhook_secret", "UPDATE webhook_outbox SET state = 3", "DELETE FROM webhook_outbox",
     "SELECT * FROM webhook_admins_v1(gen_random_uuid())", "UPDATE webhook_health SET failures = 0"],
)  # fmt: skip
def test_control_reads_no_secret_and_writes_no_delivery(firm, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        firm.operator.control.execute(statement)
