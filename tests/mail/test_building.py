"""A template as it is written becomes what is sent: every value, loop and condition of it survives, whatever parsers do;
what cannot survive is refused with its line and the way out.
"""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from troth.mail.building import GMAIL_SHOWS, BuildError, Layout, Source, build, clipped, matches
from troth.mail.comparing import difference
from troth.mail.mjml import compile_mjml
from troth.mail.plain import plain_text
from troth.mail.render import Compiled, RenderLimits, TemplateSource
from troth.mail.template_scan import TemplateFault

SHEET = "<style>p{color:red} .a{top:1px} tr.odd td{left:2px} li{margin:0} @media print{p{color:blue}}</style>"


def mjml(inside, head=""):
    return f"<mjml><mj-head>{head}</mj-head><mj-body><mj-section><mj-column>{inside}</mj-column></mj-section></mj-body></mjml>"


def rendered(source, variables):
    built = build(source)
    return Compiled(TemplateSource("s", built.html, built.text)).render(variables, RenderLimits())


def hint_of(source):
    with pytest.raises(BuildError) as caught:
        build(source)
    (problem,) = caught.value.problems
    return problem.field, problem.hint


# ---- what is made


def test_html_without_a_sheet_stays_byte_for_byte():
    body = "<table>{% for a in b %}<tr><td CLASS='{{ a }}'>{{ a }}{% endfor %}</table>\r\n&copy; {# said #}x"
    assert build(Source("html", body)).html == body.replace("{# said #}", "")


def test_a_sheet_goes_into_the_elements_it_chooses_and_media_stay():
    html = build(Source("html", f'{SHEET}<p style="top:0">x</p>')).html
    assert re.search(r'<p style="color: red;\s*top:\s*0;?">', html)
    assert "@media print" in html
    assert "tr.odd" in html  # chosen by nobody here, perhaps by what an if makes elsewhere


def test_mjml_becomes_html_that_fetches_no_font():
    html = build(Source("mjml", mjml("<mj-text>Hi {{ name }}</mj-text>"))).html
    assert "fonts.googleapis" not in html
    assert "Hi {{ name }}" in html
    assert html.lower().startswith("<!doctype html>")


def test_only_mjmls_inline_sheets_go_into_elements():
    head = '<mj-style inline="inline">.hot{color:red}</mj-style><mj-style>.hot{top:9px}</mj-style>'
    html = build(Source("mjml", mjml('<mj-text css-class="hot">x</mj-text>', head))).html
    assert re.search(r'class="hot"[^>]*color: red', html)
    assert ".hot{top:9px}" in html
    assert "color:red" not in html


def test_the_preview_line_is_first_in_the_body_hidden_and_not_in_the_text():
    for source in (
        Source("mjml", mjml("<mj-text>Body</mj-text>"), "Pay {{ sum }} & go"),
        Source("html", "<html><head><title>t</title></head><body class=x>Body</body></html>", "Pay {{ sum }} & go"),
        Source("html", SHEET + "Body", "Pay {{ sum }} & go"),
    ):
        built = build(source)
        assert re.search(r'<body[^>]*><div style="display:none[^>]*>Pay \{\{ sum \}\} &amp; go', built.html)
        assert built.text == "Body\n"
    assert build(Source("html", "Body", "Pay")).html.startswith('<div style="display:none')
    assert "<head></head><div" in build(Source("html", "<head></head>Body", "Pay")).html


def test_a_preview_lines_own_fault_is_named():
    assert hint_of(Source("html", "x", "{{ a"))[0] == "preheader"


def test_what_parsers_decode_never_becomes_a_tag():
    source = Source("html", SHEET + '<p title="&#123;{ a }}">&#123;{ a }} &#123;% if %} &#123;{{ a }}</p>')
    assert rendered(source, {"a": "A"}).text == "{{ a }} {% if %} {A\n"
    assert 'title="&#123;{ a }}"' in build(source).html


def test_text_that_was_written_is_kept_and_text_alone_is_a_kind():
    assert build(Source("html", "<p>x</p>", text="Mine {{ a }}")).text == "Mine {{ a }}"
    assert build(Source("text", "Only {{ a }}")) == build(Source("text", "Only {{ a }}"))
    assert build(Source("text", "Only {{ a }}")).html is None


def test_a_layout_goes_round_and_belongs_to_what_is_made():
    layout = Layout(
        "<mjml>\n<mj-body>\n{{ content }}\n<mj-section><mj-column><mj-text>Foot</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    body = "<mj-section>\n<mj-column><mj-text>Mine</mj-text></mj-column></mj-section>"
    assert build(Source("mjml", body, layout=layout)).text == "Mine\n\nFoot\n"
    other = Layout(layout.body.replace("Foot", "Other"))
    assert build(Source("mjml", body, layout=layout)) != build(Source("mjml", body, layout=other))
    assert hint_of(Source("mjml", body.replace("mj-text", "mj-txt"), layout=layout)) == (
        "source",
        "Line 2: MJML has no element <mj-txt>; <mj-text> is one.",
    )
    assert hint_of(Source("mjml", body, layout=Layout(layout.body + "\nfoot"))) == (
        "layout",
        "Line 5 of the layout: Text may not stand in outside of <mjml>: put it into <mj-text>.",
    )
    assert hint_of(Source("mjml", body, layout=Layout(layout.body.replace("<mjml>", "<mjml>x"))))[0] == "layout"
    assert hint_of(Source("mjml", mjml("<mj-text>x</mj-text>"), layout=layout))[0] == "source"
    assert hint_of(Source("mjml", body, layout=Layout("<mjml></mjml>")))[0] == "layout"
    assert hint_of(Source("mjml", "x" * 200_001))[1] == "This is longer than 200000 characters."


def test_the_same_source_makes_the_same_bytes_and_nothing_else_matches():
    source = Source("mjml", mjml("<mj-text>{{ a }}</mj-text>"), "p")
    built = build(source)
    assert matches(source, built.html, built.text)
    assert not matches(source, built.html + " ", built.text)
    assert not matches(source, built.html, "other")


def test_gmail_clips_behind_102_kilobytes():
    assert clipped("x" * GMAIL_SHOWS) == (GMAIL_SHOWS, False)
    assert clipped("é" * (GMAIL_SHOWS // 2 + 1)) == (GMAIL_SHOWS + 2, True)


# ---- what is refused


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<mjml><mj-body><mj-sectoin/></mj-body></mjml>", "no element <mj-sectoin>; <mj-section> is one"),
        ("<mjml><mj-body><mj-xyzzy/></mj-body></mjml>", "no element <mj-xyzzy>."),
        ("<mjml>\n<mj-body><mj-include path='/etc/passwd'/></mj-body></mjml>", "Line 2: <mj-include> is not allowed"),
        (mjml("<mj-text>a < b</mj-text>"), "Write &lt;"),
        (mjml("<mj-text><p>a</mj-text>"), "<p> of line 1 is still open"),
        (mjml("<mj-text><img src=x></mj-text>"), "Put quotes round the attributes of <img>"),
        (mjml("<div>a</div>"), "<div> may not stand in <mj-column>"),
        (mjml("{{ a }}"), "Text may not stand in <mj-column>"),
        (mjml("<mj-section></mj-section>"), "it belongs in <mj-body> or <mj-wrapper>"),
        (mjml("<mj-text><mj-text>x</mj-text></mj-text>"), "<mj-text> may not stand in <mj-text>"),
        (mjml("<mj-social><mj-social-element name='x'>X</mj-social-element></mj-social>"), "its picture with src"),
        (mjml("<mj-text>x</mj-text>", "<mj-style>p{top:{{ a }}}</mj-style>"), "the same for every reader"),
        (mjml('<mj-text {% if a %}color="red"{% endif %}>x</mj-text>'), "put the if inside an attribute's quotes"),
        (mjml('<mj-text nothing="{{ a }}">x</mj-text>'), "{{ a }} with it"),
        (mjml('<mj-text mj-class="{{ a }}">x</mj-text>'), "mj-class chooses rules"),
        (mjml("{% if a %}<mj-text>x</mj-text></mj-column>{% endif %}<mj-column>"), "whole elements"),
        ("<mjml><mj-head></mj-head><mj-head></mj-head><mj-body></mj-body></mjml>", "only one <mj-head>"),
        ("<mj-text>x</mj-text>", "stands outside of <mjml>"),
        ("<p>x</p>", "may not stand in the beginning"),
        ("<mjml></mjml>", "one <mj-body>"),
        ("<mjml><mj-body>", "<mj-body> is not closed"),
        ("</mjml>", "</mjml> closes nothing here"),
        (mjml("<!DOCTYPE html>"), "may not stand inside of MJML"),
        (mjml("<mj-text><!-- x</mj-text>"), "is not closed with -->"),
        (mjml("<mj-text>" + "<b>" * 60 + "</b>" * 60 + "</mj-text>"), "60 deep"),
        (mjml("<mj-raw></x {{ a }}></mj-raw>"), "may not stand here"),
    ],
)
def test_mjml_that_would_be_passed_over_is_refused_by_name(body, words):
    field, hint = hint_of(Source("mjml", body))
    assert field == "source"
    assert words in hint


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("\n<table>\n{% for a in b %}<tr><td>x</td></tr>{% endfor %}</table>", "Line 3: Put <tbody>"),
        ("<table><tbody>{% for a in b %}<td>x</td>{% endfor %}</tbody></table>", "whole elements"),
        ('<p class="{{ a }}">x</p>', "class chooses rules"),
        ('<p {% if a %}class="b"{% endif %}>x</p>', "inside the quotes of style"),
        ("<p {{ a }}>x</p>", "Put quotes round"),
        ("<p {% if a %}title='x'>x</p>{% endif %}", "whole attributes"),
        ("{% if a %}<div>{% endif %}x</div>", "whole elements"),
        ("<style>p{top:{{ a }}}</style>", "the same for every reader"),
        ("<script>{% if a %}{% endif %}</script>", "the same for every reader"),
        ('<link rel="stylesheet" href="https://x.example/a.css">', "fetch no style sheet"),
        ("<p{{ a }}>x</p>", "name in one piece"),
        ("<p", "<p is not closed with >"),
        ("<!DOCTYPE html", "is not closed with >"),
        ("<title>x", "is not closed with </title>"),
        ("<b>" * 121, "120 deep"),
    ],
)
def test_html_that_would_not_survive_is_refused_with_its_line(body, words):
    field, hint = hint_of(Source("html", SHEET + body))
    assert field == "source"
    assert words in hint


def test_a_line_counts_tags_over_several_lines_and_comments_that_are_left_out():
    body = SHEET + "{#\n\n#}\n<p>{{\n a\n }}</p>\n<i {{ a }}>"
    assert hint_of(Source("html", body))[1].startswith("Line 7: ")
    assert hint_of(Source("html", SHEET + "{{\n\na }}<p>\n</p><p"))[1].startswith("Line 4: ")


def test_what_is_fine_stays_fine():
    attributes = "<mj-attributes><mj-all color='red'/><mj-class name='big' font-size='20px'/><mj-text padding='0'/></mj-attributes>"
    html = build(Source("mjml", mjml('<mj-text mj-class="big">{{ a }}</mj-text>', attributes))).html
    assert "font-size:20px" in html
    nested = "<table><tbody><tr><td><table><tbody>{% for a in b %}<tr><td>{{ a }}</td></tr>{% endfor %}</tbody></table></td></tr></tbody></table>"
    assert "{% for a in b %}<tr>" in build(Source("html", SHEET + nested)).html
    whole = f"<html><head>{SHEET}</head><body><div><p>x</div></b></body></html>"
    assert '<p style="color: red;">x</p>' in build(Source("html", whole)).html


def test_what_mrml_itself_refuses_is_a_fault():
    with pytest.raises(TemplateFault, match="This is not MJML"):
        compile_mjml("<mjml><mj-body>")


# ---- whatever is nested, it survives

VALUES = {"a": True, "b": False, "s": "x & <y>", "n": 3, "u": "https://x.example/?a=1&b=2", "l": [1, 2], "e": []}
WORDS = st.sampled_from(["Rent", "is due &amp; more", "{{ s }}", "{{ n }} of 5", "Grüße", "&copy; 1 &lt; 2"])
LISTS = st.sampled_from(["l", "e"])
TESTS = st.sampled_from(["a", "b", "n == 3", "not a"])


def _short(strategy):
    """What generates, without its long name."""
    return st.deferred(lambda: strategy)


def either(inside):
    return st.one_of(
        inside,
        st.builds("{{% if {} %}}{}{{% endif %}}".format, TESTS, inside),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, TESTS, inside, inside),
        st.builds("{{% for i in {} %}}{}{{% endfor %}}".format, LISTS, inside),
    )


ATTRIBUTES = st.sampled_from(
    [
        "",
        ' class="a"',
        ' style="top:{{ n }}px"',
        " style='font-family:\"x\";{% if a %}color:red{% endif %}'",
        ' title="{% if b %}one{% else %}{{ s }}{% endif %}"',
        ' {% if a %}align="left"{% else %}align="right"{% endif %}',
        ' {% if b %}dir="rtl"{% endif %} lang="de"',
    ]
)
INLINE = _short(
    st.one_of(
        either(WORDS),
        st.builds("<b{}>{}</b>".format, ATTRIBUTES, WORDS),
        st.builds('<a href="{}">{}</a>'.format, st.sampled_from(["{{ u }}", "https://x.example/{{ n }}"]), WORDS),
        st.just("one<br>two"),
    )
)
ROW = _short(st.builds("<tr{}><td>{}</td><td{}>{}</td></tr>".format, ATTRIBUTES, either(INLINE), ATTRIBUTES, INLINE))
BLOCK = _short(
    st.recursive(
        st.one_of(
            st.builds("<p{}>{} {}</p>".format, ATTRIBUTES, INLINE, INLINE),
            st.builds("<ul>{}</ul>".format, either(st.builds("<li>{}</li>".format, either(INLINE)))),
            st.builds("<table><tbody>{}{}</tbody></table>".format, either(ROW), either(ROW)),
            st.builds("<!-- said {} -->".format, st.sampled_from(["x", "{{ n }}"])),
        ),
        lambda inner: st.one_of(either(inner), st.builds("<div{}>{}\n{}</div>".format, ATTRIBUTES, inner, inner)),
        max_leaves=5,
    )
)


def filled(text):
    """As a person would fill it in by hand; what values hold is text."""
    out = Compiled(TemplateSource("s", text, None)).render(VALUES, RenderLimits(fuel=10**6)).html
    return re.sub(r"\{(?=[{%#])", "&#123;", out)


def lines(text):
    return [line.split() for line in text.splitlines() if line.strip()]


def survives(kind, body):
    after = rendered(Source(kind, body, "line {{ n }}"), VALUES)
    before = build(Source(kind, filled(body), "line 3"))
    assert difference(before.html, after.html) is None
    assert lines(after.text) == lines(plain_text(before.html))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(either(BLOCK), either(BLOCK))
def test_what_html_says_survives_its_styles(one, other):
    survives("html", f"{SHEET}{one}{other}")


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(BLOCK, either(st.builds("<mj-text>{}</mj-text>".format, BLOCK)), either(ROW), INLINE)
def test_what_mjml_says_survives_compiling(block, part, row, label):
    head = '<mj-style inline="inline">p{color:red} td{top:1px} .a{left:0}</mj-style>'
    inside = (
        f"<mj-text>{block}</mj-text>{part}<mj-table><tbody>{row}</tbody></mj-table>"
        f'<mj-button href="{{{{ u }}}}">{re.sub("<[^>]*>", "", label)}</mj-button>'
    )
    survives("mjml", mjml(inside, head))
    survives("mjml", mjml(inside))
