"""One look at a proposed template finds every fault in the line it was written in, and shows it with its samples."""

import msgspec
import pytest

from troth.mail.building import Layout, Source
from troth.mail.comparing import difference
from troth.mail.trying import Seen, Try, attempt
from troth.mail.trying_child import answer

SCHEMA = {
    "name": {"type": "string", "max_length": 60},
    "note": {"type": "string", "required": False},
    "lines": {"type": "list", "items": {"type": "object", "properties": {"text": {"type": "string"}}}},
}
BODY = (
    "<style>p{color:red}</style><p>Hello {{ name }}</p><ul>{% for l in lines %}<li>{{ l.text }}</li>{% endfor %}</ul>"
)
SAMPLE = {"name": "Jo", "lines": [{"text": "one"}, {"text": "two"}]}


def problems(subject="For {{ name }}", source=None, schema=None, samples=(SAMPLE,), *, extremes=True):
    source = source or Source("html", BODY)
    return [
        (one.field, one.code, one.hint)
        for one in attempt(Try(subject, source, SCHEMA if schema is None else schema, list(samples), extremes)).problems
    ]


def test_a_sound_template_is_shown_with_each_sample():
    seen = attempt(
        Try("For {{ name }}", Source("html", BODY, "For {{ name }}"), SCHEMA, [SAMPLE, {**SAMPLE, "name": "Al"}])
    )
    assert seen.problems == []
    assert [one.subject for one in seen.rendered] == ["For Jo", "For Al"]
    assert seen.rendered[0].text == "Hello Jo\n\n- one\n- two\n\n"
    assert seen.built.html.count("color: red") == 1


def test_without_samples_one_is_made_from_the_schema():
    assert attempt(Try("x", Source("text", "{{ name }}"), SCHEMA)).rendered[0].text == "name"


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"schema": {"name": 3}}, "name", "type"),
        ({"subject": "{{ nmae }}"}, "subject", "it has name"),
        ({"source": Source("html", " ")}, "source", "Write what the mail says"),
        ({"source": Source("html", "\n\n{{ nmae }}")}, "source", "Line 3: The schema has no variable nmae"),
        ({"source": Source("text", "\n{{ nmae }}")}, "source", "Line 2: "),
        ({"source": Source("html", "x", text="\n{{ nmae }}")}, "text", "Line 2: "),
        ({"source": Source("html", "x", "{{ nmae }}")}, "preheader", "no variable nmae"),
        ({"source": Source("html", "\0")}, "source", "NUL"),
        ({"source": Source("html", "x", layout=Layout("none"))}, "layout", "{{ content }} once"),
        ({"source": Source("html", "x", layout=Layout("{{ nmae }}\n{{ content }}"))}, "layout", "Line 1 of the layout: "),
        ({"source": Source("html", "<style>b{}</style><p class='{{ name }}'>x")}, "source", "class chooses rules"),
        ({"samples": [{"name": 3}]}, "samples.0.name", "must be a string"),
        ({"samples": [{}]}, "samples.0.name", "required"),
        ({"source": Source("html", "{{ note }}")}, "samples.0", "is missing"),
        ({"source": Source("html", "{{ 1 / 0 }}"), "samples": [SAMPLE]}, "samples.0", "fails"),
        ({"source": Source("mjml", "<mjml><mj-body>" + "<mj-section></mj-section>" * 400 + "</mj-body></mjml>")}, "source", "finished html"),
        ({"source": Source("html", "<style>li:first-child{color:red}</style><ul>{% for l in lines %}<li>x</li>{% endfor %}</ul>")}, "source", "Rules or columns depend"),
        ({"source": Source("html", '<style>b{top:0}</style><b title="{{ name }}">{% if name %}</b><b>{% endif %}x</b>')}, "source", "whole elements"),
    ],
)  # fmt: skip
def test_a_fault_names_its_field_and_line(given, field, words):
    found = problems(**given)
    assert found[0][0] == field
    assert words in found[0][2]


def test_extremes_are_tried_before_a_proposal_and_not_while_somebody_types():
    body = Source("text", "{{ note }}")
    sample = {**SAMPLE, "note": "x"}
    assert problems(source=body, samples=[sample], extremes=False) == []
    assert [one[0] for one in problems(source=body, samples=[sample])] == ["smallest"]


def test_columns_that_depend_on_a_value_are_found():
    column = "<mj-column><mj-text>x</mj-text></mj-column>"
    body = f"<mjml><mj-body><mj-section>{column}{{% if name %}}{column}{{% endif %}}</mj-section></mj-body></mjml>"
    assert problems(source=Source("mjml", body), samples=[{**SAMPLE, "name": "x"}])[0][1] == "changes"


def test_what_only_some_values_break_is_told():
    body = '<style>b{top:0}</style><p>{% if name == "Jo" %}<i {% if name %}lang="x"{% endif %}>a</i>{% endif %}</p>'
    assert problems(source=Source("html", body)) == []


def test_the_child_answers_in_json():
    asked = Try("x", Source("text", "{{ name }}"), SCHEMA, [SAMPLE])
    assert msgspec.json.decode(answer(msgspec.json.encode(asked)), type=Seen) == attempt(asked)


def test_differences_are_said_by_the_words_before_them():
    assert difference("<p>a  b</p>", "<!-- x --><P>a b</P>") is None
    assert difference('<p style="A:1;a:2" class="x">', '<p class="x" style="A:1; a:2;">') is None
    assert difference('<p style="a:1!important;a:2">', '<p style="a:1 !important">') is None
    assert difference("<head><title>x</title></head><br><br/>x<i/>", "<head></head><br/><br>x<i></i>") is None
    assert difference("<p>a</p><b>c</b>", "<p>a</p><i>c</i>") == "a"
    assert difference("<p>a</p>", "<p>a</p><p hidden>") == "a"
    assert difference("a", "b") == ""
