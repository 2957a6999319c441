"""Signing on as SQL: what no run-time role may do, and what the database refuses although two people approved it."""

import hashlib
import json
import os

import psycopg
import pytest
from tests.support.firm import make_firm, now

from troth.keys.ids import uuid7
from troth.ledger.canonical import canonical_document

BAD = psycopg.errors.InsufficientPrivilege
TERMS = {
    "domains": ["people.test"],
    "saml": {"entity_id": "https://idp.test", "sso_url": "https://idp.test/sso", "certificates": ["AA=="]},
}


def propose(operator, tenant, artefact):
    change = uuid7(now())
    text = canonical_document(artefact).decode()
    values = (change, "sign-on", tenant, uuid7(now()), "sign-on", text, "for the test", operator.sessions[0])
    subject = operator.admin.execute(
        "SELECT subject FROM governed WHERE kind = 'sign-on' AND tenant_id = %s", (tenant,)
    ).fetchone()
    if subject:
        values = (*values[:3], subject[0], *values[4:])
    digest = operator.control.execute("SELECT propose_v1(%s,%s,%s,%s,%s,%s,%s,%s)", values).fetchone()[0]
    return lambda: operator.control.execute("SELECT approve_v1(%s,%s,%s)", (change, digest, operator.sessions[1]))


def prove(operator, tenant, domain="people.test", ago="0 days"):
    operator.admin.execute(
        "INSERT INTO sign_on_proof SELECT %s, %s, now_v1() - %s::interval, (SELECT id FROM account LIMIT 1)",
        (tenant, domain, ago),
    )


def snapshot(operator, tenant):
    query = "SELECT snapshot_id FROM governed WHERE kind = 'sign-on' AND tenant_id = %s"
    return operator.admin.execute(query, (tenant,)).fetchone()[0]


@pytest.mark.parametrize("role", ["troth_control", "troth_flow", "troth_ledger", "troth_signin"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO sign_on_domain VALUES ('evil.test', gen_random_uuid())",
        "DELETE FROM sign_on_domain",
        "INSERT INTO sign_on_proof VALUES (gen_random_uuid(), 'evil.test', now(), gen_random_uuid())",
        "UPDATE sign_on_attempt SET answered_at = NULL",
        "SELECT * FROM sign_on_attempt",
        "INSERT INTO arrival (id) VALUES (gen_random_uuid())",
        "DELETE FROM arrival",
        "SELECT sign_on_proved(gen_random_uuid(), 'evil.test')",
        "SELECT apply_sign_on(NULL)",
    ],
)
def test_no_role_writes_by_itself(database, role, statement):
    with pytest.raises(BAD):
        database.open(role).execute(statement)


def test_a_domain_is_bound_when_it_was_proved_lately_and_is_nobody_elses(operator, firm):
    approve = propose(operator, firm.tenant, TERMS)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match=r"people\.test is not shown"):
        approve()
    prove(operator, firm.tenant, ago="31 days")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        approve()
    operator.admin.execute("UPDATE sign_on_proof SET seen_at = now_v1()")
    approve()
    assert operator.admin.execute("SELECT domain, tenant_id FROM sign_on_domain").fetchall() == [
        ("people.test", firm.tenant)
    ]
    other = make_firm(operator, "other", "retail")
    prove(operator, other.tenant)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="bound to another"):
        propose(operator, other.tenant, TERMS)()
    propose(operator, firm.tenant, {**TERMS, "retired": True})()
    assert operator.control.execute("SELECT * FROM sign_on_of_tenant_v1(%s)", (firm.tenant,)).fetchall() == []
    propose(operator, other.tenant, TERMS)()


def test_a_sending_domain_that_is_ready_needs_no_record(operator, firm):
    ((name,),) = operator.admin.execute("SELECT name FROM domain_state WHERE tenant_id = %s", (firm.tenant,)).fetchall()
    approve = propose(operator, firm.tenant, {**TERMS, "domains": [name]})
    firm.domain_ready(False)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        approve()
    firm.domain_ready()
    approve()


def hashed(value):
    return hashlib.sha256(value).digest()


def test_an_attempt_is_answered_once_by_its_browser_in_time(operator, firm):
    prove(operator, firm.tenant)
    propose(operator, firm.tenant, TERMS)()
    sql = operator.control.execute
    state, browser, version = os.urandom(32), os.urandom(32), snapshot(operator, firm.tenant)

    def begin(one=version):
        sql("SELECT sign_on_begin_v1(%s,%s,%s,%s,'/')", (hashed(state), hashed(browser), firm.tenant, one))

    def answer(who=browser, tenant=firm.tenant):
        return sql("SELECT * FROM sign_on_answer_v1(%s,%s,%s)", (hashed(state), tenant, who and hashed(who))).fetchall()

    begin()
    with pytest.raises(psycopg.errors.UniqueViolation):
        begin()
    state = os.urandom(32)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        begin(uuid7(now()))
    begin()
    keep = "SELECT sign_on_keep_v1(%s,%s,%s,%s)"
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        sql(keep, (hashed(state), firm.tenant, os.urandom(32), b"\1x"))
    assert answer(os.urandom(32)) == []
    assert answer(tenant=make_firm(operator, "other", "retail").tenant) == []
    operator.admin.execute("UPDATE sign_on_attempt SET began_at = now_v1() - interval '11 minutes'")
    assert answer() == []
    operator.admin.execute("UPDATE sign_on_attempt SET began_at = now_v1()")
    assert answer(None) == [("/",)]
    assert answer(None) == []
    ticket = os.urandom(32)
    sql(keep, (hashed(state), firm.tenant, hashed(ticket), b"\1x"))
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        sql(keep, (hashed(state), firm.tenant, os.urandom(32), b"\1y"))
    collect = "SELECT * FROM sign_on_collect_v1(%s,%s,%s)"
    assert sql(collect, (hashed(ticket), firm.tenant, os.urandom(32))).fetchall() == []
    assert sql(collect, (hashed(ticket), firm.tenant, hashed(browser))).fetchall() == [("/", b"\1x")]
    assert sql(collect, (hashed(ticket), firm.tenant, hashed(browser))).fetchall() == []
    assert operator.admin.execute("SELECT count(outcome_ct) FROM sign_on_attempt").fetchone() == (0,)


def test_a_stopped_version_signs_nobody_on(operator, firm):
    prove(operator, firm.tenant)
    propose(operator, firm.tenant, {**TERMS, "enforced": True})()
    there = "SELECT count(*) FROM sign_on_of_domain_v1('people.test')"
    assert operator.control.execute(there).fetchone() == (1,)
    operator.control.execute("SELECT revoke_v1(%s,'stop',%s)", (snapshot(operator, firm.tenant), operator.sessions[0]))
    assert operator.control.execute(there).fetchone() == (0,)


def test_at_most_500_wait(operator, firm):
    prove(operator, firm.tenant)
    propose(operator, firm.tenant, TERMS)()
    operator.admin.execute(
        "INSERT INTO arrival SELECT gen_random_uuid(), %s, sha256(n::text::bytea), '\\x01', '\\x01', now_v1(), now_v1()"
        " FROM generate_series(1, 500) AS n",
        (firm.tenant,),
    )
    note = "SELECT arrival_v1(gen_random_uuid(),%s,%s,'\\x01','\\x01')"
    assert operator.control.execute(note, (firm.tenant, os.urandom(32))).fetchone() == (False,)
    assert operator.control.execute(note, (firm.tenant, hashlib.sha256(b"1").digest())).fetchone() == (True,)
    # and nobody for a client that does not sign on
    propose(operator, firm.tenant, {**TERMS, "retired": True})()
    assert operator.control.execute(note, (firm.tenant, os.urandom(32))).fetchone() == (False,)


def test_what_an_artefact_must_be(operator, firm):
    from troth.control.approvals.asked import Asked
    from troth.control.approvals.kinds import problems

    prove(operator, firm.tenant)

    def found(code="sign-on", **more):
        artefact = json.loads(json.dumps({**TERMS, **more}))
        return {
            each.field
            for each in problems("sign-on", Asked(operator.control, firm.tenant, firm.tenant, code, artefact, now()))
        }

    openid = {"issuer": "https://login.test", "authorization_endpoint": "https://login.test/a", "token_endpoint": "https://login.test/t",
              "jwks_uri": "https://login.test/j", "client_id": "c", "client_secret_ct": "AQ=="}  # fmt: skip
    base = {"saml": None, "openid": openid}
    assert found(**base) == set()
    assert found("other", **base) == {"code"}
    assert found(openid=openid) == {"protocol", "saml.certificates"}
    assert found(**base, domains=[]) == {"domains"}
    assert found(**base, domains=["people.test", "people.test"]) == {"domains"}
    assert found(**base, domains=["Not A Domain"]) == {"domains"}
    assert found(**base, domains=["unproved.test"]) == {"domains"}
    assert found(**base, domains=["unproved.test"], retired=True) == set()
    assert found(**base, spare=str(uuid7(now()))) == {"spare"}
    for field in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
        for wrong in ("ftp://x", "https://10.0.0.7/", "https://user@login.test/", "login.test"):
            assert found(saml=None, openid={**openid, field: wrong}) == {f"openid.{field}"}
    assert found(saml=None, openid={**openid, "issuer": "https://login.test/?a=b"}) == {"openid.issuer"}
    assert found(saml=None, openid={**openid, "client_id": ""}) == {"openid.client_id"}
    assert found(saml=None, openid={**openid, "client_secret_ct": "in clear"}) == {"openid.client_secret"}
    assert found(saml={**TERMS["saml"], "entity_id": "", "certificates": []}) == {"saml.entity_id", "saml.certificates"}
    # http is for demo and tests
    assert found(saml=None, openid={**openid, "issuer": "http://127.0.0.1:8080"}) == set()
    operator.database.fill("UPDATE installation SET mode = 'production'")
    assert found(saml=None, openid={**openid, "issuer": "http://127.0.0.1:8080"}) == {"openid.issuer"}
    assert found(saml=None, openid={**openid, "token_endpoint": "http://login.test/t"}) == {"openid.token_endpoint"}
