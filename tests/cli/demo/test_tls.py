"""The demo's certificate: made once, its key private, made anew when it serves no more."""

import stat
from datetime import UTC, datetime, timedelta

import pytest

from troth.cli.demo.tls import make_local_certificate


def test_a_certificate_is_made_once_and_its_key_is_private(tmp_path):
    made = make_local_certificate(tmp_path / "tls", ["localhost", "127.0.0.1", "::1"])
    before = [path.read_bytes() for path in made]
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert make_local_certificate(tmp_path / "tls", ["localhost", "127.0.0.1", "::1"]) == made
    assert [path.read_bytes() for path in made] == before
    assert b"PRIVATE" not in made.ca.read_bytes() + made.certificate.read_bytes()


@pytest.mark.parametrize("spoil", ["names", "age", "key", "ca", "certificate"])
def test_a_certificate_that_serves_no_more_is_made_anew(tmp_path, spoil):
    names, now = ["localhost"], datetime.now(UTC)
    made = make_local_certificate(tmp_path, names, now=now)
    before = made.certificate.read_bytes()
    if spoil == "names":
        names = ["localhost", "mx.test"]
    elif spoil == "age":
        now += timedelta(days=392)
    elif spoil == "key":
        made.key.unlink()
    else:
        other = make_local_certificate(tmp_path / "other", names)
        getattr(made, spoil).write_bytes(getattr(other, spoil).read_bytes())
    again = make_local_certificate(tmp_path, names, now=now)
    assert again.certificate.read_bytes() != before
