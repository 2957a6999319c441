"""Signing in to the pages: by blind index and argon2id, with one sentence for every failure, counted for all processes."""

import re
import time
from statistics import median
from uuid import uuid4

import pytest
from tests.support.pages import PASSWORD, Somebody, join

from troth.keys.ids import uuid7

REFUSED = "E-mail and password do not match an account."


def test_staff_and_members_come_in_and_go_out(site):
    for who, words in ((site.staff, "All clients"), (site.member, "Firm firm")):
        visitor = site.visitor()
        first = visitor.get("/")
        assert first.url == f"{site.url}/sign-in"
        inside = visitor.sign_in(who)
        assert inside.url == f"{site.url}/"
        assert who.name in inside.text
        assert words in inside.text
        assert inside.headers["cache-control"] == "no-store"
        assert visitor.post("/sign-out").url == f"{site.url}/sign-in"
        assert visitor.get("/").url == f"{site.url}/sign-in"
    kinds = site.operator.admin.execute(
        "SELECT kind, tenant_id FROM ledger_pending WHERE kind LIKE 'people:session:%' ORDER BY id"
    )
    acts = [(f"people:session:{act}", whose) for whose in (None, site.firm.tenant) for act in ("open", "end")]
    assert kinds.fetchall() == acts


def test_one_is_taken_to_the_page_that_one_asked_for_and_nowhere_else(site):
    visitor = site.visitor()
    assert visitor.get("/templates?q=rent").url == f"{site.url}/sign-in?next=%2Ftemplates%3Fq%3Drent"
    visitor.post("/sign-in?next=%2Ftemplates%3Fq%3Drent", login=site.member.address, password=PASSWORD)
    shown = visitor.shown(site.member.key)
    assert visitor.post("/second-factor", credential=shown).url == f"{site.url}/templates?q=rent"


@pytest.mark.parametrize(
    "away",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "http:evil.example",
     "https://localhost/", "/\n/evil.example", "///evil.example", "templates"],
)  # fmt: skip
def test_nobody_is_taken_elsewhere(site, away):
    """From signing in, a passkey, a second factor, a proof: to our own pages alone."""
    from urllib.parse import quote

    path, who = f"?next={quote(away, safe='')}", join(site.operator, "Vesper <v@firm.test>", "viewer", site.firm.tenant)
    visitor = site.visitor()
    visitor.get(f"/sign-in{path}")
    visitor.post(f"/sign-in{path}", login=who.address, password=PASSWORD)
    assert visitor.post("/second-factor", credential=visitor.shown(who.key), next=away).url == f"{site.url}/"
    visitor.get(f"/prove{path}")
    assert visitor.post(f"/prove{path}", password=PASSWORD, next=away).url == f"{site.url}/"
    assert visitor.get(f"/second-factor{path}").url == f"{site.url}/"
    assert visitor.post("/account/not-now", next=away).url == f"{site.url}/"
    other = site.visitor()
    other.get(f"/sign-in{path}")
    shown = other.shown(who.key, "sign-in")
    assert other.post("/sign-in/passkey", credential=shown, next=away).url == f"{site.url}/"


def test_every_failure_reads_the_same(site):
    closed = join(site.operator, "Gone Away <gone@firm.test>", "viewer", site.firm.tenant)
    site.operator.database.fill("UPDATE account SET disabled_at = now() WHERE id = %s", closed.account)
    without = join(site.operator, "New Comer <new@firm.test>", "viewer", site.firm.tenant, password="")
    nobody = Somebody(uuid4(), "nobody@firm.test", "", "", None)
    for who, password in (
        (site.member, "wrong"),
        (closed, PASSWORD),
        (without, PASSWORD),
        (nobody, "!"),
    ):
        answer = site.visitor().sign_in(who, password)
        assert REFUSED in answer.text, who.address
        assert "4 tries left" in answer.text
        assert who.address in answer.text  # what was typed stays
        assert password not in answer.text or password == "!"
    assert "Type your password." in site.visitor().sign_in(site.member, "").text
    assert REFUSED in site.visitor().sign_in(Somebody(uuid4(), "no address at all", "", "", None)).text


def test_a_closed_account_loses_its_open_session(site):
    visitor = site.visitor(site.member)
    site.operator.database.fill("UPDATE account SET disabled_at = now() WHERE id = %s", site.member.account)
    assert visitor.get("/").url == f"{site.url}/sign-in"


def test_time_tells_nothing_of_an_account(site):
    """A password of the costs that are in use, against an address that nobody has."""
    from django.contrib.auth.hashers import Argon2PasswordHasher

    hashed = Argon2PasswordHasher().encode(PASSWORD, "saltsaltsalt")
    real = join(site.operator, "Real One <real@firm.test>", "viewer", site.firm.tenant, password=hashed)
    spent = {}
    for address in (real.address, "nobody@firm.test"):
        times = []
        for _ in range(4):
            visitor = site.visitor()
            visitor.get("/sign-in")
            began = time.perf_counter()
            visitor.post("/sign-in", login=address, password="wrong")
            times.append(time.perf_counter() - began)
        spent[address] = median(times)
    one, other = spent.values()
    assert 0.4 < one / other < 2.5, spent


def test_tries_are_counted_and_a_good_one_forgets_them(site):
    for left in (4, 3, 2):
        assert f"{left} tries left" in site.visitor().sign_in(site.member, "wrong").text
    assert site.visitor().sign_in(site.member).url == f"{site.url}/"
    for n in range(5):
        words = "No tries left: wait 15 minutes." if n == 4 else "left, then a wait of 15 minutes."
        assert words in site.visitor().sign_in(site.member, "wrong").text
    assert "Too many tries. Wait 15 minutes" in site.visitor().sign_in(site.member).text  # the right one, too
    assert site.visitor().sign_in(site.outsider).url == f"{site.url}/"
    site.operator.admin.execute("UPDATE installation SET clock_offset = interval '16 minutes'")
    assert site.visitor().sign_in(site.member).url == f"{site.url}/"


def test_two_accounts_of_one_address_are_told_apart_by_their_passwords(site):
    import argon2

    other = f"argon2{argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash('another good password')}"
    twin = join(site.operator, f"Marguerite Alder <{site.member.address}>", "viewer", site.other.tenant, password=other)
    assert "Firm firm" in site.visitor().sign_in(site.member).text
    assert "Firm other" in site.visitor().sign_in(twin, "another good password").text


def test_an_index_of_an_older_layer_still_lets_its_person_in(site):
    """The row is lifted when a layer is added: the login's name follows by itself."""
    lifted = uuid7(site.operator.admin.execute("SELECT now_v1()").fetchone()[0]).bytes * 2
    site.operator.database.run("UPDATE account SET address_index = %s WHERE id = %s", lifted, site.member.account)
    name = site.operator.admin.execute(
        "SELECT email FROM login WHERE account_id = %s", (site.member.account,)
    ).fetchone()[0]
    assert name == f"{lifted.hex()}@people.invalid"


def test_cookies_are_for_this_host_over_tls_alone_and_end_without_use(site):
    visitor = site.visitor(site.member)
    cookies = {cookie.name: cookie for cookie in visitor.cookies}
    assert set(cookies) == {f"__Host-troth_{name}" for name in ("session", "csrf", "proof", "device")}
    for cookie in cookies.values():
        assert cookie.secure
        assert cookie.path == "/"
        assert not cookie.domain_specified
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") in ("Lax", "Strict")
    assert 1700 < cookies["__Host-troth_session"].expires - time.time() <= 1800
    site.operator.database.run("UPDATE django_session SET expire_date = now() - interval '1 second'")
    assert visitor.get("/").url == f"{site.url}/sign-in"


def test_a_session_is_a_new_one_after_signing_in(site):
    visitor = site.visitor(site.member)
    before = next(c.value for c in visitor.cookies if c.name == "__Host-troth_session")
    visitor.post("/sign-out")
    visitor.sign_in(site.member)
    assert before != next(c.value for c in visitor.cookies if c.name == "__Host-troth_session")
    assert not site.operator.admin.execute("SELECT 1 FROM django_session WHERE session_key = %s", (before,)).fetchone()


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/password", "/scope", "/look"])
def test_no_form_works_from_elsewhere(site, path):
    visitor = site.visitor(site.staff)
    assert visitor.post(path, token=False, login=site.staff.address, password=PASSWORD).status == 403
    assert "nothing was done" in visitor.last
    assert visitor.get("/").url == f"{site.url}/"


def test_no_address_and_no_password_is_in_any_table_or_log(site):
    site.visitor().sign_in(site.member, "a wrong password of mine")
    site.visitor(site.member)
    asking = site.visitor()
    asking.get("/password")
    asking.post("/password", email=site.member.address)
    rows = site.operator.admin.execute(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'troth'::regnamespace AND c.relkind = 'r'"
    ).fetchall()
    found = []
    for (table,) in rows:
        text = str(
            site.operator.admin.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} AS t").fetchone()[
                0
            ]
        )
        found += [
            (table, word)
            for word in (site.member.address, site.member.name, PASSWORD, "wrong password of mine")
            if word in text
        ]
    assert not found
    log = (site.folder / "pages.log").read_text()
    assert site.member.address not in log
    assert not re.search(r"/password/|Traceback", log)
