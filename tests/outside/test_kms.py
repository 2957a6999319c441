"""The local KMS: seals in a context, opens only there, and refuses a key file that others could have read."""

import base64
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.outside.kms import BadKeyFile, KmsError, LocalKms, Refused, Unavailable, _read

CONTEXT = {"purpose": "test", "tenant": "t1"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "master.key"


@pytest.fixture
def kms(path):
    return LocalKms.create(path)


def test_what_is_sealed_opens_after_a_restart(kms, path):
    sealed = kms.encrypt(b"secret", CONTEXT)
    assert b"secret" not in sealed
    assert LocalKms(path).decrypt(sealed, dict(reversed(CONTEXT.items()))) == b"secret"
    assert kms.encrypt(b"secret", CONTEXT) != sealed


@pytest.mark.parametrize("other", [{}, {"purpose": "test"}, CONTEXT | {"tenant": "t2"}, CONTEXT | {"more": ""}])
def test_another_context_is_refused(kms, other):
    with pytest.raises(Refused, match="context"):
        kms.decrypt(kms.encrypt(b"secret", CONTEXT), other)


def test_every_changed_octet_is_refused(kms):
    sealed = kms.encrypt(b"secret", CONTEXT)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(Refused):
            kms.decrypt(bytes(changed), CONTEXT)


@given(st.binary(max_size=80))
def test_any_other_bytes_are_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("k") / "key"
    with pytest.raises(Refused):
        LocalKms.create(path).decrypt(data, CONTEXT)


def test_another_files_ciphertext_is_refused_and_says_which_key_is_missing(kms, tmp_path):
    other = LocalKms.create(tmp_path / "other")
    with pytest.raises(Refused, match=other.key_id.removeprefix("local:")):
        kms.decrypt(other.encrypt(b"x", CONTEXT), CONTEXT)


def test_an_older_key_in_the_file_still_opens(kms, path, tmp_path):
    sealed = kms.encrypt(b"old", CONTEXT)
    LocalKms.create(tmp_path / "next")
    newer, older = (json.loads(file.read_text()) for file in (tmp_path / "next", path))
    path.write_text(json.dumps({"version": 1, "keys": newer["keys"] + older["keys"]}))
    both = LocalKms(path)
    assert both.key_id != kms.key_id
    assert both.decrypt(sealed, CONTEXT) == b"old"
    assert both.decrypt(both.encrypt(b"new", CONTEXT), CONTEXT) == b"new"


def test_the_file_is_made_once_private_and_never_replaced(path):
    before = os.umask(0)
    try:
        LocalKms.create(path)
    finally:
        os.umask(before)
    content = path.read_bytes()
    assert path.stat().st_mode & 0o7777 == 0o600
    with pytest.raises(BadKeyFile, match="exists already"):
        LocalKms.create(path)
    assert path.read_bytes() == content


def test_a_missing_file_is_never_made_silently(path):
    with pytest.raises(BadKeyFile, match="missing: restore it from your backup"):
        LocalKms(path)
    assert not path.exists()


def test_creating_in_a_missing_folder_says_so(tmp_path):
    with pytest.raises(BadKeyFile, match="make its folder"):
        LocalKms.create(tmp_path / "none" / "key")


def test_a_disk_that_fails_leaves_no_half_key(path, monkeypatch):
    def fail(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)  # a full disk cannot be made here
    with pytest.raises(BadKeyFile, match="No space left"):
        LocalKms.create(path)
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_file_open_to_others_is_refused_with_the_fix(kms, path, mode):
    path.chmod(mode)
    with pytest.raises(BadKeyFile, match=f"chmod 600 {path}"):
        LocalKms(path)


def test_a_file_of_another_owner_is_refused_with_the_fix(kms, path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4242)  # an ordinary user cannot give files away
    with pytest.raises(BadKeyFile, match="chown 4242"):
        LocalKms(path)


def test_a_folder_or_a_pipe_is_refused_without_hanging(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for place in (tmp_path, pipe):
        with pytest.raises(BadKeyFile, match="not a regular file"):
            LocalKms(place)


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(BadKeyFile, match="cannot read"):
        LocalKms(tmp_path / "loop")


def _damage(text):
    good = json.loads(text)
    key = good["keys"][0]
    short = base64.b64encode(b"x" * 31).decode()
    yield from ("", "{}", text[: len(text) // 2], "[]", "null", '{"version":1,"keys":[]}')
    yield json.dumps(good | {"version": 2})
    yield json.dumps(good | {"more": 1})
    yield json.dumps(good | {"keys": [key, key]})
    for change in ({"id": "zz"}, {"id": "00"}, {"key": short}, {"key": "%%%"}, {"created": "yesterday"}):
        yield json.dumps(good | {"keys": [key | change]})


def test_a_damaged_file_is_refused_and_not_quoted(kms, path):
    text = path.read_text()
    secret = json.loads(text)["keys"][0]["key"]
    for damaged in _damage(text):
        path.write_text(damaged)
        with pytest.raises(BadKeyFile, match="restore it from your backup") as caught:
            LocalKms(path)
        assert secret not in str(caught.value)
    path.write_bytes(b"\xff\xfe" + os.urandom(99))
    with pytest.raises(BadKeyFile):
        LocalKms(path)


def test_nothing_prints_the_key(kms, path):
    secret = json.loads(path.read_text())["keys"][0]["key"]
    assert secret not in repr(kms)
    assert secret not in repr(_read(path))  # as a traceback's locals would show it
    assert not hasattr(kms, "__dict__")


def test_only_an_answer_that_did_not_come_is_temporary():
    assert Unavailable.temporary
    assert not any(kind.temporary for kind in (KmsError, Refused, BadKeyFile))


def test_two_processes_creating_at_once_make_one_key(path):
    code = f"from pathlib import Path; from troth.outside.kms import LocalKms; print(LocalKms.create(Path({str(path)!r})).key_id)"
    runs = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)
    ]
    outcomes = [(run.communicate()[0], run.returncode) for run in runs]
    made = [out for out, code in outcomes if code == 0]
    assert len(made) == 1
    assert made[0].decode().strip() == LocalKms(path).key_id
