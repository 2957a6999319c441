"""Whoever holds a run-time role, and the tables' owner too, meets a refusal: each attempt is tried on a live database."""

import base64
import hashlib
import os
from datetime import timedelta

import psycopg
import pytest
from tests.control import attempts
from tests.control.approvals.cast import member, open_page
from tests.control.attempts import CONTROL, NOTHING, OWNER
from tests.support.firm import make_firm, make_operator, now
from tests.support.postgres import Database, create

from troth.control.roles import database_statements
from troth.keys.ids import uuid7
from troth.ledger.canonical import canonical_document


def sha(data):
    return hashlib.sha256(data).digest()


@pytest.fixture(scope="module")
def world(pg_server, pg_template):
    """A production installation with two firms, each with a message under way, and things worth attacking."""
    name = f"troth_raw_{os.getpid()}"
    with psycopg.connect(**pg_server.conninfo(), autocommit=True) as admin:
        create(admin, name, pg_template)
    database = Database(pg_server, name)
    with database.open() as admin:
        for statement in database_statements(name):
            admin.execute(statement)
    yield database, _cast(database)
    for connection in database.opened:
        connection.close()
    with psycopg.connect(**pg_server.conninfo(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _cast(database):
    operator = make_operator(database, mode="production")
    a, b = make_firm(operator, "aa"), make_firm(operator, "bb")
    found = {"a": a.tenant, "b": b.tenant, "session1": operator.sessions[0], "session2": operator.sessions[1],
             "category_b": b.category, "domain_b": b.domain, "snapshot_b": operator.snapshot(b.category),
             "device": os.urandom(32), "passphrase": os.urandom(32), "ended_session": os.urandom(32),
             "confirmation": os.urandom(32)}  # fmt: skip
    found["confirmation_hash"] = sha(found["confirmation"])
    people = operator.admin.execute(
        "SELECT a.id, a.human_id FROM change c JOIN account a ON true WHERE c.kind = 'genesis'"
        " ORDER BY a.human_id <> c.proposer_human"
    ).fetchall()
    (found["account1"], found["human1"]), (found["account2"], found["human2"]) = people
    operator.revoke(operator.govern("template", a.tenant, "stopped", {"x": 1}))
    _changes(operator, a, found)
    _members(operator, a, b, found)
    _drafts(operator, a, found)
    _rows(database, a, b, found)
    for parent in ("message", "message_body", "event"):
        query = f"SELECT tableoid::regclass::text FROM {parent} WHERE tenant_id = %s"
        found[f"{parent}_part"] = operator.admin.execute(query, (b.tenant,)).fetchone()[0]
    return found


def _changes(operator, a, found):
    def propose(kind, tenant, code, artefact, subject=None):
        text, change = canonical_document(artefact).decode(), uuid7(now())
        digest = operator.control.execute(
            "SELECT propose_v1(%s,%s,%s,%s,%s,%s,%s,%s)",
            (change, kind, tenant, subject or uuid7(now()), code, text, "x", operator.sessions[0]),
        ).fetchone()[0]
        return change, digest

    complaint = sha(b"complained")
    operator.admin.execute("SELECT suppress_v1(%s, '{2}', '{test}', %s, '{NULL}')", ([complaint], [a.tenant]))
    found["open_change"], found["open_digest"] = propose("category", a.tenant, "later", {"x": 1})
    ends = (now() + timedelta(days=1)).isoformat()
    found["complaint_change"], found["complaint_digest"] = propose(
        "override", a.tenant, "o", {"blind_index": complaint.hex(), "expires_at": ends}
    )
    sealed = base64.b64encode(b"\x01sealed").decode()
    grant = {"human": str(found["human1"]), "role": "admin", "name_ct": sealed, "address_ct": sealed,
             "address_index": "ab" * 32, "device_hash": "ab" * 32, "passphrase_salt": "ab" * 16,
             "passphrase_hash": "ab" * 32}  # fmt: skip
    found["grant_change"], found["grant_digest"] = propose("grant", a.tenant, "g", grant, found["account2"])
    found["done_change"], found["done_digest"] = operator.admin.execute(
        "SELECT id, digest FROM change WHERE state = 2 AND kind = 'category' LIMIT 1"
    ).fetchone()


def _members(operator, a, b, found):
    """Sessions of the pages: of a client's author, of somebody with one factor, of somebody who left, of another client."""
    signin = operator.database.open("troth_signin")
    for name, role, tenant, second in (("author", "author", a.tenant, True), ("hasty", "admin", a.tenant, False),
                                       ("left", "approver", a.tenant, True), ("b", "admin", b.tenant, True)):  # fmt: skip
        secret = found[f"session_{name}"] = os.urandom(32)
        account, _ = member(operator, role, tenant)
        open_page(signin, account, secret, second=second)
        if name == "left":
            operator.admin.execute(
                "UPDATE account SET disabled_at = now_v1(), disabled_why = 'left' WHERE id = %s", (account,)
            )


def _drafts(operator, a, found):
    """A draft of two authors and its proposal; one that was edited since; a change that has one approval of two."""
    first, second = operator.sessions

    def save(draft, revision, session):
        values = (draft, a.tenant, f"c-{draft}", revision, session)
        operator.control.execute("SELECT draft_save_v1(%s, %s, 'category', NULL, %s, '{}', %s, %s)", values)

    def propose(session, tenant, code, draft=None):
        change = uuid7(now())
        row = operator.control.execute(
            "SELECT propose_v1(%s, 'category', %s, %s, %s, '{}', 'x', %s, %s)",
            (change, tenant, uuid7(now()), code, session, draft),
        ).fetchone()
        return change, row[0]

    drafts = [uuid7(now()) for _ in range(2)]
    for draft in drafts:
        save(draft, 0, second)
        save(draft, 1, first)
    found["draft"] = drafts[0]
    found["written_change"], found["written_digest"] = propose(first, a.tenant, f"c-{drafts[0]}", drafts[0])
    found["stale_change"], found["stale_digest"] = propose(first, a.tenant, f"c-{drafts[1]}", drafts[1])
    save(drafts[1], 2, first)
    other = make_firm(operator, "cc").tenant
    account, _ = member(operator, "approver", other)
    found["session3"] = os.urandom(32)
    open_page(operator.database.open("troth_signin"), account, found["session3"])
    operator.govern("policy", other, "tenant", {"governance": {"approvers": 2}})
    found["half_change"], found["half_digest"] = propose(first, other, "half")
    values = (found["half_change"], found["half_digest"], found["session3"])
    assert operator.control.execute("SELECT approve_v1(%s, %s, %s)", values).fetchone() == (None,)
    operator.control.execute("SELECT comment_v1(%s, %s, 'Why now?', %s)", (uuid7(now()), found["half_change"], first))


def _rows(database, a, b, found):
    with database.filler() as filler:
        for firm in (a, b):
            person, message, email = firm.person(f"one@{firm.name}"), uuid7(now()), uuid7(now())
            row = (firm.tenant, person, sha(str(person).encode()))
            filler.execute(
                "INSERT INTO message (tenant_id, person_id, blind_index, id, email_id, category_id, field, created_at,"
                " decision_ct, state, state_at) VALUES (%s, %s, %s, %s, %s, %s, 1, now(), '\\x02', 2, now())",
                (*row, message, email, firm.category),
            )
            filler.execute("INSERT INTO message_body VALUES (%s, %s, '\\x02')", (message, firm.tenant))
            filler.execute(
                "INSERT INTO event (message_id, kind, source_key, tenant_id, at, leaf_hash)"
                " VALUES (%s, 1, '', %s, now(), sha256('x'))",
                (message, firm.tenant),
            )
            filler.execute(
                "INSERT INTO spool (tenant_id, person_id, blind_index, message_id, email_id, category_id,"
                " category_snapshot, domain_id, state, due, lifetime_ends)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 2, now(), now() + interval '1 day')",
                (*row, message, email, firm.category, found["snapshot_b"], firm.domain),
            )
            filler.execute("INSERT INTO rate_counter VALUES (%s, 1, %s, now(), 1, 10)", (firm.tenant, firm.tenant))
            filler.execute(
                "INSERT INTO suppression (blind_index, reason, source, tenant_id, created_at)"
                " VALUES (sha256(%s), 1, 'test', %s, now())",
                (firm.name.encode(), firm.tenant),
            )
            filler.execute(
                "INSERT INTO opt_out VALUES (%s, sha256('x'), %s, 'test', now())", (firm.tenant, firm.category)
            )
            filler.execute(
                "INSERT INTO pause (id, tenant_id, effect, reason, started_by, started_at)"
                " VALUES (gen_random_uuid(), %s, 'stop-new', 'x', 'x', now())",
                (firm.tenant,),
            )
        found["person_b"], found["message_b"] = person, message
        _secrets(filler, a, found)


def _secrets(filler, a, found):
    filler.execute(
        "INSERT INTO confirmation (secret_hash, tenant_id, person_id, pathway, created_at, expires_at)"
        " VALUES (%s, %s, %s, 'confirmation-link', now(), now() + interval '1 day')",
        (sha(found["confirmation"]), a.tenant, a.person("new@person.example", status=1)),
    )
    found["credential"] = uuid7(now())
    filler.execute(
        "INSERT INTO credential VALUES (%s, %s, %s, sha256('s'), %s, now())",
        (found["credential"], found["account1"], sha(found["device"]), sha(found["passphrase"])),
    )
    filler.execute(
        "INSERT INTO session (account_id, credential_id, secret_hash, opened_at, expires_at)"
        " VALUES (%s, %s, %s, now() - interval '1 hour', now() - interval '1 minute')",
        (found["account2"], found["credential"], sha(found["ended_session"])),
    )
    filler.execute(
        "CREATE VIEW all_messages WITH (security_invoker) AS SELECT * FROM message; GRANT SELECT ON all_messages TO"
        " troth_control"
    )


@pytest.mark.parametrize("attempt", attempts.ALL, ids=lambda a: f"{a.role}: {a.name}")
def test_refused(world, attempt):
    database, found = world
    with _as(database, attempt.role) as connection:
        if attempt.role == CONTROL:
            connection.execute("SELECT set_config('troth.tenant', %s, true)", (str(found["a"]),))
        if attempt.meets == NOTHING:
            rows = _run(connection, attempt.sql, found)
            assert [row for row in rows if row != (None,)] == []
        else:
            with pytest.raises(psycopg.Error) as refused:
                _run(connection, attempt.sql, found)
            assert refused.value.sqlstate == attempt.meets, refused.value
            assert attempt.says in str(refused.value)
        connection.rollback()


def _as(database, role):
    if role == OWNER:
        options = "-c role=troth_owner -c search_path=troth"
        return psycopg.connect(**database.conninfo("troth_migrate"), options=options)
    return psycopg.connect(**database.conninfo(role), options="-c search_path=troth")


def _run(connection, sql, found):
    """Each statement of the attempt; the last one's rows."""
    cursor = connection.cursor()
    for part in ("message_part", "message_body_part", "event_part"):
        sql = sql.replace(f"{{{part}}}", found[part])
    for statement in sql.split("; "):
        cursor.execute(statement, found if "%(" in statement else None)
    return cursor.fetchall() if cursor.description else []


def test_there_are_at_least_thirty_and_each_has_a_name_of_its_own():
    assert len(attempts.ALL) >= 30
    assert len({(a.role, a.name) for a in attempts.ALL}) == len(attempts.ALL)


def test_the_same_reads_show_ones_own_rows(world):
    """So that 'nothing' above is row-level security's doing, and not an empty table's."""
    database, found = world
    with _as(database, CONTROL) as connection:
        connection.execute("SELECT set_config('troth.tenant', %s, true)", (str(found["b"]),))
        for attempt in attempts.READING:
            if attempt.meets == NOTHING and "no tenant" not in attempt.name and "change" not in attempt.name:
                assert _run(connection, attempt.sql, found), attempt.name


def test_the_upgrades_account_has_no_power_until_it_asks_for_it(world):
    database, _ = world
    with psycopg.connect(**database.conninfo("troth_migrate")) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute("SELECT * FROM troth.person")
    assert refused.value.sqlstate == "42501"


def test_nothing_is_approved_before_both_owners_signed(database):
    control = database.open("troth_control")
    database.fill(
        "INSERT INTO installation (id, mode, cell, secrets_ct, operator_keyset)"
        " VALUES (gen_random_uuid(), 'test', 'a', sha256('x') || sha256('x'), sha256('x') || sha256('x'))"
    )
    ids, factors = [uuid7(now()) for _ in range(5)], [os.urandom(32) for _ in range(4)]
    change = ids[4]
    digest = control.execute(
        "SELECT genesis_v1(%s,%s,%s,%s,%s,%s,%s,%s,%s,'{}')",
        (change, ids[:2], ids[2:4], [b"\x01"] * 2, [b"\x01"] * 2, [sha(b"1"), sha(b"2")],
         [sha(f) for f in factors[:2]], [os.urandom(16)] * 2, [sha(f) for f in factors[2:]]),
    ).fetchone()[0]  # fmt: skip
    sessions = [os.urandom(32), os.urandom(32)]
    for n in (0, 1):
        control.execute("SELECT session_open_v1(%s,%s,%s,%s)", (ids[2 + n], factors[n], factors[2 + n], sessions[n]))
    other = uuid7(now())
    text = '{"domain":"x.example","name":"P","profile":"property"}'
    proposed = control.execute(
        "SELECT propose_v1(%s,'programme',NULL,%s,'pp',%s,'x',%s)", (other, uuid7(now()), text, sessions[0])
    ).fetchone()[0]
    with pytest.raises(psycopg.Error, match="both owners sign the genesis entry first"):
        control.execute("SELECT approve_v1(%s,%s,%s)", (other, proposed, sessions[1]))
    with pytest.raises(psycopg.Error, match="a second person must approve"):
        control.execute("SELECT approve_v1(%s,%s,%s)", (change, digest, sessions[0]))
    control.execute("SELECT approve_v1(%s,%s,%s)", (change, digest, sessions[1]))
    control.execute("SELECT approve_v1(%s,%s,%s)", (other, proposed, sessions[1]))
