"""An operator's first day by the command line alone: two owners, a programme, its policy, a client and a category."""

import json
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from troth.cli import main
from troth.rules.profile import load_profile

OWNERS = ("--owner", "Ann Owner <ann@operator.example>", "--owner", "Bob Owner <bob@operator.example>")
PASSPHRASES = ("--passphrase-file", "passphrase-1", "--passphrase-file", "passphrase-2")
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
