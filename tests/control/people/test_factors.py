"""Second factors in use: shown once, sealed for one account, locked after five tries, told of by mail, never by GET."""

import base64
import json
import re
import threading
from uuid import UUID

import psycopg
import pytest
from tests.support.pages import PASSWORD, join
from tests.support.soft_key import PRESENT, SoftKey, text
from tests.support.totp import code_of

from troth.keys import places
from troth.keys.keyring import OPERATOR


def kinds_told(site, like="people:factor:%"):
    query = "SELECT kind FROM ledger_pending WHERE kind LIKE %s ORDER BY id"
    return [row[0] for row in site.operator.admin.execute(query, (like,)).fetchall()]


def kinds_held(site, who):
    query = "SELECT type FROM mfa_authenticator WHERE user_id = %s ORDER BY id"
    return [row[0] for row in site.operator.admin.execute(query, (who.account,)).fetchall()]


@pytest.fixture
def viewer(site):
    """Somebody whose role needs no second factor, and who has none."""
    return join(site.operator, "Vesper Lane <vesper@firm.test>", "viewer", site.firm.tenant, second=False)


def offered(visitor):
    """The secret on the page of a new authenticator app, and its form's token."""
    page = visitor.get("/account/factors/app").text
    return re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", ""), re.search(
        r'name="offer" value="([^"]+)"', page
    )[1]


def taken_up(visitor, token, code):
    """The recovery codes that come with an authenticator app."""
    done = visitor.post("/account/factors/app", offer=token, code=code)
    assert "Keep your recovery codes" in done.text
    return re.findall(r"^(?:<div.*>)?([a-z2-9]{5}-[a-z2-9]{5})$", done.text, re.MULTILINE)


def with_app(visitor):
    """A taken up authenticator app: its secret, and its recovery codes."""
    secret, token = offered(visitor)
    return secret, taken_up(visitor, token, code_of(secret, -1))


def test_an_app_is_taken_up_with_its_first_code_and_each_code_serves_once(site, viewer):
    visitor = site.visitor(viewer)
    assert "Your password alone opens this account" in visitor.get("/account").text
    secret, token = offered(visitor)
    first = code_of(secret, -1)
    recovery = taken_up(visitor, token, first)
    assert len(set(recovery)) == 10
    assert kinds_held(site, viewer) == ["totp", "recovery_codes"]
    assert "Authenticator app" in visitor.get("/account").text
    fresh = site.visitor()
    assert fresh.sign_in(viewer).url == f"{site.url}/second-factor"
    assert fresh.get("/").url == f"{site.url}/sign-in" or "second-factor" in fresh.get("/").url  # not in yet
    fresh.get("/second-factor")
    used = code_of(secret)
    assert "is not right" in fresh.post("/second-factor", code=first).text  # that of its taking up
    assert fresh.post("/second-factor", code=f"{used[:3]} {used[3:]}").url == f"{site.url}/"
    again = site.visitor()
    again.sign_in(viewer)
    assert "or was used before" in again.post("/second-factor", code=used).text
    methods = site.operator.admin.execute(
        "SELECT methods FROM session WHERE kind = 'page' ORDER BY opened_at"
    ).fetchall()
    assert methods[-1] == (["password", "totp"],)


def test_a_recovery_code_serves_once(site, viewer):
    _, recovery = with_app(site.visitor(viewer))
    for code, answer in ((recovery[0].upper(), "/"), (recovery[0], "/second-factor"), (recovery[1], "/")):
        visitor = site.visitor()
        visitor.sign_in(viewer)
        assert visitor.post("/second-factor", code=code).url == f"{site.url}{answer}", code
    assert "8 of 10 left" in visitor.get("/account").text


def test_five_wrong_codes_lock_the_code_and_not_the_passkey(site):
    site.system_tenant()
    with_app(site.visitor(site.member))
    visitor = site.visitor()
    visitor.get("/sign-in")
    visitor.post("/sign-in", login=site.member.address, password=PASSWORD)
    for left in (4, 3, 2, 1):
        assert f"{left} tr" in visitor.post("/second-factor", code="000000").text
    assert "No tries left: wait 15 minutes." in visitor.post("/second-factor", code="abcde-fghjk").text
    assert "Too many tries" in visitor.post("/second-factor", code="000000").text
    kinds = site.operator.admin.execute(
        "SELECT kind FROM access_log WHERE kind IN ('sign-in-failed', 'locked') ORDER BY id"
    )
    assert [row[0] for row in kinds.fetchall()] == ["sign-in-failed"] * 4 + ["locked"]
    shown = visitor.post("/second-factor", credential=visitor.shown(site.member.key))
    assert shown.url == f"{site.url}/"


def test_a_passkey_alone_signs_in_if_it_verified_its_person(site):
    visitor = site.visitor()
    visitor.get("/sign-in")
    shown = visitor.shown(site.member.key, "sign-in")
    assert visitor.post("/sign-in/passkey", credential=shown, next="/templates").url == f"{site.url}/templates"
    query = "SELECT methods, second_factor_at IS NOT NULL FROM session WHERE kind = 'page'"
    assert site.operator.admin.execute(query).fetchall() == [(["passkey"], True)]
    other = site.visitor()
    other.get("/sign-in")
    assert "not known here" in other.post("/sign-in/passkey", credential=shown).text  # not a second time
    site.member.key.flags = PRESENT  # held, by whomever
    other.get("/sign-in")
    assert "not known here" in other.post("/sign-in/passkey", credential=other.shown(site.member.key, "sign-in")).text
    assert other.get("/").url == f"{site.url}/sign-in"


def forged(key: SoftKey, other: UUID) -> SoftKey:
    key.account = other
    return key


@pytest.mark.parametrize(
    "how", ["stranger", "another's handle", "another origin", "another site", "garbage", "none", "closed"]
)
def test_every_passkey_that_is_refused_reads_the_same(site, how):
    key = SoftKey(site.staff.account) if how == "stranger" else site.member.key
    if how == "another's handle":
        key.account = site.staff.account
    if how == "another site":
        key.site = "evil.example"
    if how == "closed":
        site.operator.database.fill("UPDATE account SET disabled_at = now() WHERE id = %s", site.member.account)
    visitor = site.visitor()
    visitor.get("/sign-in")
    page = visitor.last
    asked = json.loads(visitor.post("/passkey/options", what="sign-in").text)
    visitor.last = page
    shown = key.shown(asked, "https://evil.example" if how == "another origin" else site.url)
    given = {"garbage": '{"response": {"userHandle": 7}, "rawId": []}', "none": ""}.get(how, shown)
    answer = visitor.post("/sign-in/passkey", credential=given)
    assert answer.status == 422
    assert "This passkey is not known here. Sign in with your password." in answer.text
    assert visitor.get("/").url == f"{site.url}/sign-in"


def test_a_count_that_falls_is_a_copys(site):
    key = site.member.key
    for count, url in ((5, "/"), (6, "/"), (6, "/second-factor"), (0, "/second-factor")):
        key.count = count
        assert site.visitor().sign_in(site.member).url == f"{site.url}{url}", count


def test_a_row_that_is_moved_to_another_account_opens_for_nobody(site):
    """Moving one is refused; a copy of what it holds, under another account, does not open."""
    admin = site.operator.admin
    with pytest.raises(Exception, match="a factor stays"):
        admin.execute(
            "UPDATE mfa_authenticator SET user_id = %s WHERE user_id = %s", (site.outsider.account, site.member.account)
        )
    admin.execute("INSERT INTO mfa_authenticator (user_id, type, data, created_at) SELECT %s, type, data, now() "
                  "FROM mfa_authenticator WHERE user_id = %s", (site.outsider.account, site.member.account))  # fmt: skip
    visitor = site.visitor()
    visitor.get("/sign-in")
    forged(site.member.key, site.outsider.account)
    assert visitor.post("/sign-in/passkey", credential=visitor.shown(site.member.key, "sign-in")).status == 500
    assert visitor.get("/").url == f"{site.url}/sign-in"


def test_nothing_of_a_factor_is_in_the_clear(site, viewer):
    secret, recovery = with_app(site.visitor(viewer))
    rows = str(site.operator.admin.execute("SELECT * FROM mfa_authenticator").fetchall())
    assert not [word for word in (secret, recovery[0], recovery[0].replace("-", ""), "Laptop") if word in rows]
    (sealed,) = site.operator.admin.execute(
        "SELECT data ->> 'sealed' FROM mfa_authenticator WHERE type = 'totp'"
    ).fetchone()
    keyset = site.operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys = site.operator.keyring.tenant(OPERATOR, keyset)
    assert json.loads(keys.open(base64.b64decode(sealed), places.factor(viewer.account, "totp")))["secret"] == secret
    sessions = str(site.operator.admin.execute("SELECT session_data FROM django_session").fetchall())
    assert secret not in sessions


def test_no_role_but_that_of_signing_in_touches_a_factor(site):
    for role in ("troth_control", "troth_flow", "troth_ledger"):
        with psycopg.connect(**site.operator.database.conninfo(role), autocommit=True) as connection:
            for act in (
                "SELECT data FROM troth.mfa_authenticator",
                "DELETE FROM troth.mfa_authenticator",
                "UPDATE troth.mfa_authenticator SET data = '{}'",
                "INSERT INTO troth.mfa_authenticator (user_id, type, data) VALUES (gen_random_uuid(), 'totp', '{}')",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(act)


def test_adding_and_removing_are_in_the_ledger_whoever_does_it(site, viewer):
    before = len(kinds_told(site))
    with_app(site.visitor(viewer))
    site.operator.admin.execute("DELETE FROM mfa_authenticator WHERE user_id = %s", (viewer.account,))
    assert kinds_told(site)[before:] == ["people:factor:add"] * 2 + ["people:factor:remove"] * 2
    query = "SELECT tenant_id FROM ledger_pending WHERE kind = 'people:factor:remove'"
    assert site.operator.admin.execute(query).fetchall() == [(site.firm.tenant,)] * 2


def test_an_offer_is_its_accounts_and_ends(site, viewer):
    other = join(site.operator, "Odile Marsh <odile@firm.test>", "viewer", site.firm.tenant, second=False)
    one, two = site.visitor(viewer), site.visitor(other)
    secret, token = offered(one)
    offered(two)
    for given in (token, "garbage", ""):
        assert "too old" in two.post("/account/factors/app", offer=given, code=code_of(secret)).text
    offered(one)
    assert "This code is not right" in one.post("/account/factors/app", offer=token, code="123456").text
    assert kinds_held(site, viewer) == []
    assert kinds_held(site, other) == []


def test_the_last_factor_stays_where_the_role_needs_one(site, viewer):
    inside = site.visitor(site.member)
    (mine,) = site.operator.admin.execute(
        "SELECT id FROM mfa_authenticator WHERE user_id = %s", (site.member.account,)
    ).fetchone()
    inside.get("/account")
    assert "Your role needs a second factor" in inside.post(f"/account/factors/{mine}/remove").text
    assert kinds_held(site, site.member) == ["webauthn"]
    assert inside.get("/account/factors/999999/remove").status == 404
    mild = site.visitor(viewer)
    with_app(mild)
    (app,) = site.operator.admin.execute("SELECT id FROM mfa_authenticator WHERE type = 'totp'").fetchone()
    assert inside.get(f"/account/factors/{app}/remove").status == 404  # another's is not there
    assert "your password alone" in mild.get(f"/account/factors/{app}/remove").text
    assert kinds_held(site, viewer) == ["totp", "recovery_codes"]  # looking changed nothing
    assert "was removed" in mild.post(f"/account/factors/{app}/remove").text
    assert kinds_held(site, viewer) == []


def test_a_passkey_is_added_named_and_removed(site, viewer):
    visitor, key = site.visitor(viewer), SoftKey(viewer.account)
    visitor.get("/account/factors/passkey")
    page = visitor.last
    asked = json.loads(visitor.post("/account/factors/passkey/options").text)
    visitor.last = page
    made = key.made(asked, site.url)
    visitor.last = page
    assert "Give it a name" in visitor.post("/account/factors/passkey", credential=made, name="").text
    done = visitor.post("/account/factors/passkey", credential=made, name="  Blue \u202e key  ")
    assert "Keep your recovery codes" in done.text, done.text[:2000]
    assert "Blue" in visitor.get("/account").text
    fresh = site.visitor()
    fresh.get("/sign-in")
    assert fresh.post("/sign-in/passkey", credential=fresh.shown(key, "sign-in")).url == f"{site.url}/"


def test_a_stolen_password_adds_no_factor_where_there_is_one(site, viewer):
    """Signed in before the account had a factor: what came since is asked for first."""
    thief = site.visitor(viewer)
    with_app(site.visitor(viewer))
    for path in ("/account/factors/app", "/account/factors/passkey", "/account/factors/codes"):
        assert thief.get(path).url.startswith(f"{site.url}/second-factor?next=")


def test_looking_changes_nothing(site, viewer):
    """As link scanners do: every page of one's own account, with GET, twice."""
    visitor = site.visitor(viewer)
    count = "SELECT (SELECT count(*) FROM mfa_authenticator), (SELECT count(*) FROM session WHERE ended_at IS NULL)"
    before = site.operator.admin.execute(count).fetchone()
    for path in ("/account", "/account/factors/app", "/account/factors/passkey", "/account/factors/codes", "/prove",
                 "/account/password", "/second-factor", "/sign-out", "/account/sessions/end", "/sign-in/passkey",
                 "/passkey/options", "/account/not-now", "/account/factors/passkey/options"):  # fmt: skip
        for _ in range(2):
            assert visitor.get(path).status in (200, 404, 405), path
    assert site.operator.admin.execute(count).fetchone() == before
    assert visitor.get("/").url == f"{site.url}/"


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_four_at_once_with_one_code_are_one(site, viewer, kind):
    secret, recovery = with_app(site.visitor(viewer))
    visitors, answers = [site.visitor() for _ in range(4)], []
    for visitor in visitors:
        visitor.sign_in(viewer)
    code = code_of(secret) if kind == "app" else recovery[0]
    threads = [
        threading.Thread(target=lambda v=v: answers.append(v.post("/second-factor", code=code).url)) for v in visitors
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [f"{site.url}/", *[f"{site.url}/second-factor"] * 3]


def test_nothing_that_a_stranger_sends_as_a_passkey_breaks_the_page(site):
    """Each made fido2's parsers raise something of its own."""
    visitor, key = site.visitor(), SoftKey(site.staff.account)
    visitor.get("/sign-in")
    good = json.loads(key.shown({"publicKey": {"challenge": text(b"x" * 32)}}, site.url))
    hostile = [
        "[" * 100_000,
        '{"a":' * 100_000,
        "\ud800",
        json.dumps({**good, "response": "text"}),
        json.dumps({**good, "response": []}),
        json.dumps({**good, "clientExtensionResults": 7}),
        json.dumps({**good, "rawId": {"a": 1}}),
        *(
            json.dumps({**good, "response": {**good["response"], part: value}})
            for part in ("clientDataJSON", "authenticatorData", "signature", "userHandle")
            for value in (None, 7, "", "AA", "é", text(b"\xff" * 37), text(b"\x00" * 55), {"a": 1})
        ),
    ]
    for given in hostile:
        visitor.last = visitor.get("/sign-in").text
        page = visitor.last
        visitor.post("/passkey/options", what="sign-in")
        visitor.last = page
        answer = visitor.post("/sign-in/passkey", credential=given.encode("utf-8", "replace").decode())
        assert answer.status == 422, given[:200]
    log = (site.folder / "pages.log").read_text()
    assert "Traceback" not in log
    assert "Unexpected exit" not in log


def test_a_key_of_an_algorithm_that_nobody_can_check_is_not_taken(site, viewer):
    visitor, key = site.visitor(viewer), SoftKey(viewer.account)
    visitor.get("/account/factors/passkey")
    page = visitor.last
    asked = json.loads(visitor.post("/account/factors/passkey/options").text)
    key.algorithm = -65535  # RSA with SHA-1
    visitor.last = page
    assert (
        "No passkey was added"
        in visitor.post("/account/factors/passkey", credential=key.made(asked, site.url), name="x").text
    )
    assert kinds_held(site, viewer) == []
