"""Links to set a password, and the pages' own key, by the command line."""

import subprocess
from datetime import datetime, timedelta

import pytest
from tests.support.desk import CATEGORY

from troth.cli.demo.tls import make_local_certificate
from troth.cli.pages import _check_tls
from troth.cli.words import CommandError
from troth.settings import Settings


@pytest.mark.parametrize(("act", "minutes"), [("invite", 24 * 60), ("password-link", 30)])
def test_a_link_is_for_one_account_and_shown_once(desk, act, minutes):
    made = desk.json("person", act, "Bob@Operator.Example")
    left = datetime.fromisoformat(made["expires"]) - datetime.now().astimezone()
    assert timedelta(minutes=minutes - 1) < left <= timedelta(minutes=minutes)
    assert made["link"].startswith("http://localhost:8026/password/")
    again = desk.json("person", act, made["account"])
    assert again["account"] == made["account"]
    assert again["link"] != made["link"]
    said = desk.ok("person", act, made["account"])
    assert "shown this once: http://localhost:8026/password/" in said


def test_nobody_elses_link(desk):
    assert "no account with this address" in desk.refused("person", "invite", "nobody@operator.example")
    assert "neither an account's id nor an address" in desk.refused("person", "invite", "bob")
    assert "no such account" in desk.refused("person", "invite", "0190a0a0-0000-7000-8000-000000000000")


def test_the_pages_own_key_is_approved_like_any_and_shown_to_nobody(desk):
    missing = desk.refused("key", "system", "--tenant", "quill", *desk.as_owner(1))
    assert "security-notice" in missing
    desk.approve(desk.propose("category", "quill", "security-notice", CATEGORY | {"name": "Security", "policy": {}}))
    said = desk.ok("key", "system", "--tenant", "quill", *desk.as_owner(1))
    assert "troth_a_" not in said
    made = desk.json("key", "system", "--tenant", "quill", *desk.as_owner(1))
    shown = desk.ok("change", "show", made["change"])
    assert '"security-notice"' in shown
    desk.approve(made)


def test_a_clients_key_for_tests_may_send_in_all_its_categories(desk):
    made = desk.json("key", "system", "--tests", "--tenant", "quill", *desk.as_owner(1))
    assert '"categories":null' in desk.ok("change", "show", made["change"]).replace(" ", "")
    desk.approve(made)


def test_a_certificate_that_cannot_serve_is_said_at_the_start(tmp_path):
    good = make_local_certificate(tmp_path / "a", ["localhost"])
    other = make_local_certificate(tmp_path / "b", ["localhost"])
    _check_tls(Settings(tls_cert_file=good.certificate, tls_key_file=good.key))
    _check_tls(Settings())
    with pytest.raises(CommandError, match="cannot be used together"):
        _check_tls(Settings(tls_cert_file=other.certificate, tls_key_file=good.key))
    with pytest.raises(CommandError, match="cannot be read"):
        _check_tls(Settings(tls_cert_file=good.certificate, tls_key_file=tmp_path / "none"))
    good.key.chmod(0o644)
    with pytest.raises(CommandError, match="can be read by others"):
        _check_tls(Settings(tls_cert_file=good.certificate, tls_key_file=good.key))
    old = subprocess.run(["openssl", "ec", "-in", other.key], capture_output=True, check=True).stdout
    (tmp_path / "old.key").write_bytes(old)
    (tmp_path / "old.key").chmod(0o600)
    with pytest.raises(CommandError, match="is not PKCS #8"):
        _check_tls(Settings(tls_cert_file=other.certificate, tls_key_file=tmp_path / "old.key"))
