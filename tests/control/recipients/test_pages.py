"""The confirmation page in its own process: looking changes nothing, the button confirms once, every end is calm."""

import base64
import hashlib
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import quote, urlencode

import pytest
from tests.support.firm import make_firm, now, operator

__all__ = ["operator"]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Browser:
    """As much of one as the page needs: cookies, and the form's token."""

    def __init__(self, port):
        self.port, self.jar = port, SimpleCookie()

    def ask(self, method, path, body=None, headers=None):
        there = http.client.HTTPConnection("localhost", self.port, timeout=20)
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in self.jar.items() if morsel.value)
        form = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        there.request(method, path, body, {**form, **({"Cookie": cookies} if cookies else {}), **(headers or {})})
        answer = there.getresponse()
        answer.text = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self.jar.load(value)
        there.close()
        return answer

    def get(self, path):
        return self.ask("GET", path)

    def press(self, path, page, code="", **more):
        named = {
            name: re.search(rf'name="{name}" value="([^"]+)"', page.text)[1]
            for name in ("csrfmiddlewaretoken", "shown")
        }
        body = urlencode({**named, **({"code": code} if code else {}), **more}, doseq=True)
        return self.ask("POST", path, body, {"Origin": f"http://localhost:{self.port}"})


@pytest.fixture
def firm(operator):
    return make_firm(operator)


@pytest.fixture
def pages(firm, tmp_path):
    """`troth serve pages` against the test's database; gives its port."""
    port, door = free_port(), free_port()
    where = firm.operator.database.conninfo("troth_control")
    url = f"postgresql://troth_control@/{where['dbname']}?host={quote(where['host'], safe='')}"
    env = {**os.environ, "TROTH_DATABASE_URL_CONTROL": url,
           "TROTH_DATABASE_URL_SIGNIN": url.replace("troth_control@", "troth_signin@"), "TROTH_WEB_PORT": str(port), "TROTH_HTTP_PORT": str(door),
           "TROTH_PUBLIC_URL": f"http://localhost:{port}", "TROTH_VAR_DIR": str(tmp_path),
           "TROTH_KEY_FILE": str(firm.operator.kms_path)}  # fmt: skip
    argv = [sys.executable, "-m", "troth.cli", "serve", "pages"]
    process = subprocess.Popen(argv, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_for(port, process)
        yield port, door, process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def wait_for(port, process):
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("localhost", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the pages did not start")


def link(firm, address="new@home.example", hours=24, pathway="confirmation-link"):
    """What POST /recipients keeps and mails: gives (path, person)."""
    secret, person = os.urandom(32), firm.person(address, status=1)
    firm.operator.admin.execute(
        "INSERT INTO confirmation (secret_hash, tenant_id, person_id, pathway, code_hash, created_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s + make_interval(hours => %s))",
        (
            hashlib.sha256(secret).digest(),
            firm.tenant,
            person,
            pathway,
            hashlib.sha256(secret + b"123456").digest(),
            now(),
            now(),
            hours,
        ),
    )
    return f"/confirm/{base64.urlsafe_b64encode(secret).rstrip(b'=').decode()}", person


def status(firm, person):
    return firm.operator.admin.execute("SELECT status, pathway FROM person WHERE id = %s", (person,)).fetchone()


def test_the_whole_way_of_a_confirmation(firm, pages):
    port, _, process = pages
    path, person = link(firm)
    browser = Browser(port)
    page = browser.get(path)
    assert page.status == 200
    assert firm.operator.admin.execute("SELECT name FROM tenant").fetchone()[0] in page.text
    ends = firm.operator.admin.execute("SELECT expires_at FROM confirmation").fetchone()[0].astimezone(UTC)
    assert f"{ends.day} {ends:%B %Y, %H:%M} UTC" in page.text
    assert status(firm, person) == (1, None)
    done = browser.press(path, page)
    assert done.status == 200
    assert "Your address is confirmed." in done.text
    assert status(firm, person) == (2, "confirmation-link")
    assert firm.operator.admin.execute("SELECT count(*) FROM consent").fetchone() == (0,)
    again = Browser(port).get(path)
    assert again.status == 200
    assert "confirmed already" in again.text
    _headers(page)
    process.terminate()
    assert path.rsplit("/", 1)[1] not in process.communicate(timeout=20)[0].decode()


def _headers(page):
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script" not in page.text
    assert "style=" not in page.text
    assert page.headers["cache-control"].startswith("no-store")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["referrer-policy"] == "same-origin"
    for cookie in page.headers.get_all("set-cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie


def test_a_pathway_of_several_steps_wants_the_code_of_the_mail(firm, pages):
    path, person = link(firm, pathway="multi-step")
    browser = Browser(pages[0])
    page = browser.get(path)
    assert 'name="code"' in page.text
    for code, words in (("", "Type the code"), ("000000", "4 tries are left"), ("1\0 x", "3 tries are left")):
        answer = browser.press(path, page, code)
        assert answer.status == 422
        assert words in answer.text
        assert 'aria-invalid="true"' in answer.text
    assert status(firm, person) == (1, None)
    assert "Your address is confirmed." in browser.press(path, page, " 123 456").text
    assert status(firm, person) == (2, "multi-step")


def test_five_wrong_codes_end_the_link(firm, pages):
    path, person = link(firm, pathway="multi-step")
    browser = Browser(pages[0])
    page = browser.get(path)
    answers = [browser.press(path, page, "000000").status for _ in range(5)]
    assert answers == [422, 422, 422, 422, 410]
    assert browser.press(path, page, "123456").status == 410
    assert status(firm, person) == (1, None)


def test_the_button_belongs_to_the_browser_that_was_shown_it(firm, pages):
    port, _, process = pages
    path, person = link(firm)
    other_path, other = link(firm, "other@home.example")
    browser = Browser(port)
    page = browser.get(path)
    assert browser.ask("POST", path, "").status == 403  # no token
    assert Browser(port).press(path, page).status == 403  # no cookie
    assert browser.press(other_path, page).status == 403  # another link's
    foreign = browser.ask("POST", path, "x=1", {"Origin": "http://evil.example"})
    assert foreign.status == 403
    assert "Nothing was confirmed." in foreign.text
    assert status(firm, person) == status(firm, other) == (1, None)
    ended, late = link(firm, "late@home.example", hours=-1)
    assert Browser(port).get(ended).status == 410
    assert status(firm, late) == (1, None)
    process.terminate()
    told = process.communicate(timeout=20)[0].decode()
    for secret in (path, other_path, ended):
        assert secret.rsplit("/", 1)[1] not in told


@pytest.mark.parametrize("path", ["/confirm/short", f"/confirm/{'A' * 43}", f"/confirm/{'!' * 43}", "/nothing"])
def test_other_paths_are_calm(pages, path):
    answer = Browser(pages[0]).get(path)
    assert answer.status == 404
    assert "<h1>" in answer.text
    assert "Django" not in answer.text


def test_a_link_of_an_erased_person_confirms_nobody(firm, pages):
    path, person = link(firm)
    browser = Browser(pages[0])
    page = browser.get(path)
    firm.operator.admin.execute("SELECT set_config('troth.tenant', %s, false)", (str(firm.tenant),))
    firm.operator.admin.execute("SELECT erase_person_v1(%s, %s)", (firm.tenant, person))
    assert browser.press(path, page).status == 410
    assert status(firm, person)[0] == 4


def test_the_style_is_one_file_and_fetches_nothing(pages):
    browser = Browser(pages[0])
    assert '<link rel="stylesheet" href="/look/recipient.css">' in browser.get("/confirm/nothing").text
    sheet = browser.get("/look/recipient.css")
    assert sheet.status == 200
    assert sheet.headers["content-type"].startswith("text/css")
    assert "url(" not in sheet.text
    assert "@import" not in sheet.text


def refused(port, length):
    """A length that is no number, as the octets of the wire."""
    with socket.create_connection(("localhost", port), 20) as there:
        there.sendall(f"POST /u/abc HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode("latin-1"))
        return there.recv(12)[9:12] in (b"400", b"413")


class Door(BaseHTTPRequestHandler):
    """A stand-in for the sending door: it answers with what it was asked."""

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        said = f"{self.command} {self.path} {self.headers.get('content-type')} {body.decode()}".encode()
        self.send_response(202)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = _answer

    def log_message(self, *_words):
        pass


def test_the_doors_public_paths_are_handed_on(pages):
    port, door, _ = pages
    assert Browser(port).get("/u/abc").status == 503  # no door yet
    server = HTTPServer(("127.0.0.1", door), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        posted = Browser(port).ask("POST", "/u/abc?x=1", "List-Unsubscribe=One-Click")
        assert posted.status == 202
        assert posted.text == "POST /u/abc?x=1 application/x-www-form-urlencoded List-Unsubscribe=One-Click"
        assert Browser(port).get("/assets/letter.css").text.startswith("GET /assets/letter.css")
        assert Browser(port).ask("POST", "/u/abc", "x" * 70_000).status == 413
        for length in ("\u00b2", "9" * 5_000, "-1", "0x1"):
            assert refused(port, length)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_database_that_is_away_is_a_calm_page(firm, pages):
    path, _ = link(firm)
    database = firm.operator.database
    with database.open() as admin:
        admin.execute(f"REVOKE CONNECT ON DATABASE {database.name} FROM troth_control, PUBLIC")
    database.fill("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'troth_control'")
    answer = Browser(pages[0]).get(path)
    assert answer.status == 503
    assert answer.headers["retry-after"] == "30"
    assert "your link keeps working" in answer.text
    pages[2].terminate()
    told = pages[2].communicate(timeout=20)[0].decode()
    assert "OperationalError" in told  # for whoever runs it; without local variables, which hold the secret
    assert path.rsplit("/", 1)[1] not in told
