"""What registration says of an address: what is taken, what is refused and why, and what was probably meant."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail import address_lists
from troth.mail.address import parse_address
from troth.mail.inspect import Wanted, inspect
from troth.mail.scripts import is_mixed, scripts
from troth.mail.suggesting import suggest

ATTACKS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "attack-strings"
ALL = Wanted(disposable=True, roles=True)
NONE = Wanted(disposable=False, roles=False)


def codes(text, wanted=NONE):
    return [reason.code for reason in inspect(text, wanted).reasons]


def test_a_plain_address_is_taken():
    found = inspect("Ann@Example.com", NONE)
    assert (found.smtp_valid, found.accepted, found.normalised, found.ascii) == (
        True,
        True,
        "Ann@example.com",
        "Ann@example.com",
    )
    assert found.sendable == parse_address("Ann@example.com")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('"a b"@x.example', ["quoted"]), ("a@[192.0.2.1]", ["literal"]), ('"a"@[IPv6:::1]', ["quoted", "literal"]),
        ("a@\u0430pple.example", ["mixed-script"]), ("a@xn--0.example", ["idna"]), ("j\u00f6rg@x.example", ["smtputf8"]),
        ("a@org", ["domain"]), ("a@1.2.3.4", ["domain"]), ("postmaster@x.example", ["role"]), ("info@x.example", ["role"]),
        ("Sales+eu@x.example", ["role"]), ("list-request@x.example", ["role"]), ("owner-list@x.example", ["role"]),
        ("noreply@mailinator.com", ["disposable", "role"]), ("ann@sub.yopmail.com", ["disposable"]), ("nobody", ["no-at"]),
    ],
)  # fmt: skip
def test_what_is_refused_and_why(text, why):
    found = inspect(text, NONE)
    assert [reason.code for reason in found.reasons] == why
    assert found.sendable is None
    assert all(reason.sentence.endswith(".") for reason in found.reasons)


def test_policy_decides_about_roles_and_disposable_domains():
    found = inspect("info@mailinator.com", ALL)
    assert (found.accepted, found.role, found.disposable) == (True, True, True)


def test_the_xn_form_of_a_mixed_name_is_flagged_and_taken():
    found = inspect("a@xn--pple-43d.example", NONE)
    assert (found.mixed_script, found.accepted) == (True, True)


@pytest.mark.parametrize(
    ("text", "mixed"),
    [("example", False), ("\u0430pple", True), ("пример", False), ("日本語テスト", False), ("abc日本", False), ("한국abc", False),
     ("한국ひら", True), ("αβγa", True), ("пример.example", False), ("a1-2", False), ("ábc", False), ("ｆullwidth", False)],
)  # fmt: skip
def test_mixed_scripts(text, mixed):
    assert is_mixed(text) is mixed
    assert isinstance(scripts(text), frozenset)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ann@gmial.com", "ann@gmail.com"), ("ann@gmail.con", "ann@gmail.com"), ("ann@hotmial.com", "ann@hotmail.com"),
        ("ann@yahoo.cou.k", "ann@yahoo.co.uk"), ("ann@outloook.com", "ann@outlook.com"), ("ann@iclould.com", "ann@icloud.com"),
        ("ann@gmail", "ann@gmail.com"), ("ann@yahoo", "ann@yahoo.com"), ("ann@sbcglobal.com", "ann@sbcglobal.net"),
        ("ann@gmail,com", "ann@gmail.com"), ("ann@gmail..com", "ann@gmail.com"), (" ann@gmail.com\t", "ann@gmail.com"),
        ("ann.@firm.example", "ann@firm.example"), ("ann(at)firm.example", "ann@firm.example"), ("ann@@firm.example", "ann@firm.example"),
        ("mailto:ann@firm.example", "ann@firm.example"), ("ann@firm.ogr", "ann@firm.org"), ("ann＠firm.example", "ann@firm.example"),
        ("ann@gmail.com", None), ("Ann@GMAIL.com", None), ("ann@firm.example", None), ("ann@mail.com", None), ("ann@hotmail.nl", None),
        ("ann@yahoo.co.jp", None), ("ann@web.de", None), ("ann@aool.com", None), ("ann@live.co", None), ("ann@hotmail.net", None),
        ("ann", None), ("@", None), ("", None), ("a@[1.2.3.4]", None), ("a@b@c@d", None), ("a\0b@gmial.com", "a\0b@gmail.com"),
        ("a" * 400 + "@gmial.com", None), ("a@b@gmail.com", None), ("ann@b\u00fccher.example", None),
    ],
)  # fmt: skip
def test_slips_of_the_hand(typed, meant):
    assert suggest(typed) == meant


@pytest.mark.parametrize(
    ("text", "wanted", "meant"),
    [
        ("ann@@x", ALL, None), ("ann@@gmail.com", NONE, "ann@gmail.com"), ("a\0b@gmial.com", ALL, None),
        ("info@gmial.com", NONE, None), ("info@gmial.com", ALL, "info@gmail.com"), ("\u00e4nn@gmial.com", ALL, None),
        ("ann@@mailinator.com", NONE, None), ("ann@@mailinator.com", ALL, "ann@mailinator.com"),
    ],
)  # fmt: skip
def test_what_would_itself_be_refused_is_not_proposed(text, wanted, meant):
    assert inspect(text, wanted).suggestion == meant


def test_quotes_that_change_nothing_are_proposed_away():
    assert inspect('"ann"@x.example', NONE).suggestion == "ann@x.example"
    assert inspect('"a b"@x.example', NONE).suggestion is None
    assert inspect('"\u00fc"@x.example', NONE).suggestion is None


def test_the_disposable_list_says_its_day():
    found = address_lists.disposable()
    assert len(found.names) > 5_000
    assert found.age(found.as_of) == 0
    assert found.age(date(2000, 1, 1)) == 0
    assert found.has("MAILINATOR.com")
    assert not any(found.has(name) for name in address_lists.providers())


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_any_text_is_judged_and_what_is_taken_can_be_sent_to(text):
    found = inspect(text, NONE)
    assert found.accepted == (found.sendable is not None)
    assert found.smtp_valid or not found.accepted
    assert found.suggestion != text
    assert found.suggestion is None or inspect(found.suggestion, NONE).accepted
    json.dumps(found.reasons and [reason.sentence for reason in found.reasons])


@given(st.from_regex(r"[a-z]{1,8}@[a-z]{1,12}\.(com|net|org|de)", fullmatch=True))
def test_a_suggestion_is_a_different_address_that_stays(text):
    meant = suggest(text)
    if meant is not None:
        assert meant != text
        assert inspect(meant, ALL).smtp_valid
        assert suggest(meant) is None


def test_attack_strings_are_refused_or_inert():
    if not ATTACKS.exists():
        pytest.skip("the corpora are not here")
    for path in ATTACKS.iterdir():
        for line in path.read_bytes().splitlines():
            text = line.decode("utf-8", "surrogateescape")
            for given_ in (text, f"{text}@x.example", f"a@{text}"):
                found = inspect(given_, NONE)
                if found.sendable is not None:
                    assert found.sendable.addr_spec.isascii()
                    assert found.sendable.addr_spec.isprintable()
                    assert not set(found.sendable.addr_spec) & set('\r\n "<>()[]:;,\\')
