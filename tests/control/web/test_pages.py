"""Every page of the urlconf, and the shell round them: documented, closed to who has not signed in, and other clients'
things are not there.
"""

import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.pages import Visitor

ROOT = Path(__file__).parents[3]
_LIST = """
import json, sys
from django.conf import settings
settings.configure(ROOT_URLCONF="troth.control.urls", **__import__("troth.control.settings", fromlist=["SCHEMA"]).SCHEMA,
                   DATABASES={})
import django
django.setup()
from django.urls import get_resolver
from troth.control.web.middleware import OPEN, OUTSIDE
from troth.control.web.menu import _ALL
found = [[str(p.pattern), p.name, list(p.pattern.converters)] for p in get_resolver().url_patterns]
menu = [item.href for group in _ALL for item in group.items]
print(json.dumps({"urls": found, "open": sorted(OPEN), "outside": sorted(OUTSIDE), "menu": menu}))
"""


@pytest.fixture(scope="module")
def known():
    """What Django knows, asked in a process of its own."""
    out = subprocess.run([sys.executable, "-c", _LIST], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return json.loads(out)


@pytest.fixture(scope="module")
def urls(known):
    """(path, name, its parameters) of every page."""
    return known["urls"]


@pytest.fixture(scope="module")
def open_names(known):
    return set(known["open"]), set(known["outside"])


def concrete(path: str, value: str) -> str:
    """The path with a value for each parameter."""
    return "/" + re.sub(r"<(uuid|int|str|slug):\w+>", lambda m: "7" if m[1] == "int" else value, path)


def test_every_page_is_documented_and_has_a_name_of_its_own(urls):
    page = (ROOT / "docs" / "pages.md").read_text()
    missing = [path for path, _, _ in urls if f"`/{re.sub(r'<\w+:', '<', path)}`" not in page]
    assert not missing
    names = [name for _, name, _ in urls]
    assert len(names) == len(set(names))
    assert all(names)


def test_every_entry_of_the_menu_leads_to_a_page(known, urls):
    assert set(known["menu"]) <= {f"/{path}" for path, _, _ in urls}


def test_every_page_refuses_the_signed_out(site, urls, open_names):
    for path, name, _ in urls:
        if name in open_names[0] | open_names[1]:
            continue
        there = concrete(path, str(uuid4()))
        assert site.visitor().get(there).url.startswith(f"{site.url}/sign-in"), there
        visitor = site.visitor()
        visitor.get("/sign-in")
        assert visitor.post(there).url.startswith(f"{site.url}/sign-in"), there


# our own metadata is of the same form for any id, so that it does not tell which clients there are
_ALIKE = {"sign-on-about-us"}


def test_what_is_not_there_is_not_there(site, urls, open_names):
    """Each page with a parameter, for something that nobody has; numbers without end included."""
    member = site.visitor(site.member)
    for path, name, params in urls:
        if not params or name in open_names[1] or name in _ALIKE:
            continue
        for there in {concrete(path, str(uuid4())), concrete(path, str(uuid4())).replace("/7", f"/{10**30}")}:
            answer = member.get(there)
            if answer.status == 405:  # it takes forms alone
                member.get("/")
                answer = member.post(there)
            assert answer.status == 404, there
            assert "Traceback" not in answer.text


def test_another_clients_template_is_not_there(site):
    member, outsider = site.visitor(site.member), site.visitor(site.outsider)
    for tail in ("", "/versions/1", "/versions/1/preview"):
        path = f"/templates/{site.firm.template}{tail}"
        assert member.get(path).status == 200
        theirs, nowhere = outsider.get(path), outsider.get(path.replace(str(site.firm.template), str(uuid4())))
        assert theirs.status == nowhere.status == 404
        assert without_tokens(theirs.text) == without_tokens(nowhere.text)


def without_tokens(text):
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text)


def test_a_member_sees_their_own_client_and_chooses_no_other(site):
    member = site.visitor(site.member)
    member.get("/")
    for value in ("", str(site.other.tenant), str(site.firm.tenant), "x"):
        assert member.post("/scope", client=value).status == 404
        member.get("/")
    assert member.get("/clients").status == 404
    assert "Firm other" not in member.get("/").text


def test_staff_look_at_one_client_after_the_other(site):
    staff = site.visitor(site.staff)
    assert "Choose a client first" in staff.get("/templates").text
    assert staff.post("/scope", client=str(site.firm.tenant), next="/templates").url == f"{site.url}/templates"
    assert staff.get(f"/templates/{site.firm.template}").status == 200
    assert staff.get(f"/templates/{site.other.template}").status == 404
    staff.get("/")
    assert staff.post("/scope", client=str(site.other.tenant), next="https://evil.example/").url == f"{site.url}/"
    assert staff.get(f"/templates/{site.other.template}").status == 200
    assert staff.get(f"/templates/{site.firm.template}").status == 404
    for wrong in (str(uuid4()), "x", f"{site.firm.tenant}'"):
        staff.get("/")
        assert staff.post("/scope", client=wrong).status == 404
    staff.get("/")
    staff.post("/scope", client="")
    assert "Choose a client first" in staff.get("/templates").text


def test_every_page_has_a_strict_policy_and_no_script_in_itself(site, urls):
    staff = site.visitor(site.staff)
    staff.get("/")
    staff.post("/scope", client=str(site.firm.tenant))
    there = ["/nowhere", *(concrete(path, str(site.firm.template)) for path, _, params in urls if not params)]
    for path in [*there, f"/templates/{site.firm.template}", f"/templates/{site.firm.template}/versions/1/preview"]:
        answer = staff.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy
        alone = path.endswith("/preview") or path in ("/trust", "/trust/", "/trust.json")
        assert policy.count("script-src") == (0 if alone else 1)
        assert "script-src" not in policy or "script-src 'self';" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] in ("DENY", "SAMEORIGIN")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        scripts = re.findall(r"<script\b[^>]*>[^<]*", answer.text)
        assert all(re.fullmatch(r'<script src="/static/[\w.]+\.js" defer>', each) for each in scripts), path
        assert not re.search(r"<[^>]+ (style|on\w+)=", answer.text), path


def test_files_are_kept_for_good_under_names_that_hold_their_hash(site):
    page = site.visitor(site.member).get("/").text
    found = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))
    kinds = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml", "js": "text/javascript; charset=utf-8"}
    assert {path.rsplit(".", 1)[1] for path in found} == set(kinds)
    for path in found:
        got = site.visitor().get(path)
        assert got.status == 200
        assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert got.headers["content-type"] == kinds[path.rsplit(".", 1)[1]]
        assert not got.headers.get_all("set-cookie")
    for path in (
        "/static/troth.css",
        "/static/../settings.py",
        "/static/..%2fsettings.py",
        "/static/%2e%2e/%2e%2e/urls.py",
        "/static/",
    ):
        there = http.client.HTTPSConnection("localhost", int(site.url.rsplit(":", 1)[1]), context=trusting())
        there.request("GET", path)
        assert there.getresponse().status == 404, path
        there.close()


def trusting(**versions):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, version in versions.items():
        setattr(context, name, version)
    return context


def test_tls_is_1_3_and_its_certificate_is_the_one_that_was_given(site):
    place = ("localhost", int(site.url.rsplit(":", 1)[1]))
    with socket.create_connection(place) as raw, trusting().wrap_socket(raw) as line:
        assert line.version() == "TLSv1.3"
    with socket.create_connection(place) as raw, pytest.raises(ssl.SSLError):
        trusting(maximum_version=ssl.TLSVersion.TLSv1_2).wrap_socket(raw)
    believing = ssl.create_default_context(cafile=site.folder / "tls" / "ca.pem")
    with urllib.request.urlopen(f"{site.url}/sign-in", context=believing) as got:
        assert got.status == 200
    assert (site.folder / "tls" / "server.key").stat().st_mode & 0o777 == 0o600


def test_colours_are_kept_in_this_browser_and_lead_back(site):
    visitor = site.visitor(site.member)
    visitor.get("/templates")
    assert visitor.post("/look", theme="dark").status in (200, 405)
    assert 'data-theme="dark"' in visitor.get("/templates").text
    visitor.post("/look", theme="<script>")
    assert "data-theme" not in visitor.get("/templates").text


def test_a_database_that_takes_no_more_connections_is_told_where_a_page_opens_one_of_its_own(site):
    """The key for the door: not by Django's connection, which is open."""
    member, database = site.visitor(site.member), site.operator.database
    member.get("/recipients/new")
    with database.open() as admin:
        admin.execute(f"REVOKE CONNECT ON DATABASE {database.name} FROM troth_control, PUBLIC")
    answer = member.post("/recipients/new", email="ann@home.example", pathway="confirmation-link")
    with database.open() as admin:
        admin.execute(f"GRANT CONNECT ON DATABASE {database.name} TO troth_control")
    assert (answer.status, "The database cannot be reached just now" in answer.text) == (503, True)
    assert answer.headers["retry-after"] == "30"


def test_the_database_away_is_a_page_that_says_so(site):
    member = site.visitor(site.member)
    database = site.operator.database
    with database.open() as admin:
        admin.execute(f"REVOKE CONNECT ON DATABASE {database.name} FROM troth_control, PUBLIC")
    database.fill("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'troth_control'")
    for visitor, path in ((member, "/"), (member, "/templates"), (Visitor(site.url), "/sign-in")):
        answer = visitor.get(path)
        assert answer.status == 503, path
        assert "The database cannot be reached just now" in answer.text
        assert answer.headers["retry-after"] == "30"
    assert member.get("/static/none.css").status == 404
    with database.open() as admin:
        admin.execute(f"GRANT CONNECT ON DATABASE {database.name} TO troth_control")
    end = time.monotonic() + 30
    while member.get("/").status != 200:
        assert time.monotonic() < end


def test_times_are_in_the_persons_zone_with_their_offset(site):
    site.operator.database.fill("UPDATE tenant SET timezone = 'Asia/Kolkata' WHERE id = %s", site.firm.tenant)
    page = site.visitor(site.member).get(f"/templates/{site.firm.template}").text
    assert re.search(r'<time datetime="[^"]+\+00:00">\d+ \w{3} \d{4}, \d\d:\d\d:\d\d UTC\+5:30</time>', page)


@pytest.mark.parametrize(
    "query", ["q=%00", "q=" + "x" * 5000, "after=%27%3B--", "before=%F0%9F%A6%84", "q=%FF%FE", "before=9" * 40]
)
def test_no_query_breaks_a_page(site, query):
    member = site.visitor(site.member)
    for path in ("/templates", f"/templates/{site.firm.template}", "/ledger", "/"):
        assert member.get(f"{path}?{query}").status == 200, path
