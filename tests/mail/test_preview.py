"""A mail's preview: what it says inline outranks its sheets as before, and nothing in it can leave the frame or run."""

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.preview import shown


def sheet(document):
    return re.match(r"<!DOCTYPE html><style>(.*?)</style>", document, re.DOTALL)[1]


def test_inline_styles_become_rules_that_outrank_the_mails_own_sheets():
    document, policy = shown('<style>p{color:red}</style><p style="color:blue">Rent &amp; more &#8212; <b>now</b></p>')
    assert sheet(document) == '@layer mail{p{color:red}}[data-troth-style="0"]{color:blue}'
    assert '<p data-troth-style="0">Rent &amp; more &#8212; <b>now</b></p>' in document
    digest = base64.b64encode(hashlib.sha256(sheet(document).encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "sandbox" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "bad",
    [
        "<script>alert(1)</script>",
        '<p onclick="alert(1)">x</p>',
        '<iframe src="https://evil.example"></iframe>',
        '<form action="https://evil.example"><input></form>',
        '<base href="https://evil.example/">',
        '<link rel="stylesheet" href="https://evil.example/x.css">',
        '<object data="x"></object>',
        "<!--[if mso]><p>x</p><![endif]-->",
    ],
)
def test_what_could_do_something_is_left_out(bad):
    document, _ = shown(f"<p>before</p>{bad}<p>after</p>")
    assert "evil" not in document
    assert "alert" not in document
    assert "<p>before</p>" in document
    assert "<p>after</p>" in document


@pytest.mark.parametrize("value", ["}</style><script>x</script>", "color:red}p{color:blue", "</style >", "a:b</STYLE>"])
def test_no_style_leaves_its_sheet(value):
    from html import escape

    document, _ = shown(f'<p style="{escape(value)}">x</p><style>q{{}} {value.replace("</style", "")}</style>')
    assert document.lower().count("</style") == 1
    assert "<script" not in document.split("</style>", 1)[1]


@given(st.text(alphabet='<>/"=p styleonclk&;#{}a-', max_size=80))
def test_any_text_gives_a_document_with_one_sheet(text):
    document, _ = shown(text)
    assert len(re.findall(r"</style", document, re.IGNORECASE)) == 1
    assert not re.search(r"<[a-z][^<>]*\son\w+=", document)


def test_dark_is_the_mails_own_rules_or_else_all_colours_turned():
    own, _ = shown("<style>@media (prefers-color-scheme: dark){p{color:white}}</style><p>x</p>", dark=True)
    assert "@media (min-width:0){p{color:white}}" in own
    assert "color-scheme:dark" in own
    assert "invert" not in own
    turned, policy = shown("<p>x</p>", dark=True)
    assert "html{background:#fff;filter:invert(1)" in turned
    assert "unsafe" not in policy
    assert "invert" not in shown("<p>x</p>")[0]
