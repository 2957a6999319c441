"""The demo's authenticator: what it shows is RFC 6238's, and everybody of the cast is told of."""

import base64
import json

import pytest

from troth.cli.demo import signing_in
from troth.cli.demo.signing_in import Guest

_SECRET = base64.b32encode(b"12345678901234567890").decode()  # RFC 6238 appendix B


@pytest.mark.parametrize(("at", "digits"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_a_code_is_that_of_the_standards_table(monkeypatch, at, digits):
    monkeypatch.setattr(signing_in.time, "time", lambda: at)
    assert signing_in.code(_SECRET) == digits


def test_what_is_kept_can_be_told_again(tmp_path):
    file = tmp_path / "pages.json"
    guests = [
        Guest("1", "Ann", "ann@firm.test", "A firm", "admin", "words", secret=_SECRET),
        Guest("2", "Bo", "bo@operator.test", "operator", "owner", "more words", secret=_SECRET),
    ]
    signing_in.keep(file, guests)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one["name"] for one in json.loads(file.read_text())] == ["Bo", "Ann"]
    shown = list(signing_in.codes(file))
    assert [row[:5] for row in shown] == [
        ("operator", "owner", "Bo", "bo@operator.test", "more words"),
        ("A firm", "admin", "Ann", "ann@firm.test", "words"),
    ]
    assert all(len(row[5]) == 6 for row in shown)
