"""One's own account and sessions: seen, ended, limited; and what a form may not do: fix, forge, assign, enumerate."""

import re
from uuid import uuid4

import pytest
from tests.support.pages import PASSWORD, join
from tests.support.totp import code_of

FORMS = (
    "/sign-in", "/sign-in/passkey", "/passkey/options", "/second-factor", "/prove", "/sign-out", "/account/sessions/end",
    "/account/password", "/account/not-now", "/account/factors/app", "/account/factors/passkey",
    "/account/factors/passkey/options", "/account/factors/codes", "/account/factors/1/name", "/account/factors/1/remove",
)  # fmt: skip


def ended(site):
    rows = site.operator.admin.execute("SELECT ended_why FROM session WHERE ended_at IS NOT NULL ORDER BY ended_at")
    return [row[0] for row in rows.fetchall()]


def test_one_sees_ones_own_sessions_and_ends_them(site):
    one, two, other = site.visitor(site.member), site.visitor(site.member), site.visitor(site.outsider)
    page = one.get("/account").text
    found = re.findall(r"/account/sessions/([0-9a-f-]{36})/end", page)
    assert len(found) == 1
    assert "password and passkey" in page
    assert "127.0.0.1" in page
    (theirs,) = site.operator.admin.execute(
        "SELECT id FROM session WHERE account_id = %s", (site.outsider.account,)
    ).fetchone()
    for strange in (theirs, uuid4()):  # another's, nobody's: nothing happens, and it reads as what is not there
        one.get("/account")
        assert one.post(f"/account/sessions/{strange}/end").status == 404
    one.get("/account")
    assert other.get("/").url == f"{site.url}/"
    one.post(f"/account/sessions/{found[0]}/end")
    assert two.get("/account").url.startswith(f"{site.url}/sign-in")
    assert one.get("/account").url == f"{site.url}/account"
    assert ended(site) == ["ended by its person"]
    three = site.visitor(site.member)
    three.get("/account")
    three.post("/account/sessions/end")
    assert one.get("/account").url.startswith(f"{site.url}/sign-in")
    assert three.get("/account").url == f"{site.url}/account"


def test_sessions_are_few_and_end_without_use(site):
    first = site.visitor(site.member)
    rest = [site.visitor(site.member) for _ in range(5)]
    assert first.get("/account").url.startswith(f"{site.url}/sign-in")
    assert ended(site) == ["too many"]
    move = "UPDATE installation SET clock_offset = make_interval(mins => %s)"
    for minutes in (29, 58):
        site.operator.admin.execute(move, (minutes,))
        assert rest[0].get("/account").url == f"{site.url}/account"
    assert rest[1].get("/account").url.startswith(f"{site.url}/sign-in")
    for minutes in range(58, 12 * 60, 25):
        site.operator.admin.execute(move, (minutes,))
        rest[0].get("/")
    assert rest[0].get("/account").url == f"{site.url}/account"
    site.operator.admin.execute(move, (12 * 60 + 1,))
    assert rest[0].get("/account").url.startswith(f"{site.url}/sign-in")  # however much it is used


@pytest.mark.parametrize("path", FORMS)
def test_no_form_of_an_account_works_from_elsewhere(site, path):
    visitor = site.visitor(site.member)
    visitor.get("/account")
    assert visitor.post(path, token=False, password=PASSWORD, code="123456", name="x").status == 403
    assert "nothing was done" in visitor.last
    assert visitor.get("/").url == f"{site.url}/"


def test_a_secret_that_somebody_planted_is_never_a_session(site):
    """Fixation: what a browser brings along is not what it has afterwards, of either cookie."""
    visitor = site.visitor()
    visitor.get("/sign-in")
    visitor.post("/passkey/options", what="sign-in")
    before = {one.name: one.value for one in visitor.cookies}
    visitor.sign_in(site.member)
    after = {one.name: one.value for one in visitor.cookies}
    assert before["__Host-troth_session"] != after["__Host-troth_session"]
    # another person's cookie of one kind with one's own of the other opens nothing
    other = site.visitor(site.outsider)
    for one in other.cookies:
        if one.name == "__Host-troth_proof":
            visitor.cookies.set_cookie(one)
    assert visitor.get("/account").url.startswith(f"{site.url}/sign-in")


def test_fields_that_a_form_does_not_have_change_nothing(site):
    """Mass assignment: whose, which kind, since when, how proved."""
    who = join(site.operator, "Vesper Lane <vesper@firm.test>", "viewer", site.firm.tenant, second=False)
    visitor = site.visitor(who)
    page = visitor.get("/account/factors/app").text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")
    token = re.search(r'name="offer" value="([^"]+)"', page)[1]
    more = {"user": str(site.staff.account), "user_id": str(site.staff.account), "account": str(site.staff.account),
            "type": "webauthn", "secret": "AAAA", "data": "{}", "second": "true", "role": "owner", "last": "0"}  # fmt: skip
    assert "Keep your" in visitor.post("/account/factors/app", offer=token, code=code_of(secret), **more).text
    held = "SELECT type FROM mfa_authenticator WHERE user_id = %s ORDER BY id"
    assert site.operator.admin.execute(held, (who.account,)).fetchall() == [("totp",), ("recovery_codes",)]
    assert site.operator.admin.execute(held, (site.staff.account,)).fetchall() == [("webauthn",)]
    (role,) = site.operator.admin.execute("SELECT role FROM account WHERE id = %s", (who.account,)).fetchone()
    assert role == "viewer"


def test_nothing_tells_whether_an_address_has_an_account(site):
    """Signing in, its second step before the password, a lost password and a passkey's options are the same for all."""
    closed = join(site.operator, "Gone Away <gone@firm.test>", "viewer", site.firm.tenant)
    site.operator.database.fill("UPDATE account SET disabled_at = now() WHERE id = %s", closed.account)
    pages = set()
    for address in (site.member.address, closed.address, "nobody@firm.test"):
        visitor = site.visitor()
        visitor.get("/sign-in")
        wrong = visitor.post("/sign-in", login=address, password="wrong").text.replace(address, "")
        assert visitor.get("/second-factor").url == f"{site.url}/sign-in"
        asked = visitor.post("/passkey/options", what="show", login=address)
        assert asked.status == 403
        assert "allowCredentials" not in visitor.post("/passkey/options", what="sign-in", login=address).text
        pages.add(re.sub(r'value="[^"]{64}"', "", wrong))
    assert len(pages) == 1


def test_a_new_password_by_link_does_not_go_round_the_second_factor(site):
    from tests.control.people.test_passwords import NEW, made, put

    assert "is set" in put(site.visitor(), made(site, site.member)).text
    visitor = site.visitor()
    visitor.get("/sign-in")
    assert visitor.post("/sign-in", login=site.member.address, password=NEW).url == f"{site.url}/second-factor"
    assert visitor.get("/templates").url == f"{site.url}/second-factor"


def test_access_that_ends_and_comes_back_begins_without_password_and_factors(site):
    """Two people take it away and give it anew: the way back for whoever has lost every factor."""
    site.operator.admin.execute("UPDATE account SET disabled_at = now() WHERE id = %s", (site.member.account,))
    site.operator.admin.execute("UPDATE account SET disabled_at = NULL WHERE id = %s", (site.member.account,))
    assert "do not match" in site.visitor().sign_in(site.member).text
    assert (
        site.operator.admin.execute(
            "SELECT 1 FROM mfa_authenticator WHERE user_id = %s", (site.member.account,)
        ).fetchall()
        == []
    )
    kinds = site.operator.admin.execute(
        "SELECT kind FROM ledger_pending WHERE kind = 'people:factor:remove'"
    ).fetchall()
    assert len(kinds) == 1


def test_a_proof_is_asked_for_after_ten_minutes_and_lasts(site):
    visitor = site.visitor(site.member)
    assert visitor.get("/account/password").url == f"{site.url}/account/password"
    site.operator.admin.execute("UPDATE installation SET clock_offset = interval '11 minutes'")
    assert visitor.get("/account/password").url == f"{site.url}/prove?next=%2Faccount%2Fpassword"
    assert "This is not your password" in visitor.post("/prove", password="wrong").text
    assert visitor.post("/prove", credential=visitor.shown(site.member.key), next="/account/password").url == (
        f"{site.url}/account/password"
    )
    site.operator.admin.execute("UPDATE installation SET clock_offset = interval '20 minutes'")
    assert visitor.get("/account/factors/codes").url == f"{site.url}/account/factors/codes"
