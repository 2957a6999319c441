"""The demo's driver: its ports and settings, the browser, the mailbox's manners, the report that it is held to."""

import http.server
import json
import os
import shlex
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from troth.cli.demo import layout
from troth.cli.demo.asks import Ask
from troth.cli.demo.bombs import Refusal
from troth.cli.demo.expected import Bomb, Came, Expected, Waits
from troth.cli.demo.inbox import Inbox, header
from troth.cli.demo.mailbox_store import MailStore
from troth.cli.demo.outcome import Outcome, read
from troth.cli.demo.report import Seen, differences, lines, mask, not_come, own_mail
from troth.cli.demo.sink import Later
from troth.cli.demo.web import Browser, Program, Reply, _Forms, listens, one_click
from troth.cli.demo.zone import Zone
from troth.settings import Settings, load


def test_two_copies_take_different_ports_even_before_they_listen(tmp_path):
    given = Settings(var_dir=tmp_path)
    with ExitStack() as held, ExitStack() as beside:
        first, second = layout.lay_out(given, held), layout.lay_out(given, beside)

        def ports(one):
            s = one.settings
            return {s.http_port, s.web_port, s.relay_port, one.mailbox_port, *(r.port for r in s.dns_resolvers)}

        assert len(ports(first) | ports(second)) == 10
        assert not ports(first) & ports(second)


def test_a_port_that_somebody_uses_is_passed_over(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as used, ExitStack() as held:
        taken = used.getsockname()[1]
        assert not layout._take(taken, held)


def test_children_read_the_very_settings(tmp_path):
    with ExitStack() as held:
        placed = layout.lay_out(Settings(var_dir=tmp_path / "with space", pg_bin=Path("/pg/bin")), held)
    placed.folder.mkdir(parents=True)
    placed.config.touch()
    (tmp_path / "troth.toml").write_text("http_port = 1\n")  # another installation's: it has no say
    told = layout.environment(placed, {"PATH": "/bin", "TROTH_HTTP_PORT": "1", "TROTH_DATABASE_URL": "x"})
    assert told["PATH"] == "/bin"
    assert "TROTH_DATABASE_URL" not in told
    assert load(told, tmp_path) == placed.settings


def test_a_new_run_leaves_nothing_of_the_last_but_what_its_supervisor_keeps(tmp_path):
    with ExitStack() as held:
        placed = layout.lay_out(Settings(var_dir=tmp_path), held)
    for name in ("run", "mailbox/new", "credentials", "keys", "postgres/cluster", "postgres/log"):
        (placed.folder / name).mkdir(parents=True)
    for name in ("mailbox/new/1", "zone.json", "mailbox-manners", "run/token", "postgres/made-for", layout.LOG):
        (placed.folder / name).write_text("x")
    os.symlink("nowhere", placed.folder / "link")
    layout.clear(placed)
    left = {str(path.relative_to(placed.folder)) for path in placed.folder.rglob("*") if not path.is_dir()}
    tls = {f"pages-tls/{name}" for name in ("ca.pem", "server.pem", "server.key")}
    assert left == {"run/token", "postgres/made-for", layout.LOG, "keys/relay-password", "troth.toml", *tls}
    assert placed.password.stat().st_mode & 0o077 == 0
    assert placed.password.read_text() == placed.settings.relay_password


def test_zone_changes_are_whole_files(tmp_path):
    zone = Zone(tmp_path / "zone.json")
    zone.begin(["a.test"])
    zone.publish("_dmarc.a.test", "TXT", "v=DMARC1; p=reject")
    zone.publish("a.test", "TXT", "one", "two")
    assert zone.at("a.test", "TXT") == ("one", "two")
    zone.publish("_dmarc.a.test", "TXT")
    found = json.loads((tmp_path / "zone.json").read_text())
    assert "_dmarc.a.test" not in found
    assert found["a.test"] == {"MX": ["10 mailbox.localhost."], "TXT": ["one", "two"]}
    assert zone.at("_dmarc.a.test", "TXT") == ()


def test_bad_manners_begin_with_their_file(tmp_path):
    script = Later(tmp_path / "manners")
    address = "jo.bounce-hard@x.test"
    assert script.at_rcpt(address) is None
    assert not script.drops("jo.drop-after-data@x.test")
    assert script.delay("jo.slow@x.test") == 0
    (tmp_path / "manners").touch()
    assert script.at_rcpt(address).startswith("550")
    assert script.drops("jo.drop-after-data@x.test")
    assert script.delay("jo.slow@x.test") > 0


class Pages(http.server.BaseHTTPRequestHandler):
    """A page with a form, which wants its cookie and its token back."""

    def do_GET(self):
        page = b'<form method="post"><input type="hidden" name="token" value="t&amp;1"><button>Yes</button></form>'
        self._say(200 if self.path == "/page" else 404, page if self.path == "/page" else b"no form")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/u/1":
            self._say(200 if body == "List-Unsubscribe=One-Click" else 400, b"")
            return
        good = body == "token=t%261" and self.headers["Cookie"] == "seen=yes" and self.headers["Origin"]
        self._say(200 if good else 403, json.dumps({"type": "/problems/x"}).encode())

    def _say(self, status, body):
        self.send_response(status)
        self.send_header("Set-Cookie", "seen=yes; HttpOnly")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


FORM = """<form method="post" action="/a"><input name="token" value="t"><textarea name="words">
a &amp; b</textarea><select name="one"><option value="x">X</option><option value="y" selected>Y</option></select>
<input type="checkbox" name="many" value="1" checked><input type="checkbox" name="many" value="2">
<input type="checkbox" name="many" value="3" checked></form><form action="/search"><input name="q" value="no"></form>"""


def test_what_stands_in_a_forms_fields_goes_along():
    (form,) = _Forms(FORM).found
    assert form.fields == {"token": ["t"], "words": ["a & b"], "one": ["y"], "many": ["1", "3"]}
    browser = Browser()
    browser._forms = _Forms(FORM)
    assert browser.typed("words") == "a & b"
    with pytest.raises(LookupError, match="no field q"):
        browser.typed("q")


def test_the_browser_brings_cookie_and_token_back(site):
    browser = Browser()
    assert browser.open(f"{site}/page").status == 200
    assert browser.press().status == 200


def test_a_page_without_a_form_has_no_button(site):
    browser = Browser()
    assert browser.open(f"{site}/other").status == 404
    with pytest.raises(LookupError):
        browser.press()


def test_one_click_and_programs(site):
    assert one_click(f"{site}/u/1") == 200
    reply = Program(site, "key").ask("POST", "/emails", b"{}", idempotency="k")
    assert (reply.status, reply.problem) == (403, "x")
    assert Program(site, "key").ask("GET", "/page").body.startswith("<form")
    host, port = site.removeprefix("http://").split(":")
    assert listens(host, int(port))()
    assert not listens(host, 1)()


MAIL = (
    b"Message-ID: <abc@x.test>\r\nList-Unsubscribe: <https://t.test/u/1>,\r\n <mailto:u@x.test>\r\n\r\n"
    b"See https://t.test/confirm/A=\r\nBC-d_ here\r\n"
)


def test_the_inbox_finds_links_copies_and_opt_outs(tmp_path):
    store = MailStore(tmp_path / "mailbox")
    store.keep(MAIL, "b@x.test", ["jo@y.test"], "250 ok")
    store.note("b@x.test", ["jo@y.test"], "550 no")
    inbox = Inbox.at(tmp_path / "mailbox")
    assert inbox.await_link("jo@y.test", 1) == "https://t.test/confirm/ABC-d_"
    assert len(inbox.copies("jo@y.test", "abc")) == 1
    assert inbox.copies("jo@y.test", "") == []
    assert inbox.unsubscribe("jo@y.test", "abc") == "https://t.test/u/1"
    assert header(MAIL, "Subject") == ""
    with pytest.raises(LookupError):
        inbox.unsubscribe("jo@y.test", "other")
    with pytest.raises(TimeoutError):
        inbox.await_link("nobody@y.test", 0)
    inbox.over.set()
    with pytest.raises(TimeoutError):
        inbox.await_link("nobody@y.test", 60)
    inbox.store.close()
    store.close()


class Answers:
    """A program whose GET answers this."""

    def __init__(self, status, body):
        self.reply = Reply(status, body)

    def ask(self, *_):
        return self.reply


ASK = Ask("a", "property", "first", {"to": ["Jo <jo@y.test>"]})


def message(state, *events, recipient="jo@y.test"):
    told = [{"type": kind, "detail": {"reason": why}} if why else {"type": kind} for kind, why in events]
    one = {"id": "msg_a_00ff", "recipient": recipient, "state": state, "events": told}
    return Answers(200, {"troth": {"messages": [one]}})


@pytest.mark.parametrize(
    ("state", "events", "reason"),
    [
        ("sent", [("accepted", ""), ("sent", "")], "taken"),
        (
            "sent",
            [("sent", ""), ("deferred", ""), ("sent", ""), ("complained", "")],
            "taken, deferred before, complained after",
        ),
        ("sent", [("deferred", ""), ("held", "paused"), ("sent", "")], "taken, deferred and held before"),
        ("bounced", [("deferred", ""), ("bounced", "hard")], "hard"),
        ("held", [("held", "anomaly-review")], "anomaly-review"),
        ("cancelled", [("cancelled", "")], "cancelled"),
        ("queued", [], ""),
    ],
)
def test_an_outcome_says_why(state, events, reason):
    found = read(ASK, Reply(200, {"id": "em_a_1"}), message(state, *events))["a"]
    assert (found.state, found.reason, found.message_hex) == (state, reason, "00ff")


def test_outcomes_that_are_none():
    assert read(ASK, None, Answers(200, {}))["a"].state == "not sent"
    assert read(ASK, Reply(422, {"type": "/problems/key-scope"}), Answers(200, {}))["a"].reason == "key-scope"
    assert (
        read(ASK, Reply(200, {"id": "em_a_1"}), Answers(404, {"type": "/problems/not-found"}))["a"].state
        == "unreadable"
    )
    other = message("sent", recipient="else@y.test")
    assert read(ASK, Reply(200, {"id": "em_a_1"}), other)["a"].state == "missing"
    assert Outcome("", "sent", "", ("accepted", "deferred", "sent")).told == "deferred sent"


WAITS = {"property": Waits("property", changes=1)}
CAME = Came(*range(1, 11))


def seen(**changes):
    outcomes = {"a": Outcome("jolanda@y.test", "sent", "taken", ("sent",), "ff")}
    return Seen(
        **(
            {
                "outcomes": outcomes,
                "copies": {"a": 1},
                "refusals": [Refusal("b", "bad", "No; never.")],
                "waits": WAITS,
                "came": CAME,
            }
            | changes
        )
    )


WANTED = {"a": Expected("a", "property", "mail", "sent", "taken", 1)}
BOMBS = {"b": Bomb("b", "a bomb", "bad")}


def test_the_report_is_silent_when_all_is_as_expected():
    assert differences(WANTED, BOMBS, WAITS, seen()) == []
    text = "\n".join(lines(WANTED, seen()))
    assert "jo…a@y.test" in text
    assert "jolanda" not in text
    assert "never" not in text


@pytest.mark.parametrize(
    "changes",
    [
        {"copies": {"a": 2}},
        {"outcomes": {"a": Outcome("", "held", "taken")}},
        {"outcomes": {"a": Outcome("", "sent", "taken, deferred before")}},
        {"outcomes": {}},
        {
            "outcomes": {"a": Outcome("", "sent", "taken"), "z": Outcome("", "sent", "taken")},
            "copies": {"a": 1, "z": 0},
        },
        {"refusals": []},
        {"waits": {}},
        {"waits": {"property": Waits("property", changes=1, reviews=1)}},
        {"refusals": [Refusal("b", "", "It was taken.")]},
        {"refusals": [Refusal("b", "other", "No.")]},
    ],
)
def test_the_report_names_every_difference(changes):
    assert len(differences(WANTED, BOMBS, WAITS, seen(**changes))) == 1


@pytest.mark.parametrize("name", Came.__struct_fields__)
def test_every_number_of_what_came_back_is_compared_and_shown(name):
    other = msgspec.structs.replace(CAME, **{name: 77})
    (said,) = not_come(CAME, other)
    assert said.endswith("expected, 77 came.")
    assert not_come(CAME, CAME) == []
    assert "77 " in "\n".join(lines(WANTED, seen(came=other)))


@pytest.mark.parametrize(("address", "shown"), [("jo@y.test", "…"), ("", "…"), ("jolanda@y.test", "jo…a@y.test")])
def test_masked(address, shown):
    assert mask(address) == shown


def test_the_closing_words_hold_a_command_that_a_shell_takes_apart_rightly():
    body = {"to": ["O'Hara <o@example.test>"], "template": {"id": "rent", "variables": {"amount": "£1"}}}
    words = shlex.split(own_mail("http://127.0.0.1:8025", "troth_a_key", body))
    assert words[:2] == ["curl", "http://127.0.0.1:8025/emails"]
    assert "Authorization: Bearer troth_a_key" in words
    assert json.loads(words[words.index("-d") + 1]) == body


def test_a_form_holds_what_a_browser_would_send():
    """The first option counts where none is chosen, also where it says nothing: what stands above stays as it is."""
    page = """<form method="post"><select name="a"><option value="">as above</option><option value="x">X</option></select>
    <select name="b"><option value="">none</option><option value="y" selected>Y</option></select><textarea name="c">z</textarea>
    </form>"""
    assert _Forms(page).found[0].fields == {"a": [""], "b": ["y"], "c": ["z"]}


def test_the_pages_have_a_name_since_no_passkey_is_made_for_a_number(tmp_path):
    with ExitStack() as held:
        placed = layout.lay_out(Settings(var_dir=tmp_path), held)
    assert placed.settings.public_url.startswith("https://localhost:")
