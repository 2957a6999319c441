"""Plain text of HTML: what a reader sees, in lines; hidden parts are left out; a template's branches end their lines."""

import pytest

from troth.mail.building import Source, build
from troth.mail.plain import plain_text
from troth.mail.render import Compiled, RenderLimits, TemplateSource


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb\n"),
        ("a<br>b<br/><br>c", "a\nb\n\nc\n"),
        ("<div>a</div><div>b<div>c</div></div>d", "a\nb\nc\nd\n"),
        ("<ul><li>a</li><li>b</li></ul>c", "- a\n- b\nc\n"),
        ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example\n"),
        ('<a href="mailto:a@b.example">write</a>', "write <a@b.example>\n"),
        ('<a href="tel:+44">+44</a> <a href="#x">y</a> <a>z</a>', "+44 y z\n"),
        ('<a href="https://x.example/"><b>https://x.example/</b></a>', "https://x.example/\n"),
        ('a<div style="display: none">b<br><p>c</p></div>d', "ad\n"),
        ('a<span hidden>b</span><img alt="logo" style="mso-hide:all">c', "ac\n"),
        ("<title>t</title><style>x</style>a<template>b</template>", "a\n"),
        ("a</b></p>b", "a\n\nb\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"),
        ('a <img alt=""> b', "a b\n"),
        ("<svg/>a<p/>b", "a\n\nb\n"),
    ],
)
def test_html_reads_as_lines(html, text):
    assert plain_text(html) == text


def made(html, **values):
    built = build(Source("html", html))
    return Compiled(TemplateSource("s", None, built.text)).render(values, RenderLimits()).text


def test_a_loops_turns_are_lines_and_a_branch_that_is_not_made_leaves_none():
    html = "<p>Items:</p><ul>{% for i in l %}<li>{{ i }}</li>{% endfor %}</ul><p>Bye</p>"
    assert made(html, l=["a", "b"]) == "Items:\n\n- a\n- b\n\nBye\n"
    html = "<p>A</p>{% if x %}<p>B</p>{% endif %}<p>C</p>"
    assert made(html, x=True) == "A\n\nB\n\nC\n"
    assert made(html, x=False) == "A\n\nC\n"
    html = "<p>{% if x %}Dear{% else %}Hello{% endif %} {{ x }},<br>{% for i in l %}{{ i }}, {% endfor %}you</p>"
    assert made(html, x="Jo", l=["a"]) == "Dear Jo,\na, you\n"
    html = "{% for i in l %}<p>{% if i %}{{ i }}{% elif x %}y{% endif %}</p>{% else %}none{% endfor %}<p>end"
    assert made(html, x=1, l=["a", ""]).split() == ["a", "y", "end"]
    assert made(html, x=1, l=[]).split() == ["none", "end"]


def test_filters_for_html_are_left_out_and_braces_stay_braces():
    assert build(Source("html", "<p>{{ a|nl2br }}{{ a | e }}{{ a|default('|e') }}{{ a|escape|upper }}</p>")).text == (
        "{{ a }}{{ a  }}{{ a|default('|e') }}{{ a|upper }}\n"
    )
    assert made("<p>&#123;{ a }} &#123;{{ a }}</p>", a="A") == "{{ a }} {A\n"


def test_statements_in_what_nobody_sees_are_left_out():
    assert build(Source("html", "<div hidden>{% if a %}x{% endif %}</div><p>y</p>")).text == "y\n"


def test_a_link_that_says_its_variable_is_not_said_twice():
    assert (
        build(Source("html", '<a href="{{ u }}">{{ u }}</a> <a href="{{ u }}">go</a>')).text == "{{ u }} go <{{ u }}>\n"
    )
