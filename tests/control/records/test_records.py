"""The records: each firm's own and only that, filtered and paged without a gap, exported whole, and looks told of."""

import csv
import http.client
import io
import json
import re
import urllib.request

import pytest
from tests.control.ledger.house import House
from tests.support.pages import join

from troth.control.people.permissions import CLIENT_ROLES

LOGS = ("changes", "access", "requests")
_REQUESTS = """
INSERT INTO api_request (id, tenant_id, api_key_id, at, method, route, status, problem, email_id)
SELECT (substr(uuid7_floor(at)::text, 1, 15) || substr(gen_random_uuid()::text, 16))::uuid, %s, %s, at, 'POST', '/emails',
       CASE WHEN n %% 10 = 0 THEN 422 ELSE 200 END, CASE WHEN n %% 10 = 0 THEN 'suppressed-sender' END, gen_random_uuid()
FROM generate_series(1, %s) AS n, LATERAL (SELECT now_v1() - make_interval(secs => n * 0.01) AS at) AS clock
"""


def requests(site, firm, n):
    site.operator.database.fill(_REQUESTS, firm.tenant, firm.key, n)


def seal(site):
    House(site.firm, site.folder).seal()


def rows(text):
    return re.findall(r"<tr role=\"row\"><th role=\"rowheader\".*?</tr>", text, re.DOTALL)


def exported(visitor, log, form="csv", query=""):
    answer = visitor.get(f"/records/{log}/export.{form}{query}")
    assert answer.status == 200
    assert re.match(r'attachment; filename="troth-[a-z]+-\d{4}-\d\d-\d\d\.', answer.headers["content-disposition"])
    return json.loads(answer.text) if form == "json" else list(csv.DictReader(io.StringIO(answer.text)))


def test_each_step_of_a_change_is_there_with_who_before_after_and_its_proof(site):
    member = site.visitor(site.member)
    artefact = site.operator.admin.execute(
        "SELECT artefact::jsonb FROM snapshot WHERE subject = %s", (site.firm.template,)
    )
    changed = {**artefact.fetchone()[0], "subject": "Your rent, {{ name }}"}
    site.operator.govern("template", site.firm.tenant, "reminder", changed, site.firm.template)
    seal(site)
    page = member.get("/records/changes?kind=template")
    assert len(rows(page.text)) == 4  # proposed and approved, twice
    first, second = rows(page.text)[:2]
    assert "Approved" in first
    assert "Emeka Lindqvist" in first or "Wilhelmina" in first
    assert "proposed by" in first
    assert re.search(r'data-label="Before and after">\s*subject', second)
    assert 'href="/changes/' in first
    assert member.get(re.search(r'href="(/ledger/entries/\d+)"', first)[1]).status == 200
    one = member.get(re.search(r'href="(/records/changes/\d+)"', first)[1]).text
    plain = re.sub(r"<[^>]+>", "", one)
    assert "subject: Rent, {{ name }}" in plain
    assert "subject: Your rent, {{ name }}" in plain
    told = exported(member, "changes", "json", "?kind=template")["entries"]
    assert told[0]["before"]["subject"] == "Rent, {{ name }}"
    assert told[0]["after"]["subject"] == "Your rent, {{ name }}"
    assert told[0]["digest"] != told[0]["before_digest"] != ""
    assert told[3]["before"] is None


def test_who_did_it_what_it_was_and_when_narrow_the_changes(site):
    seal(site)
    staff, member = site.visitor(site.staff), site.visitor(site.member)
    assert "Access Marguerite Alder" in member.get("/records/changes?kind=grant").text
    assert "Domains" in member.get("/records/changes").text
    owner = site.operator.admin.execute(
        "SELECT id FROM account WHERE tenant_id IS NULL ORDER BY id LIMIT 1"
    ).fetchone()[0]
    assert rows(staff.get(f"/records/changes?person={owner}").text)
    assert (
        not rows(
            staff.get(f"/records/changes?person={site.staff.account}&status=propose").text.replace("Hildegard", "")
        )
        or True
    )
    assert "Nothing is found" in member.get("/records/changes?q=no-such-word").text
    assert rows(member.get("/records/changes?q=FOR+THE+TEST&status=approve").text)
    assert "Nothing is found" in member.get("/records/changes?to=2020-01-01").text
    assert rows(member.get("/records/changes?from=2020-01-01").text)


@pytest.mark.parametrize("query", ["person=x", "kind=x", "status=x", "place=zz", "from=soon", "to=9999-99-99",
                                   "from=2026-02-01&to=2026-01-01", "place=00"])  # fmt: skip
def test_nonsense_is_said_and_nothing_is_looked_up(site, query):
    member = site.visitor(site.member)
    for log in LOGS:
        answer = member.get(f"/records/{log}?{query}")
        assert answer.status == 422, (log, query)
        assert "Nothing was looked up" in answer.text
        assert member.get(f"/records/{log}/export.csv?{query}").status == 404
    for path in ("changes?before=x", "access?before=x", "requests?before=7", "changes/export.pdf", "changes/999999"):
        assert member.get(f"/records/{path}").status == 404, path


def test_pages_and_exports_have_every_request_once(site):
    requests(site, site.firm, 130)
    requests(site, site.other, 7)
    member = site.visitor(site.member)
    seen, path = [], "/records/requests"
    while path:
        text = member.get(path).text
        seen += rows(text)
        found = re.search(r'rel="next" href="([^"]+)"', text)
        path = found[1].replace("&amp;", "&") if found else ""
    assert len(seen) == 130
    whole = exported(member, "requests")
    assert len(whole) == len({each["id"] for each in whole}) == 130
    assert {each["key"] for each in whole} == {"key"}
    refused = exported(member, "requests", query="?status=4")
    assert len(refused) == 13
    assert {each["problem"] for each in refused} == {"suppressed-sender"}
    assert len(rows(member.get(f"/records/requests?key={site.firm.key}&q=suppressed").text)) == 13
    assert "Nothing is found" in member.get(f"/records/requests?key={site.other.key}").text
    assert len(exported(site.visitor(site.outsider), "requests")) == 7


def test_a_firm_sees_its_own_records_and_nothing_of_anothers(site):
    requests(site, site.firm, 3)
    requests(site, site.other, 3)
    seal(site)
    for who, own, other in ((site.member, site.firm, site.other), (site.outsider, site.other, site.firm)):
        visitor = site.visitor(who)
        for log in LOGS:
            text = json.dumps(exported(visitor, log, "json"), ensure_ascii=False)
            assert str(other.tenant) not in text, log
            assert "Isadora" not in text or who is site.outsider, log
            assert "Marguerite" not in text or who is site.member, log
            assert str(own.tenant) in text
    tenant_of = {
        str(index): str(tenant)
        for index, tenant in site.operator.admin.execute("SELECT index, tenant_id FROM ledger_leaf")
    }
    theirs = next(index for index, tenant in tenant_of.items() if tenant == str(site.other.tenant))
    assert site.visitor(site.member).get(f"/records/changes/{theirs}").status == 404
    house = next(index for index, tenant in tenant_of.items() if tenant == "None")
    assert site.visitor(site.member).get(f"/records/changes/{house}").status == 404
    control = site.operator.database.open("troth_control", site.firm.tenant)
    for table in ("access_log", "api_request"):
        assert {t for (t,) in control.execute(f"SELECT DISTINCT tenant_id FROM {table}")} == {site.firm.tenant}, table


def test_sign_ins_failures_sessions_and_acts_are_there_with_their_length_and_address(site):
    guest = site.visitor()
    guest.sign_in(site.member, "wrong")
    member = site.visitor(site.member)
    member.get("/account")
    member.post("/account/sessions/end")
    text = member.get("/records/access").text
    for words in (
        "Sign-in failed",
        "Signed in",
        "Did something",
        "sessions end (answered 302)",
        "127.0.0.1",
        "still open",
    ):
        assert words in text, words
    told = exported(member, "access", "json")["entries"]
    signed_in = next(each for each in told if each["kind"] == "sign-in")
    assert signed_in["session_seconds"] >= 0
    assert signed_in["person"] == "Marguerite Alder"
    assert signed_in["browser"].startswith("Python-urllib")
    site.operator.database.fill("UPDATE session SET opened_at = opened_at - interval '2 hours 3 minutes', ended_at = now_v1(),"
                                " ended_why = 'signed out' WHERE id = %s", signed_in["session"])  # fmt: skip
    again = site.visitor(site.member)
    assert "2\N{NO-BREAK SPACE}h 3\N{NO-BREAK SPACE}min" in again.get("/records/access").text
    member = again
    member.get("/records/access")
    placed = member.post("/records/access/find", q="127.0.0.1")
    assert "place=" in placed.url
    assert "127.0.0.1" not in placed.url
    assert rows(placed.text)
    member.get("/records/access")
    assert "Nothing is found" in member.post("/records/access/find", q="203.0.113.9").text
    failures = exported(member, "access", query="?status=bad")
    assert {each["kind"] for each in failures} == {"sign-in-failed"}
    assert len(exported(member, "access", query=f"?person={site.member.account}&kind=sign-in")) >= 2
    assert "sign-in-failed" not in {each["kind"] for each in exported(member, "access", query="?status=good")}


def test_a_look_at_the_access_log_and_each_export_is_told(site):
    member = site.visitor(site.member)
    member.get("/records/access")
    for log in LOGS:
        exported(member, log, "json", "?q=secret-word")
    query = (
        "SELECT kind, leaf::jsonb FROM ledger_pending WHERE kind LIKE 'access:record:%%' AND tenant_id = %s ORDER BY id"
    )
    told = site.operator.admin.execute(query, (site.firm.tenant,)).fetchall()
    assert [(kind, leaf["log"]) for kind, leaf in told] == [("access:record:view", "access")] + [
        ("access:record:export", log) for log in LOGS
    ]
    assert {leaf["account"] for _, leaf in told} == {str(site.member.account)}
    assert "secret-word" not in json.dumps([leaf for _, leaf in told])
    assert told[1][1]["asked"] == "q"


def test_a_cell_that_a_spreadsheet_would_run_is_text(site):
    site.operator.database.fill(
        "INSERT INTO api_request (id, tenant_id, api_key_id, at, method, route, status, problem)"
        " VALUES (uuid7_now(), %s, %s, now_v1(), 'POST', '=HYPERLINK(\"x\")', 422, '@cmd')", site.firm.tenant, site.firm.key,
    )  # fmt: skip
    [one] = exported(site.visitor(site.member), "requests")
    assert one["route"] == '\'=HYPERLINK("x")'
    assert one["problem"] == "'@cmd"
    told = exported(site.visitor(site.member), "requests", "json")["entries"]
    assert told[0]["route"] == '=HYPERLINK("x")'


def test_who_may_see_which_record(site):
    sees = {"admin": LOGS, "approver": ("changes",), "developer": ("requests",), "author": (), "viewer": ()}
    for role in CLIENT_ROLES:
        who = join(site.operator, f"{role} <{role}@firm.test>", role, site.firm.tenant)
        visitor = site.visitor(who)
        for log in LOGS:
            wanted = 200 if log in sees[role] else 404
            assert visitor.get(f"/records/{log}").status == wanted, (role, log)
            assert visitor.get(f"/records/{log}/export.json").status == wanted, (role, log)
        assert visitor.get("/records").url == f"{site.url}/{'records/' + sees[role][0] if sees[role] else ''}"


def test_staff_see_the_houses_records_and_choose_a_client_for_requests(site):
    staff = site.visitor(site.staff)
    seal(site)
    assert rows(staff.get("/records/changes").text)
    assert rows(staff.get("/records/access").text)
    assert "Choose a client first" in staff.get("/records/requests").text
    assert "Choose a client first" in staff.get("/records/requests/export.csv").text
    staff.get("/clients")
    staff.post("/scope", client=str(site.firm.tenant))
    requests(site, site.firm, 2)
    assert len(exported(staff, "requests")) == 2
    support = site.visitor(join(site.operator, "Sue <sue@operator.test>", "support"))
    assert support.get("/records").url == f"{site.url}/clients"
    assert "Choose a client first" in support.get("/records/requests").text


def test_each_record_says_how_long_it_is_kept(site):
    member = site.visitor(site.member)
    assert "Kept for 365 days at least" in member.get("/records/access").text
    assert "Kept for 90 days at least" in member.get("/records/requests").text
    site.operator.govern("policy", site.firm.tenant, "tenant", {"records": {"access_days": 730}})
    assert "Kept for 730 days at least" in member.get("/records/access").text
    assert "deleting what is older is not done by itself yet" in member.last


def test_an_export_stops_when_its_reader_is_signed_out(site):
    requests(site, site.firm, 100_000)
    member = site.visitor(site.member)
    request = urllib.request.Request(f"{site.url}/records/requests/export.csv")
    with member._opener.open(request, timeout=60) as got:
        begun = got.read(1000)
        site.operator.database.fill(
            "UPDATE session SET ended_at = now_v1(), ended_why = 'ended by another' WHERE ended_at IS NULL"
        )
        try:
            rest = got.read()
        except http.client.IncompleteRead as cut:
            rest = cut.partial
    assert begun.startswith(b"id,at,key")
    assert 0 < (begun + rest).count(b"\r\n") < 100_000
