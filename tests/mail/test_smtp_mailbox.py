"""SMTP's grammar of addresses: it agrees with the corpus, and takes or refuses any text without falling over."""

import ast
import csv
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from troth.mail.smtp_mailbox import GrammarError, false_a_labels, read_mailbox

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "address"
FAULTS = {"utf8", "empty", "local", "no_at", "two_ats", "domain", "idna", "literal", "literal_tag", "too_long"}


def rows(name):
    path = CORPORA / name
    if not path.exists():
        pytest.skip("the corpora are not here")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def fault(text):
    try:
        read_mailbox(text)
    except GrammarError as error:
        return error.code if error.code in FAULTS and error.hint.endswith(".") else f"strange: {error.code}"
    return None


def test_it_agrees_with_the_whole_isemail_corpus():
    found = rows("isemail/tests.csv")
    assert len(found) > 70
    for row in found:
        text = ast.literal_eval(row["address_repr"])
        assert (fault(text) is None) is (row["syntax_ok_for_smtp"] == "yes"), row


def test_it_agrees_with_email_validators_verdicts():
    """What that library refuses by policy (special-use names) or reads as a mailbox with a name is not grammar."""
    for row in rows("email-validator/expected.csv"):
        if (
            row["verdict"] != "?"
            and row["test"] != "test_email_invalid_reserved_domain"
            and "<" not in row["input_repr"]
        ):
            assert (fault(ast.literal_eval(row["input_repr"])) is None) is (row["verdict"] == "valid"), row


LABEL = "a" * 63
WIDE = f"{LABEL}.{LABEL}.{LABEL}"


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.com", "a@org", "a@iana.123", "a@1.2.3.4", "!#$%&'*+/=?^_`{|}~-@x.example", '""@x.example',
        '"a b@c\\"\\\\"@x.example', "xn--a@x.example", "a@ab--cd.example", "a@xn--0.example",
        f"{'l' * 64}@x.example", f"a@{LABEL}.example", f"{'l' * 61}@{LABEL}.{LABEL}.{'a' * 62}.x",
        "a@[0.0.0.0]", "a@[255.255.255.255]", "a@[1.2.3.004]", "a@[IPv6:::]", "a@[ipv6:::1]", "a@[IPv6:1:2:3:4:5:6:7:8]",
        "a@[IPv6:1:2:3:4:5:6:7::]", "a@[IPv6:::2:3:4:5:6:7:8]", "a@[IPv6:1:2:3:4:5:6:1.2.3.4]", "a@[IPv6:::ffff:1.2.3.4]",
        "a@[IPv6:::1.2.3.4]", "jörg@example.com", "伊昭傑@郵件.商務", "a@BÜCHER.example", '"ü ß"@x.example',
        f"{'ü' * 32}@x.example",
    ],
)  # fmt: skip
def test_what_smtp_can_carry(text):
    assert fault(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"), ("ann", "no_at"), ("@x.example", "local"), ("a@", "domain"), ("a@b@c.example", "two_ats"),
        (".a@x.example", "local"), ("a.@x.example", "local"), ("a..b@x.example", "local"), ("a b@x.example", "local"),
        ("a\0b@x.example", "local"), ("(c)a@x.example", "local"), ("a@x.example(c)", "domain"), (" a@x.example", "local"),
        ("a@x.example ", "domain"), ("<a@x.example>", "local"), ("a@x..example", "domain"), ("a@.x", "domain"),
        ("a@x.example.", "domain"), ("a@-x.example", "domain"), ("a@x-.example", "domain"), ("a@x_y.example", "domain"),
        ('"a@x.example', "local"), ('"a"b@x.example', "local"), ('"a"."b"@x.example', "local"), ('a"b"@x.example', "local"),
        ('"a\nb"@x.example', "local"), ('"a\\\u00fc"@x.example', "local"), ('"\\\x7f"@x.example', "local"),
        (f"{'l' * 65}@x.example", "too_long"), (f"{'ü' * 33}@x.example", "too_long"), (f"a@{LABEL}a.example", "too_long"),
        (f"a@{WIDE}.{LABEL}", "too_long"), (f"a@{WIDE}.{LABEL}.b", "too_long"), (f"a@{WIDE}.{'ü' * 40}", "too_long"),
        ("a@[1.2.3.4", "literal"), ("a@[1.2.3]", "literal"), ("a@[1.2.3.256]", "literal"), ("a@[1.2.3.4.5]", "literal"),
        ("a@[]", "literal"), ("a@[IPv6:]", "literal"), ("a@[IPv6::]", "literal"), ("a@[IPv6:1:2:3:4:5:6:7]", "literal"),
        ("a@[IPv6:1:2:3:4:5:6:7:8:9]", "literal"), ("a@[IPv6:1:2:3:4:5:6:7:8::]", "literal"), ("a@[IPv6:1::2::3]", "literal"),
        ("a@[IPv6:1:::2]", "literal"), ("a@[IPv6::1]", "literal"), ("a@[IPv6:1::2:]", "literal"), ("a@[IPv6:g::]", "literal"),
        ("a@[IPv6:12345::]", "literal"), ("a@[IPv6:1.2.3.4::]", "literal"), ("a@[IPv6:1.2.3.4]", "literal"),
        ("a@[IPv6:fe80::1%eth0]", "literal"), ("a@[IPv6:::1.2.3]", "literal"), ("a@[tag:x]", "literal_tag"),
        ("a@[1111:2222:3333:4444:5555:6666:7777:8888]", "literal_tag"), ("a@[tag:a b]", "literal"),
        ("a@⒈x.example", "idna"), ("a@\u2024.example", "idna"), ("a@😀.example", "idna"),
        ("a\ud800@x.example", "utf8"), ("a@\udcff.example", "utf8"),
    ],
)  # fmt: skip
def test_what_smtp_cannot_carry(text, code):
    assert fault(text) == code


def test_a_literal_with_an_at_is_a_bad_literal():
    assert fault("a@[1.2@3.4]") == "literal"


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("utf-8", "surrogateescape")))
@example("\0@\0")
@example('"' * 300)
@example("a@[" * 90)
def test_any_text_is_judged(text):
    fault(text)


_ATOM = st.text(st.sampled_from("abcXYZ019!#$%&'*+/=?^_`{|}~-é伊λ"), min_size=1, max_size=8)
_LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


@given(st.lists(_ATOM, min_size=1, max_size=3), st.lists(_LABELS, min_size=1, max_size=4))
def test_what_the_grammar_makes_is_taken_and_kept(atoms, labels):
    local, domain = ".".join(atoms), ".".join(labels)
    found = read_mailbox(f"{local}@{domain.upper()}")
    assert (found.local, found.domain, found.quoted, found.literal) == (local, domain, False, False)


@given(st.lists(st.integers(0, 65_535), min_size=8, max_size=8), st.integers(0, 7), st.integers(1, 8))
def test_every_way_to_write_an_ipv6_address(groups, start, length):
    words = [f"{group:x}" for group in groups]
    assert fault(f"a@[IPv6:{':'.join(words)}]") is None
    shorter = f"{':'.join(words[:start])}::{':'.join(words[start + length :])}"
    assert fault(f"a@[IPv6:{shorter}]") is None
    assert fault(f"a@[IPv6:{':'.join(words)}:1]") == "literal"


def test_the_domain_in_u_labels():
    assert read_mailbox("a@xn--bcher-kva.example").unicode_domain == "bücher.example"
    assert read_mailbox("a@xn--0.example").unicode_domain == "xn--0.example"
    assert false_a_labels("xn--bcher-kva.example") is None
    assert false_a_labels("xn--0.example") is not None
    composed = unicodedata.normalize("NFC", "a@bu\u0308cher.example")
    assert read_mailbox("a@bu\u0308cher.example").domain == read_mailbox(composed).domain
