"""Over HTTP, as somebody who plays with cookies, tabs and old forms."""

import re
from http.cookiejar import Cookie, CookieJar
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.support import pages
from tests.support.firm import now
from tests.support.pages import Visitor

from troth.keys.ids import uuid7

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


def jar(*cookies: Cookie) -> CookieJar:
    found = CookieJar()
    for one in cookies:
        found.set_cookie(one)
    return found


def held(visitor: Visitor, name: str) -> Cookie:
    return next(one for one in visitor.cookies if one.name.endswith(name))


def outside(answer, site) -> bool:
    return answer.url.startswith(f"{site.url}/sign-in")


def test_a_form_for_one_client_is_not_taken_for_another(site):
    """Two tabs: a stop of one client is asked for; meanwhile the other tab looks at all of them."""
    staff = site.visitor(site.staff)
    staff.post("/scope", client=str(site.firm.tenant))
    staff.get("/stops/start")
    asked = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', staff.last)[1]
    for other in ("", str(site.other.tenant)):
        staff.get("/")
        staff.post("/scope", client=other)
        answer = staff.post(
            "/stops/start", token=False, csrfmiddlewaretoken=asked, effect="stop-delivery", reason="That client's worm"
        )
        assert answer.status == 403
        assert "another client" in answer.text
        staff.get("/")
        staff.post("/scope", client=str(site.firm.tenant))
    assert site.operator.admin.execute("SELECT count(*) FROM pause").fetchone()[0] == 0
    staff.get("/stops/start")
    assert staff.post("/stops/start", effect="stop-delivery", reason="That client's worm").status == 200
    stopped = site.operator.admin.execute("SELECT tenant_id FROM pause").fetchall()
    assert stopped == [(site.firm.tenant,)]


def test_cookies_of_two_people_or_of_a_session_that_is_over_let_nobody_in(site):
    member, outsider = site.visitor(site.member), site.visitor(site.outsider)
    for one, two in ((member, outsider), (outsider, member)):
        mixed = Visitor(site.url, jar(held(one, "troth_session"), held(two, "troth_proof")))
        assert outside(mixed.get("/account"), site)
    member, outsider = site.visitor(site.member), site.visitor(site.outsider)  # a mixture signs both out
    for alone in ("troth_session", "troth_proof"):
        assert outside(Visitor(site.url, jar(held(member, alone))).get("/account"), site)
    kept = [held(outsider, "troth_session"), held(outsider, "troth_proof")]
    assert not outside(Visitor(site.url, jar(*kept)).get("/account"), site)
    outsider.get("/account")
    outsider.post("/sign-out")
    assert outside(Visitor(site.url, jar(*kept)).get("/account"), site)


def test_a_session_is_new_after_signing_in_and_what_was_planted_before_is_worth_nothing(site):
    planted = site.visitor()
    planted.get("/sign-in")
    before = {one.name: one.value for one in planted.cookies}
    planted.sign_in(site.member)
    after = {one.name: one.value for one in planted.cookies}
    assert after["__Host-troth_csrf"] != before["__Host-troth_csrf"]
    assert after["__Host-troth_session"] != before.get("__Host-troth_session")
    assert after["__Host-troth_proof"] != before.get("__Host-troth_proof")


ODD = ("\0x", "9" * 40, "\r\nX-Evil: 1'\"><script>alert(1)</script>{{7*7}}{% x %}", "a" * 300, "-1", "2026-99-99")
CONTROL = ROOT / "src/troth/control"


def names(where):
    """Every field that any form or page asks for, so that each meets every oddity."""
    found = set()
    for path in (*CONTROL.rglob("*.py"), *CONTROL.rglob("*.html")):
        found |= set(re.findall(where, path.read_text()))
    return sorted(found - {"csrfmiddlewaretoken"})


def hostile_paths():
    some = {"uuid": "00000000-0000-0000-0000-000000000000", "int": "99999999999999999999", "str": "%00%0d%0aX-Evil:1",
            "slug": "-_" * 150, "path": "//%00%0d%0aX-Evil:1/"}  # fmt: skip
    for route in re.findall(r'    path\("([^"]*)"', (CONTROL / "urls.py").read_text()):
        yield "/" + re.sub(r"<(\w+):\w+>", lambda found: some[found[1]], route)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["staff", "member"])
def test_nothing_that_is_sent_breaks_a_page(site, who):
    visitor, broken = site.visitor(getattr(site, who)), []
    if who == "staff":
        visitor.post("/scope", client=str(site.firm.tenant))
    form = visitor.get("/account").text
    asked = names(r'(?:GET|given|wish)(?:\.get\(|\[)"([a-z_.-]{1,40})"')
    typed = names(r'(?:(?:POST|given|typed|form|post)(?:\.get\(|\[)|name=)"([a-z_.-]{1,40})"')
    assert len(asked) > 15
    assert len(typed) > 100
    for path in hostile_paths():
        if path.startswith(("/sign-out", "/u/", "/r/", "/assets", "/scope", "/sign-in")):
            continue
        for odd in ODD:
            seen = visitor.get(f"{path}?{urlencode(dict.fromkeys(asked, odd))}")
            visitor.last = form
            sent = visitor.post(path, **dict.fromkeys(typed, odd))
            for method, answer in (("GET", seen), ("POST", sent)):
                if (
                    (answer.status >= 500 and path != "/trust.json")  # there is no checkpoint yet that it could show
                    or "x-evil" in {name.lower() for name in answer.headers}
                    or "<script>alert" in answer.text
                ):
                    broken.append((method, path, odd[:20], answer.status))
    assert not broken, sorted({(method, path, status) for method, path, _, status in broken})


def test_a_new_password_is_set_however_many_sessions_one_has(site):
    """The change ends them all, and opens one over another connection, which must not wait for that."""
    new = "seven brown boxes of string"
    visitors = [site.visitor(site.member) for _ in range(5)]
    visitors[0].get("/account/password")
    done = visitors[0].post("/account/password", current=pages.PASSWORD, password=new, again=new)
    assert "Your password was changed" in done.text
    assert [outside(one.get("/account"), site) for one in visitors] == [False, True, True, True, True]


def test_a_sign_in_that_was_begun_before_sign_on_was_enforced_does_not_end_in_a_session(site):
    visitor = site.visitor()
    visitor.get("/sign-in")
    visitor.post("/sign-in", login=site.member.address, password=pages.PASSWORD)
    terms = {"domains": ["firm.test"], "enforced": True,
             "saml": {"entity_id": "https://idp.test", "sso_url": "https://idp.test/sso", "certificates": ["AA=="]}}  # fmt: skip
    proof = "INSERT INTO sign_on_proof SELECT %s, 'firm.test', now_v1(), %s"
    site.operator.admin.execute(proof, (site.firm.tenant, site.staff.account))
    site.operator.govern("sign-on", site.firm.tenant, "sign-on", terms)
    answer = visitor.post("/second-factor", credential=visitor.shown(site.member.key))
    assert answer.status == 403
    assert outside(visitor.get("/account"), site)
    opened = "SELECT count(*) FROM session WHERE account_id = %s"
    assert site.operator.admin.execute(opened, (site.member.account,)).fetchone()[0] == 0


def test_a_page_that_is_not_there_counts_nothing_of_other_clients(site):
    """Pages that ask the outside have no transaction of their own; what the frame counts is one's own client's even so."""
    approver = pages.join(site.operator, "Ben Second <ben@firm.test>", "approver", site.firm.tenant)
    visitor = site.visitor(approver)
    before = re.sub(r'value="[^"]*"', "", visitor.get("/sign-on").text)
    query = "SELECT propose_v1(%s, 'category', %s, %s, 'new', '{}', 'x', %s)"
    values = (uuid7(now()), site.other.tenant, uuid7(now()), site.operator.sessions[0])
    site.operator.control.execute(query, values)
    assert re.sub(r'value="[^"]*"', "", visitor.get("/sign-on").text) == before


def test_a_sign_that_no_table_takes_holds_up_no_stop(site):
    """A reason that was pasted with a NUL in it, in the one act that must not fail."""
    member = site.visitor(site.member)
    member.get("/stops/start")
    assert member.post("/stops/start", effect="stop-delivery", reason="A worm\0 in it").status == 200
    assert site.operator.admin.execute("SELECT reason FROM pause").fetchall() == [("A worm in it",)]
