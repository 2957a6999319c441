"""An operator's first day, by the command line alone: two owners, a programme, a client, a domain, a template, a key."""

import json
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from troth.cli import main
from troth.flow.submission.keys import parse_key
from troth.rules.profile import load_profile


class Desk:
    """One machine, with one folder and one database; `run` gives (status, output, errors)."""

    def __init__(self, folder, capsys):
        self.folder, self.capsys = folder, capsys

    def run(self, *words):
        self.capsys.readouterr()
        status = main([str(word) for word in words])
        said = self.capsys.readouterr()
        return status, said.out, said.err

    def ok(self, *words):
        status, out, err = self.run(*words)
        assert status == 0, err
        return out

    def json(self, *words):
        return json.loads(self.ok(*words, "--json"))

    def refused(self, *words):
        status, _, err = self.run(*words)
        assert status == 1
        return err

    def file(self, name, value):
        (self.folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
        return name

    def as_owner(self, n):
        return ("--credential", f"owner-{n}.credential", "--passphrase-file", f"passphrase-{n}")

    def approve(self, made, n=2):
        return self.ok("change", "approve", made["change"], "--digest", made["digest"], *self.as_owner(n))

    def propose(self, kind, tenant, code, artefact):
        return self.json("change", "propose", kind, "--tenant", tenant, "--code", code, "--artefact",
                         self.file("artefact.json", artefact), "--reason", "a test", *self.as_owner(1))  # fmt: skip

    def refuse_artefact(self, kind, tenant, code, artefact):
        return self.refused("change", "propose", kind, "--tenant", tenant, "--code", code, "--artefact",
                            self.file("artefact.json", artefact), "--reason", "a test", *self.as_owner(1))  # fmt: skip


OWNERS = ("--owner", "Ann Owner <ann@operator.example>", "--owner", "Bob Owner <bob@operator.example>")
PASSPHRASES = ("--passphrase-file", "passphrase-1", "--passphrase-file", "passphrase-2")


@pytest.fixture(scope="module")
def settled(pg_server):
    """A database that `troth init` and a first day have filled; each test works in it."""
    name = f"troth_cli_{os.getpid()}"
    folder = Path(tempfile.mkdtemp(prefix="troth cli "))
    url = f"postgresql://postgres@/{name}?host={quote(str(pg_server.conninfo()['host']), safe='')}"
    yield folder, url
    shutil.rmtree(folder)
    with psycopg.connect(**pg_server.conninfo(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def desk(settled, capsys, monkeypatch):
    folder, url = settled
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TROTH_DATABASE_URL", url)
    monkeypatch.setenv("TROTH_MODE", "test")
    monkeypatch.setenv("TROTH_SPF_MECHANISM", "include:spf.troth.example")
    made = Desk(folder, capsys)
    if not (folder / "owner-1.credential").exists():
        _first_day(made)
    return made


def _first_day(desk):
    for n, words in ((1, "correct horse battery"), (2, "staple orchard lantern")):
        path = desk.folder / f"passphrase-{n}"
        path.write_text(words + "\n")
        path.chmod(0o600)
    begun = desk.json("init", *OWNERS, *PASSPHRASES)
    desk.genesis = begun
    assert "Both owners sign the genesis entry first" in _approve_too_early(desk)
    assert "second person must approve" in desk.refused(
        "change", "approve", begun["change"], "--digest", begun["digest"], *desk.as_owner(1)
    )
    desk.approve(begun)
    desk.approve(desk.json("change", "list", "--tenant", "-")[0] | {"change": _only_open(desk)["id"]})
    profile = load_profile("property").document
    desk.approve(desk.propose("policy", "-", "programme:property", profile))
    desk.approve(desk.json("tenant", "add", "--programme", "property", "--code", "quill", "--name", "Quill",
                           "--timezone", "Europe/London", "--postal-address", "1 Quill Road", *desk.as_owner(1)))  # fmt: skip
    desk.approve(desk.propose("category", "quill", "rent", CATEGORY))


def _approve_too_early(desk):
    artefact = {"name": "Property", "profile": "property", "domain": "property.example"}
    made = desk.propose("programme", "-", "property", artefact)
    return desk.refused("change", "approve", made["change"], "--digest", made["digest"], *desk.as_owner(2))


def _only_open(desk):
    (found,) = desk.json("change", "list", "--tenant", "-")
    return found


CATEGORY = {
    "name": "Rent reminder",
    "purpose": "tells what is due",
    "sender": {"name": "Quill", "address": "rent@mail.quill.example"},
    "legal_class": "transactional",
    "policy": {"limits": {"template_hour": 100}},
}
TEMPLATE = {
    "category": "rent",
    "subject": "Rent for {{ month }}",
    "html": "<p>{{ month }}</p>",
    "text": "{{ month }}",
    "schema": {"month": {"type": "string", "max_length": 20}},
}


def test_the_files_of_a_first_day_are_private(desk):
    for name in ("owner-1.credential", "owner-2.credential", "var/keys/master"):
        assert (desk.folder / name).stat().st_mode & 0o777 == 0o600
    held = json.loads((desk.folder / "owner-1.credential").read_text())
    assert set(held) == {"version", "account", "human", "device"}


def test_init_is_done_once_and_replaces_no_file(desk, tmp_path):
    assert "is not replaced" in desk.refused("init", *OWNERS, *PASSPHRASES)
    assert "already has its owners" in desk.refused("init", *OWNERS, *PASSPHRASES, "--out", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("owners", "says"),
    [
        (("Ann <ann@a.example>",), "Give --owner twice"),
        (("Ann <ann@a.example>", "Bob <ANN@a.example>"), "two addresses"),
        (("Ann <ann@a.example>", "bob@a.example"), "give the name too"),
        (("Ann <ann@a.example>", "Bob <bob>"), "--owner"),
    ],
)
def test_init_wants_two_people(desk, owners, says, tmp_path):
    words = [word for owner in owners for word in ("--owner", owner)]
    assert says in desk.refused("init", *words, "--generate-passphrases", "--out", tmp_path)


def test_a_short_passphrase_is_refused(desk, tmp_path):
    path = tmp_path / "short"
    path.write_text("short")
    path.chmod(0o600)
    words = ("--passphrase-file", path, "--passphrase-file", path, "--out", tmp_path)
    assert "at least 12 characters" in desk.refused("init", *OWNERS, *words)


def test_a_template_is_approved_as_it_was_shown(desk):
    made = desk.propose("template", "quill", "rent-due", TEMPLATE)
    shown = desk.ok("change", "show", made["change"])
    assert made["digest"] in shown
    assert '+  "subject": "Rent for {{ month }}"' in shown
    assert "look again" in desk.refused("change", "approve", made["change"], "--digest", "ab" * 32, *desk.as_owner(2))
    desk.approve(made)
    edited = desk.propose("template", "quill", "rent-due", TEMPLATE | {"subject": "Rent, {{ month }}"})
    assert edited["subject"] == made["subject"]
    shown = desk.ok("change", "show", edited["change"])
    assert '-  "subject": "Rent for {{ month }}"' in shown
    assert '+  "subject": "Rent, {{ month }}"' in shown
    assert "withdrawn" in desk.ok("change", "close", edited["change"], "--note", "no", *desk.as_owner(1))
    assert "no longer open" in desk.refused(
        "change", "approve", edited["change"], "--digest", edited["digest"], *desk.as_owner(2)
    )


@pytest.mark.parametrize(
    ("part", "source", "says"),
    [
        ("html", "{{ month ~ month }}", "~"),
        ("html", "{% for a in range(1000000) %}x{% endfor %}", "html"),
        ("subject", "{{ unknown }}", "subject"),
        ("html", "{% autoescape false %}{{ month }}{% endautoescape %}", "always escaped"),
    ],
)
def test_a_template_bomb_is_refused_in_words(desk, part, source, says):
    err = desk.refuse_artefact("template", "quill", "bomb", TEMPLATE | {part: source})
    assert "nothing was proposed" in err
    assert says in err


@pytest.mark.parametrize(
    ("kind", "tenant", "code", "artefact", "says"),
    [
        ("category", "quill", "rent", {"name": "x"}, "missing required field"),
        ("category", "quill", "rent", CATEGORY | {"extra": 1}, "unknown field"),
        ("category", "quill", "Rent!", CATEGORY, "a-z"),
        ("category", "-", "rent", CATEGORY, "Name the client"),
        ("category", "quill", "rent", CATEGORY | {"sender": {"name": "Q", "address": "rent@"}}, "sender.address"),
        ("category", "quill", "rent", CATEGORY | {"sender": {"name": "Q\n", "address": "r@q.example"}}, "sender.name"),
        ("category", "quill", "rent", CATEGORY | {"legal_class": "spam"}, "legal_class"),
        ("category", "quill", "rent", CATEGORY | {"policy": {"limits": {"tenant_hour": 10**6}}}, "may only"),
        ("category", "quill", "rent", CATEGORY | {"policy": {"limits": {"no_such": 1}}}, "not a field"),
        ("template", "quill", "t", TEMPLATE, "2 to 63"),
        ("template", "quill", "other", TEMPLATE | {"category": "none"}, "no such category"),
        ("policy", "-", "programme:property", {"limits": {"tenant_hour": 1}}, "is missing"),
        ("policy", "-", "programme:other", load_profile("retail").document, "programme:property"),
        ("policy", "quill", "other", {}, "tenant for a client's own"),
        ("policy", "quill", "tenant", {"limits": {"tenant_hour": 10**6}}, "may only"),
        ("policy", "quill", "tenant", {"limits": {"template_hour": 50}}, "category rent"),
        ("policy", "-", "operator", {"limits": {"template_hour": 50}}, "category rent"),
        ("programme", "-", "other", {"name": "O", "profile": "none", "domain": "o.example"}, "profiles are"),
        ("programme", "-", "other", {"name": "", "profile": "retail", "domain": "O.example"}, "lower case"),
        ("programme", "quill", "other", {"name": "O", "profile": "retail", "domain": "o.example"}, "no client"),
        ("domain", "quill", "quill.example", {"name": "other.example", "selector": "s"}, "code is its name"),
        ("domain", "quill", "quill", {"name": "quill", "selector": "S!"}, "selector"),
        ("release", "quill", "x", {"all": True}, "unknown field"),
        ("override", "quill", "x", {"blind_index": "xx", "expires_at": "2020-01-01T00:00:00Z"}, "time to come"),
        (
            "override",
            "quill",
            "x",
            {"blind_index": "ab" * 32, "expires_at": "2099-01-01T00:00:00Z"},
            "within 168 hours",
        ),
        (
            "api-key",
            "quill",
            "k",
            {"name": "k", "prefix": "x", "hash": "x", "expires_at": "2020-01-01T00:00:00Z"},
            "passed",
        ),
        ("grant", "quill", "g", {"human": "x"}, "human"),
        ("nothing", "-", "x", {}, "The kinds are"),
    ],
)
def test_what_cannot_stand_is_refused_before_anybody_is_asked(desk, kind, tenant, code, artefact, says):
    before = desk.json("change", "list")
    assert says in desk.refuse_artefact(kind, tenant, code, artefact)
    assert desk.json("change", "list") == before


def test_a_file_that_is_no_artefact_is_refused(desk):
    for text, says in (("{", "not JSON"), ("[]", "no JSON object"), ('{"a": 1, "a": 2}', "stands twice"),
                       ('{"a": 1.5}', "nothing was proposed")):  # fmt: skip
        assert says in desk.refuse_artefact("release", "-", "x", text)
    assert "cannot be read" in desk.refused(
        "change", "propose", "release", "--code", "x", "--artefact", "none.json", "--reason", "x", *desk.as_owner(1)
    )


def test_a_key_is_shown_once_and_kept_by_its_hash(desk):
    made = desk.json("key", "create", "--tenant", "quill", "--name", "Rent program", "--categories", "rent",
                     *desk.as_owner(1))  # fmt: skip
    parsed = parse_key(made["key"])
    assert parsed is not None
    shown = desk.json("change", "show", made["change"])
    assert shown["artefact"]["hash"] == parsed.hash.hex()
    assert made["key"] not in json.dumps(shown)
    desk.approve(made)
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"]) as admin:
        assert admin.execute("SELECT count(*) FROM troth.api_key WHERE hash = %s", (parsed.hash,)).fetchone() == (1,)
    assert "no category none" in desk.refused(
        "key", "create", "--tenant", "quill", "--name", "x", "--categories", "none", *desk.as_owner(1)
    )


def test_a_domain_prints_what_to_publish_and_keeps_its_key_sealed(desk):
    made = desk.json("domain", "add", "mail.quill.example", "--tenant", "quill", *desk.as_owner(1))
    names = {each["name"]: each["text"] for each in made["records"]}
    assert names["mail.quill.example"] == "v=spf1 include:spf.troth.example -all"
    assert names["_dmarc.mail.quill.example"] == "v=DMARC1; p=reject"
    assert names["troth1._domainkey.mail.quill.example"].startswith("v=DKIM1; k=rsa; p=MII")
    desk.approve(made)
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"]) as admin:
        sealed, bits = admin.execute("SELECT private_ct, bits FROM troth.dkim_key").fetchone()
    assert sealed[0] == 1
    assert b"PRIVATE" not in sealed
    assert bits == 2048


def test_a_pause_is_one_persons_and_its_release_two_peoples(desk):
    started = desk.json("pause", "start", "--tenant", "quill", "--reason", "trouble")["pause"]
    assert [each["id"] for each in desk.json("pause", "list")] == [started]
    made = desk.json("change", "propose", "release", "--tenant", "quill", "--code", started, "--subject", started,
                     "--artefact", desk.file("empty.json", {}), "--reason", "over", *desk.as_owner(1))  # fmt: skip
    assert desk.json("pause", "list") != []
    desk.approve(made)
    assert desk.json("pause", "list") == []


def test_a_version_is_stopped_by_one_person(desk):
    made = desk.propose("template", "quill", "stopped", TEMPLATE)
    version = json.loads(
        desk.ok("change", "approve", made["change"], "--digest", made["digest"], *desk.as_owner(2), "--json")
    )["version"]
    said = desk.ok("version", "revoke", version, "--tenant", "quill", "--reason", "wrong", *desk.as_owner(1))
    assert "Stopped for good" in said
    assert "no such version" in desk.refused(
        "version", "revoke", made["change"], "--tenant", "quill", "--reason", "x", *desk.as_owner(1)
    )


def test_a_session_is_kept_for_the_commands_that_follow(desk):
    assert "No session is open" in desk.refused("change", "close", _some_change(desk), "--note", "x")
    opened = desk.json("session", "open", *desk.as_owner(1))
    assert Path(opened["session"]).stat().st_mode & 0o777 == 0o600
    assert "withdrawn" in desk.ok("change", "close", _some_change(desk), "--note", "x")
    desk.ok("session", "open", *desk.as_owner(2))
    assert "say with --session" in desk.refused("change", "close", _some_change(desk), "--note", "x")
    said = desk.ok("change", "close", _some_change(desk), "--note", "x", "--session", opened["session"])
    assert "withdrawn" in said
    assert "2 forgotten" in desk.ok("session", "forget")


def _some_change(desk):
    return desk.propose("template", "quill", "passing", TEMPLATE)["change"]


def test_neither_factor_alone_opens_a_session(desk, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("not the passphrase")
    wrong.chmod(0o600)
    said = desk.refused("session", "open", "--credential", "owner-1.credential", "--passphrase-file", wrong)
    assert "account, device or passphrase is wrong" in said
    held = json.loads((desk.folder / "owner-1.credential").read_text())
    other = tmp_path / "other.credential"
    other.write_text(json.dumps(held | {"device": "A" * 43 + "="}))
    other.chmod(0o600)
    said = desk.refused("session", "open", "--credential", other, "--passphrase-file", "passphrase-1")
    assert "account, device or passphrase is wrong" in said


def test_a_credential_that_others_can_read_is_not_used(desk, tmp_path):
    open_file = tmp_path / "open.credential"
    open_file.write_bytes((desk.folder / "owner-1.credential").read_bytes())
    open_file.chmod(0o644)
    said = desk.refused("session", "open", "--credential", open_file, "--passphrase-file", "passphrase-1")
    assert "chmod 600" in said


def test_lists_and_settings_speak_to_people_and_programs(desk, monkeypatch):
    assert desk.json("tenant", "list")[0]["code"] == "quill"
    assert "quill" in desk.ok("tenant", "list")
    assert "approved" in desk.ok("change", "list", "--all")
    monkeypatch.setenv("TROTH_RELAY_USERNAME", "u")
    monkeypatch.setenv("TROTH_RELAY_PASSWORD", "do-not-show")
    told = desk.ok("settings")
    assert "do-not-show" not in told
    assert "spf_mechanism = include:spf.troth.example" in told
    assert desk.ok("version").startswith("troth ")
    assert "up to date" in desk.ok("migrate")


def test_errors_are_one_sentence_and_a_status(desk, monkeypatch):
    assert "There is no client 'none'" in desk.refused("pause", "start", "--tenant", "none", "--reason", "x")
    with pytest.raises(SystemExit) as usage:
        main(["no-such-command"])
    assert usage.value.code == 2
    monkeypatch.setenv("TROTH_NO_SUCH", "1")
    assert "TROTH_NO_SUCH is not a setting" in desk.refused("settings")
    monkeypatch.delenv("TROTH_NO_SUCH")
    monkeypatch.setenv("TROTH_DATABASE_URL", "postgresql://postgres@127.0.0.1:1/none")
    status, _, err = desk.run("tenant", "list")
    assert status == 75
    assert err.startswith("troth: ")
    assert "Traceback" not in err


@pytest.mark.parametrize(("process", "needs"), [("worker", "relay_host"), ("duties", "spf_mechanism")])
def test_a_process_names_the_setting_that_it_misses(desk, process, needs, monkeypatch):
    monkeypatch.delenv("TROTH_SPF_MECHANISM")
    assert f"{needs} (TROTH_{needs.upper()}) is needed" in desk.refused("serve", process)


def test_a_clients_own_people_approve_their_templates_and_nothing_of_the_operators(desk):
    for name, role in (("author", "author"), ("approver", "approver")):
        made = desk.json("person", "add", f"{name} <{name}@quill.example>", "--role", role, "--tenant", "quill",
                         "--out", f"{name}.credential", *desk.as_owner(1))  # fmt: skip
        desk.approve(made)
        (desk.folder / f"{name}-words").write_text(made["passphrase"])
        (desk.folder / f"{name}-words").chmod(0o600)
    author = ("--credential", "author.credential", "--passphrase-file", "author-words")
    approver = ("--credential", "approver.credential", "--passphrase-file", "approver-words")
    made = desk.json("change", "propose", "template", "--tenant", "quill", "--code", "own", "--artefact",
                     desk.file("artefact.json", TEMPLATE), "--reason", "ours", *author)  # fmt: skip
    words = ("change", "approve", made["change"], "--digest", made["digest"])
    assert "no such change for you to approve" in desk.refused(*words, *author)
    assert "Approved" in desk.ok(*words, *approver)
    policy = desk.propose("policy", "quill", "tenant", {"limits": {"tenant_hour": 900}})
    words = ("change", "approve", policy["change"], "--digest", policy["digest"])
    assert "no such change for you to approve" in desk.refused(*words, *approver)
    desk.approve(policy)
    assert "may not propose" in desk.refused(
        "change", "propose", "policy", "--tenant", "quill", "--code", "tenant", "--artefact",
        desk.file("artefact.json", {"limits": {"tenant_hour": 800}}), "--reason", "x", *author,
    )  # fmt: skip
    assert "The roles here are admin" in desk.refused(
        "person", "add", "x <x@quill.example>", "--role", "owner", "--tenant", "quill", "--out", "x", *desk.as_owner(1)
    )
