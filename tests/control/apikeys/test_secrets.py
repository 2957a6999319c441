"""Four eyes over API keys: how long a secret may live, that none comes back, and what is over at once."""

import psycopg
import pytest
from tests.support.firm import key_end

from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.audit.refusals import Invalid, Refused
from troth.keys.api_keys import make_key


def artefact(key, **more):
    return {"name": "key", "prefix": key.prefix, "hash": key.hash.hex(), "categories": ["rent"],
            "expires_at": key_end(), "policy": {}, **more}  # fmt: skip


def secrets(operator, subject):
    query = "SELECT hash, ends_at > now_v1() FROM api_key_secret WHERE key_id = %s ORDER BY created_at"
    return [(bytes(h), live) for h, live in operator.admin.execute(query, (subject,)).fetchall()]


def test_raw_sql_gives_no_key_more_days_than_policy(operator, firm):
    with pytest.raises(psycopg.Error, match="at most 90 days"):
        operator.govern("api-key", firm.tenant, "long", artefact(make_key("a"), expires_at=key_end(91)))
    operator.govern("api-key", firm.tenant, "fits", artefact(make_key("a"), expires_at=key_end(90)))


def test_a_clients_stricter_policy_counts(operator, firm):
    operator.govern("policy", firm.tenant, "tenant", {"access": {"key_days": 30}})
    with pytest.raises(psycopg.Error, match="at most 30 days"):
        operator.govern("api-key", firm.tenant, "long", artefact(make_key("a"), expires_at=key_end(31)))


def test_no_later_version_makes_a_secret_younger(operator, firm):
    key = make_key("a")
    subject = operator.govern("api-key", firm.tenant, "program", artefact(key))
    operator.admin.execute("UPDATE installation SET clock_offset = interval '20 days'")
    operator.admin.execute("UPDATE session SET expires_at = now_v1() + interval '1 hour'")
    wider = artefact(key, expires_at=key_end(100), networks=["192.0.2.0/24"])
    with pytest.raises(psycopg.Error, match="at most 90 days"):
        operator.govern("api-key", firm.tenant, "program", wider, subject)
    operator.govern("api-key", firm.tenant, "program", {**wider, "expires_at": key_end(89)}, subject)
    assert secrets(operator, subject) == [(key.hash, True)]


def test_a_key_that_ended_before_its_approval_never_begins(operator, firm):
    with pytest.raises(psycopg.Error, match="is over before it began"):
        operator.govern("api-key", firm.tenant, "late", artefact(make_key("a"), expires_at=key_end(-1)))


def test_a_secret_that_was_rotated_out_does_not_come_back(operator, firm):
    old, new = make_key("a"), make_key("a")
    subject = operator.govern("api-key", firm.tenant, "program", artefact(old))
    operator.govern("api-key", firm.tenant, "program", artefact(new), subject)
    assert secrets(operator, subject) == [(old.hash, True), (new.hash, True)]
    with pytest.raises(psycopg.Error, match="does not come back"):
        operator.govern("api-key", firm.tenant, "program", artefact(old), subject)


def test_one_secret_is_one_keys(operator, firm):
    key = make_key("a")
    operator.govern("api-key", firm.tenant, "one", artefact(key))
    with pytest.raises(psycopg.Error, match="another key's"):
        operator.govern("api-key", firm.tenant, "two", artefact(key))


def test_a_policy_without_overlap_ends_the_old_secret_with_the_approval(operator, firm):
    operator.govern("policy", firm.tenant, "tenant", {"access": {"key_overlap_hours": 0}})
    new = make_key("a")
    operator.govern("api-key", firm.tenant, "key", artefact(new), firm.key)
    assert secrets(operator, firm.key) == [(firm.key_hash, False), (new.hash, True)]


def test_stopping_the_version_in_force_ends_the_key_for_good(operator, firm):
    new = make_key("a")
    operator.govern("api-key", firm.tenant, "key", artefact(new), firm.key)
    operator.revoke(firm.key)
    assert [live for _, live in secrets(operator, firm.key)] == [False, False]
    assert operator.admin.execute("SELECT revoked_at FROM api_key").fetchone() != (None,)
    with pytest.raises(psycopg.Error, match="revoked for good"):
        operator.govern("api-key", firm.tenant, "key", artefact(make_key("a")), firm.key)


def test_stopping_the_version_before_ends_its_secret_and_no_other(operator, firm):
    before = operator.snapshot(firm.key)
    new = make_key("a")
    operator.govern("api-key", firm.tenant, "key", artefact(new), firm.key)
    operator.control.execute("SELECT revoke_v1(%s,%s,%s)", (before, "it leaked", operator.sessions[0]))
    assert secrets(operator, firm.key) == [(firm.key_hash, False), (new.hash, True)]
    assert operator.admin.execute("SELECT revoked_at FROM api_key").fetchone() == (None,)


def test_a_retired_key_keeps_its_secrets_as_they_were(operator, firm):
    before = secrets(operator, firm.key)
    operator.govern("api-key", firm.tenant, "key", {**artefact(make_key("a")), "retired": True}, firm.key)
    assert secrets(operator, firm.key) == before


@pytest.mark.parametrize("role", ["troth_control", "troth_flow", "troth_ledger"])
@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE api_key_secret SET ends_at = now() + interval '9 years'",
        "UPDATE api_key SET expires_at = now() + interval '9 years'",
        "DELETE FROM api_key_secret",
        "SELECT api_key_wrong(c) FROM change c",
        "INSERT INTO api_key_secret SELECT '\\x00', key_id, tenant_id, prefix, snapshot_id, now(), now() FROM api_key_secret",
    ],
)
def test_no_role_touches_a_secret(operator, firm, role, attempt):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        operator.database.open(role).execute(attempt)


def test_the_pages_role_reads_no_hash(operator, firm):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        operator.control.execute("SELECT hash FROM api_key_secret")


@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE api_key_secret SET hash = sha256('mine')",
        "UPDATE api_key_secret SET created_at = now_v1()",
        "DELETE FROM api_key_secret",
        "TRUNCATE api_key_secret",
    ],
)
def test_not_even_the_owner_rewrites_a_secret(operator, firm, attempt):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="insert"):
        operator.admin.execute(attempt)


@pytest.mark.parametrize(
    ("more", "field", "says"),
    [
        ({"expires_at": key_end(91)}, "expires_at", "at most 90 days"),
        ({"expires_at": key_end(-1)}, "expires_at", "passed"),
        ({"expires_at": "2027-01-01T00:00:00"}, "expires_at", "time zone"),
        ({"mode": "trial"}, "mode", "live or test"),
        ({"networks": ["the office"]}, "networks", "no network"),
        ({"networks": ["192.0.2.7/24"]}, "networks", "192.0.2.0/24"),
        ({"networks": ["192.0.2.0/24", "192.0.2.0/24"]}, "networks", "twice"),
        ({"networks": ["10.0.0.0/8"] * 51}, "networks", "at most 50"),
        ({"categories": ["nothing"]}, "categories", "nothing"),
        ({"categories": []}, "categories", "at least one"),
        ({"prefix": "secret"}, "prefix", "start of the key"),
        ({"name": " "}, "name", "Name the program"),
    ],
)
def test_what_no_key_may_be_is_said_before_anybody_is_asked(operator, firm, more, field, says):
    proposal = Proposal("api-key", "k1", artefact(make_key("a"), **more), "a program", firm.tenant)
    with pytest.raises(Invalid) as refused:
        changes.propose(operator.control, operator.sessions[0], proposal)
    assert [p.field for p in refused.value.problems] == [field]
    assert says in refused.value.problems[0].hint


def test_a_change_that_policy_overtook_is_refused_in_words(operator, firm):
    """Proposed within the old number, approved under a stricter one."""
    proposal = Proposal("api-key", "k1", artefact(make_key("a")), "a program", firm.tenant)
    made = changes.propose(operator.control, operator.sessions[0], proposal)
    operator.govern("policy", firm.tenant, "tenant", {"access": {"key_days": 7}})
    change = changes.find(operator.control, made.id, (firm.tenant,))
    with pytest.raises(Refused, match="at most 7 days"):
        changes.approve(operator.control, operator.sessions[1], change)
