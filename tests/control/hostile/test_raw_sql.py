"""Raw SQL as one role, with what that role can come by: no role goes the whole way by itself."""

import hashlib
import os

import psycopg
import pytest
from tests.control.access.cast import later, member, session
from tests.support.firm import now
from tests.support.pages import HASHED

from troth.keys.ids import uuid7

DENIED = psycopg.errors.InsufficientPrivilege
SAVE = "SELECT draft_save_v1(%s, %s, 'category', NULL, 'd', %s, %s, %s)"


def test_the_role_of_the_pages_alone_sets_nobodys_password(operator, firm):
    """With one it could sign in as somebody, and with two it would be both of the two people."""
    who, secret = member(operator, "Ada", "approver", firm.tenant).account, os.urandom(32)
    with pytest.raises(DENIED):
        operator.control.execute("SELECT password_link_v1(%s, %s, 'reset')", (who, hashlib.sha256(secret).digest()))
    assert operator.control.execute("SELECT password_set_v1(%s, %s)", (secret, HASHED)).fetchone()[0] is None
    with pytest.raises(DENIED):
        operator.database.open("troth_signin").execute("SELECT password_set_v1(%s, %s)", (secret, HASHED))


def test_a_leaver_whose_time_is_over_acts_no_more_though_the_duty_is_late(operator, firm):
    admin, leaver = (member(operator, name, "admin", firm.tenant).account for name in ("Ada", "Leo"))
    secret = session(operator, leaver)
    soon = "now_v1() + interval '5 minutes'"
    operator.control.execute(f"SELECT leaver_mark_v1(%s, %s, {soon})", (session(operator, admin), leaver))
    seen = "SELECT count(*) FROM session_seen_v1(%s)"
    assert operator.control.execute(seen, (secret,)).fetchone()[0] == 1
    later(operator, 6 / 1440)
    assert operator.control.execute(seen, (secret,)).fetchone()[0] == 0
    with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification):
        operator.control.execute(SAVE, (uuid7(now()), firm.tenant, "{}", 0, secret))


def test_a_draft_is_not_saved_over_another_without_saying_which_one_was_looked_at(operator, firm):
    one, two = (session(operator, member(operator, name, "author", firm.tenant).account) for name in ("Ada", "Bo"))
    draft = uuid7(now())
    operator.control.execute(SAVE, (draft, firm.tenant, "{}", 0, one))
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="somebody has saved"):
        operator.control.execute(SAVE, (draft, firm.tenant, '{"x": 1}', None, two))
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="somebody has saved"):
        operator.control.execute("SELECT draft_drop_v1(%s, NULL, %s)", (draft, two))


def test_a_device_of_somebody_whose_access_ended_stays_worthless_when_access_is_given_anew(operator, firm):
    who = member(operator, "Ada", "approver", firm.tenant).account
    active = "SELECT count(*) FROM credential WHERE account_id = %s AND revoked_at IS NULL"
    assert operator.admin.execute(active, (who,)).fetchone()[0] == 1
    for at in ("now_v1()", "NULL"):
        operator.database.run(f"UPDATE account SET disabled_at = {at} WHERE id = %s", who)
    assert operator.admin.execute(active, (who,)).fetchone()[0] == 0


def test_what_somebody_did_is_told_with_their_own_session_alone(operator, firm):
    """The access log says who acted: with the secret of the session that acted."""
    ada, bo = (member(operator, name, "approver", firm.tenant).account for name in ("Ada", "Bo"))
    secret = session(operator, ada)
    tell = "SELECT access_act_v1(%s, %s, 'change 302', NULL, NULL)"
    for kind in ("act", "refused"):
        operator.control.execute(tell, (kind, secret))
        with pytest.raises(DENIED, match="comes from the act"):
            operator.control.execute("SELECT access_log_v1(%s, %s, NULL, 'change 302', NULL, NULL)", (kind, bo))
        with pytest.raises(DENIED):
            operator.control.execute(tell, (kind, os.urandom(32)))
    with pytest.raises(DENIED, match="comes from the act"):
        operator.control.execute(tell, ("sign-in", secret))
    operator.control.execute("SELECT session_end_v1(%s, NULL)", (secret,))
    operator.control.execute(tell, ("act", secret))  # signing out is an act, too
    found = operator.admin.execute("SELECT DISTINCT account_id FROM access_log WHERE kind IN ('act', 'refused')")
    assert found.fetchall() == [(ada,)]
