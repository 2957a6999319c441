"""security.txt as RFC 9116 reads it, signed and unsigned, at any moment."""

import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.control.abuse.security_txt import About, document
from troth.outside.openpgp import CannotSign, sign

ONCE = {"expires", "preferred-languages"}
KNOWN = ONCE | {"contact", "encryption", "acknowledgments", "canonical", "policy"}
NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


def problems(text, now):
    """What a reader of RFC 9116 section 2 and 4 would say against it."""
    found, fields = [], []
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        match = re.fullmatch(r"([A-Za-z-]+): (\S.*)", line)
        found += [] if match else [f"no field: {line}"]
        fields += [(match[1].lower(), match[2])] if match else []
    names = [name for name, _ in fields]
    found += [f"unknown {name}" for name in names if name not in KNOWN]
    found += [f"{name} twice" for name in ONCE if names.count(name) > 1]
    found += [f"{name} missing" for name in ("contact", "expires") if name not in names]
    given = dict(fields)
    if "expires" in given:
        ends = datetime.strptime(given["expires"], "%Y-%m-%dT%H:%M:%S%z")
        found += [] if now < ends < now + timedelta(days=365) else ["expires is past or too far"]
    uris = [value for name, value in fields if name not in ONCE]
    found += [f"no URI: {value}" for value in uris if not re.match(r"(https://|mailto:)", value)]
    return found


@given(st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)), st.booleans())
def test_it_is_valid_and_never_past(now, more):
    about = About("https://lettings.example", "security@lettings.example", ("en", "cy"),
                  "https://lettings.example/key.asc", "https://lettings.example/policy") if more else About("https://a.example")  # fmt: skip
    assert problems(document(about, now), now) == []


def test_it_says_where_it_belongs_and_where_thanks_stand():
    text = document(About("https://lettings.example", "security@lettings.example"), NOW)
    assert "Canonical: https://lettings.example/.well-known/security.txt\n" in text
    assert "Acknowledgments: https://lettings.example/security#thanks\n" in text
    assert text.index("mailto:") < text.index("Contact: https:")
    assert document(About("https://a.example"), NOW) == document(About("https://a.example"), NOW + timedelta(hours=2))


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    home = tmp_path_factory.mktemp("gpg")
    home.chmod(0o700)
    ask = ("gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--passphrase", "")
    try:
        subprocess.run(
            (*ask, "--quick-gen-key", "Troth <security@a.example>", "ed25519", "sign", "1y"),
            check=True,
            capture_output=True,
        )
        secret = subprocess.run((*ask, "--armor", "--export-secret-keys"), check=True, capture_output=True).stdout
        path = home / "secret.asc"
        path.write_bytes(secret)
        yield path, home
    finally:
        subprocess.run(("gpgconf", "--homedir", str(home), "--kill", "gpg-agent"), check=False)


def test_it_is_signed_in_the_clear_and_another_program_run_verifies_it(key):
    path, home = key
    text = document(About("https://a.example"), NOW)
    signed = sign(text, path)
    assert signed.startswith("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n")
    verify = ("gpg", "--homedir", str(home), "--decrypt")
    done = subprocess.run(verify, input=signed, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, text)
    assert subprocess.run(
        verify, input=signed.replace("a.example", "b.example"), capture_output=True, text=True, check=False
    ).returncode


def test_a_key_that_does_not_serve_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    wrong = tmp_path / "key.asc"
    wrong.write_text("no key")
    with pytest.raises(CannotSign, match="security_key_file"):
        sign("x", wrong)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotSign, match="not installed"):
        sign("x", wrong)
