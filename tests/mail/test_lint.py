"""The linter: templates as firms write them pass; bombs and escapes are refused in words, before anything runs."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.mail import render
from troth.mail.lint import _Walk, lint
from troth.mail.render import RenderError, RenderLimits, TemplateSource
from troth.mail.samples import largest, smallest

SSTI = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "attack-strings" / "ssti.fuzz"
SCHEMA = {
    "name": {"type": "string", "max_length": 80},
    "note": {"type": "string", "max_length": 2000, "required": False},
    "total": {"type": "number"},
    "count": {"type": "integer"},
    "due": {"type": "date"},
    "at": {"type": "datetime"},
    "paid": {"type": "boolean"},
    "link": {"type": "url"},
    "home": {"type": "object", "properties": {"street": {"type": "string"}, "flat": {"type": "integer"}}},
    "lines": {"type": "list", "max_items": 50, "items": {"type": "object", "properties": {
        "what": {"type": "string", "max_length": 100}, "price": {"type": "number"},
        "parts": {"type": "list", "max_items": 20, "items": {"type": "string", "max_length": 50}}}}},
    "tags": {"type": "list", "items": {"type": "string", "max_length": 30}},
}  # fmt: skip
BIG = {
    "big": {"type": "string", "max_length": 20_000},
    "many": {"type": "list", "max_items": 500, "items": {"type": "string", "max_length": 20_000}},
    "groups": {"type": "list", "max_items": 500, "items": {"type": "object", "properties": {"rows": {"type": "list", "max_items": 500, "items": {"type": "string", "max_length": 5}}}}},
}  # fmt: skip

GOOD = [
    "",
    "no tags } %} #} { {",
    "{{ name }}",
    "{{- name -}} {{+ name +}}",
    "{{name|upper|trim}}",
    "{# a comment with {{ _bad }} and {% set %} #}{#- x -#}",
    "{% if paid %}a{% elif count > 3 and not paid %}b{% else %}c{% endif %}",
    "{%- if count == 1 or name != 'x' -%} a {%- endif -%}",
    "{% if note is defined and note %}{{ note|nl2br }}{% endif %}",
    "{{ note|default('none') }} {{ note|d('', true) }}",
    "{{ total|round(2) }} {{ total|decimal }} {{ total|decimal(0) }} {{ total|abs|int }} {{ count|float }}",
    "{{ count + 1 }} {{ count * 2 - 1 }} {{ total / 2 }} {{ count // 2 }} {{ count % 2 }} {{ -count }} {{ -(count + 1) }}",
    "{{ due|date }} {{ at|date }} {{ due }}",
    "{{ home.street }} {{ home['street'] }} {{ home.flat + 1 }}",
    "<a href=\"{{ link }}\" title='{{ name }}'>{{ name }}</a>",
    "{% for line in lines %}{{ loop.index }}/{{ loop.length }} {{ line.what }} {{ line.price|decimal(2) }}{% else %}none{% endfor %}",
    "{% for line in lines %}<tr class=\"{{ loop.cycle('odd', 'even') }}\">{% for part in line.parts %}{{ part }}{% if not loop.last %}, {% endif %}{% endfor %}</tr>{% endfor %}",
    "{% for line in lines|sort(attribute='price', reverse=true) if line.price > 0 %}{{ line.what }}{% endfor %}",
    "{% for tag in tags|unique|sort|reverse %}{{ tag }}{% endfor %} {{ tags|join(', ') }} {{ tags|first }} {{ tags|last }} {{ tags[0] }}",
    "{{ lines|sum(attribute='price') }} {{ lines|map(attribute='what')|join('; ') }} {{ lines|length }} {{ lines|count }}",
    "{{ lines|map(attribute='price')|max }} {{ lines|map(attribute='price')|min|round }}",
    "{% for n in range(5) %}{{ n }}{% endfor %}{% for n in range(1, 10, 2) %}{{ n }}{% endfor %}{% for n in range(3, -3, -1) %}{% endfor %}",
    "{% for n in ['a', 'b', 1] %}{{ n }}{% endfor %}",
    "{% if name in ['a', 'b'] %}{% endif %}{% if 'x' not in tags %}{% endif %}",
    "{{ 'one' if count == 1 else 'many' }} {{ ('a' if paid else 'b')|upper }} {{ name or 'friend' }} {{ count if paid else total }}",
    "{{ name if paid }}",
    "{% if count is odd %}{% endif %}{% if count is divisibleby(3) %}{% endif %}{% if note is not defined %}{% endif %}{% if none is none %}{% endif %}",
    "{{ name|e }} {{ name|escape }} {{ name|urlencode }} {{ name|title }} {{ name|capitalize }} {{ name|lower }} {{ count|string }}",
    "{% for line in lines %}{% for other in lines %}{{ other.what }}{% endfor %}{% endfor %}",
    "<!-- {{ name }} --> <style>a{color:red}</style> <script>var x = 1;</script> <p>a < b</p> {{ name }}",
    "\n\n{{ name\n}}\n{% if\npaid %}{% endif %}",
    "{% if paid and (count > 1 or (total < 3 and not (name == 'x'))) %}{% endif %}",
    "{{ true }} {{ False }} {{ 1.5 }} {{ 'it' }}",
    "{{ count|default(0) + 1 }}",
]


def outcome(compiled, variables):
    try:
        compiled.render(variables, RenderLimits())
    except RenderError as error:
        return error.kind
    return "rendered"


@pytest.mark.parametrize("source", GOOD)
def test_good_templates_pass_and_render(source):
    assert lint("Hello {{ name }}", source, source, SCHEMA) == []
    compiled = render.compile(TemplateSource("Hello {{ name }}x", source, source))
    compiled.render(largest(SCHEMA), RenderLimits(max_output_bytes=4 * 1024 * 1024))
    assert outcome(compiled, smallest(SCHEMA)) in ("rendered", "undefined")  # the first of an empty list


BAD = {
    # doubling and repeating
    "{{ name ~ name }}": "not_allowed",
    "{{ name + name }}": "type",
    "{{ 'a' + 'a' }}": "type",
    "{{ 'a' * 1000000000 }}": "type",
    "{{ name * 1000 }}": "type",
    "{{ 1000 * name }}": "type",
    "{{ [1] * 1000000000 }}": "type",
    "{{ tags + tags }}": "type",
    "{{ tags * 9 }}": "type",
    "{{ 9 ** 9 ** 9 }}": "syntax",
    "{{ -name }}": "type",
    "{{ 'x' % 3 }}": "type",
    "{{ note|default(1) + 1 }}": "type",
    "{{ (1 if paid else 'a') * 9 }}": "type",
    "{% set x = 'a' %}": "not_allowed",
    "{% set x %}a{% endset %}": "not_allowed",
    "{%- set x = 'a' -%}": "not_allowed",
    "{%+ set x = 'a' %}": "not_allowed",
    "{%set x = [1]%}": "not_allowed",
    "{% with x = name %}{{ x }}{% endwith %}": "not_allowed",
    "{% filter upper %}{{ name }}{% endfilter %}": "not_allowed",
    "{% do name.append(1) %}": "not_allowed",
    "{{ name|replace('a', 'aa')|replace('a', 'aa') }}": "not_allowed",
    "{{ name|replace('', name) }}": "not_allowed",
    "{{ name|center(1000000000) }}": "not_allowed",
    "{{ name|indent(1000000000) }}": "not_allowed",
    "{{ tags|batch(1000000000, 'x') }}": "not_allowed",
    "{{ tags|slice(1000000000) }}": "not_allowed",
    "{{ '%1000000000d'|format(1) }}": "not_allowed",
    "{{ name|wordwrap(1) }}": "not_allowed",
    "{{ name|list }}": "not_allowed",
    "{{ name|tojson }}": "not_allowed",
    "{{ name|pprint }}": "not_allowed",
    "{{ name|safe }}": "not_allowed",
    "{{ name|attr('x') }}": "not_allowed",
    "{{ lines|map('upper') }}": "not_allowed",
    "{{ lines|selectattr('what') }}": "not_allowed",
    "{{ lines|groupby('what') }}": "not_allowed",
    "{{ tags|join(name) }}": "not_allowed",
    "{{ tags|join('" + "x" * 50 + "') }}": "type",
    "{{ total|round(99) }}": "type",
    "{{ total|decimal(-9) }}": "type",
    "{{ total|round('a') }}": "type",
    "{% for i in range(1000000000) %}{% endfor %}": "too_large",
    "{% for i in range(0, 1000000000) %}{% endfor %}": "too_large",
    "{% for i in range(count) %}{% endfor %}": "not_allowed",
    "{% for i in range() %}{% endfor %}": "not_allowed",
    "{% for i in range(1.5) %}{% endfor %}": "not_allowed",
    "{% for i in range(1, 2, 0) %}{% endfor %}": "not_allowed",
    "{% for i in range(500) %}{% for j in range(500) %}{% endfor %}{% endfor %}": "too_large",
    "{% for a in tags %}{% for b in tags %}{% for c in tags %}{% endfor %}{% endfor %}{% endfor %}": "too_complex",
    "{% if paid %}" * 6 + "{% endif %}" * 6: "too_complex",
    "{% for a in tags %}" * 3000: "too_complex",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}": "too_complex",
    "{{ " + "(" * 13 + "1" + ")" * 13 + " }}": "too_complex",
    "{{ " + "-" * 100 + "1 }}": "too_complex",
    "{{ " + "not " * 100 + "1 }}": "too_complex",
    "{{ 1" + "|abs" * 100 + " }}": "too_complex",
    "{{ 1" + "|abs" * 7 + " }}": "too_complex",
    "{{ " + "1 if 1 else " * 30 + "1 }}": "too_complex",
    "{{ [" + "1," * 55 + "] }}": "too_complex",
    "{{ " + "1+" * 5000 + "1 }}": "too_complex",
    "{% for x in ['a','b'] recursive %}{{ loop(x) }}{% endfor %}": "syntax",
    # statements
    "{% macro m() %}{% endmacro %}": "not_allowed",
    "{% call m() %}{% endcall %}": "not_allowed",
    "{% include 'x' %}": "not_allowed",
    "{% import 'x' as y %}": "not_allowed",
    "{% from 'x' import y %}": "not_allowed",
    "{% extends 'x' %}": "not_allowed",
    "{% block x %}{% endblock %}": "not_allowed",
    "{% autoescape false %}{{ name }}{% endautoescape %}": "not_allowed",
    "{% raw %}{{ name }}{% endraw %}": "not_allowed",
    "{%-raw-%}{% endraw %}": "not_allowed",
    "{% raw %}{% endraw %}{{ name ~ name }}{% raw %}{% endraw %}": "not_allowed",
    "{% continue %}": "not_allowed",
    "{% %}": "not_allowed",
    "{% 1 %}": "not_allowed",
    "{% _x %}": "not_allowed",
    # functions, tests, attributes, names
    "{{ debug() }}": "unknown",
    "{{ namespace() }}": "unknown",
    "{{ dict() }}": "unknown",
    "{{ lipsum(9) }}": "unknown",
    "{{ cycler('a') }}": "unknown",
    "{{ joiner() }}": "unknown",
    "{{ super() }}": "unknown",
    "{{ self }}": "unknown",
    "{{ loop }}": "unknown",
    "{{ other }}": "unknown",
    "{{ _x }}": "not_allowed",
    "{{ name.__class__ }}": "not_allowed",
    "{{ home._x }}": "not_allowed",
    "{{ home['__class__'] }}": "not_allowed",
    "{{ home[name] }}": "not_allowed",
    "{{ home.garden }}": "unknown",
    "{{ home['garden'] }}": "unknown",
    "{{ name.upper }}": "unknown",
    "{{ name.upper() }}": "unknown",
    "{{ tags.append(1) }}": "unknown",
    "{{ name() }}": "not_allowed",
    "{{ name|upper() }}x{{ name|upper()() }}": "not_allowed",
    "{{ name is sameas(1) }}": "not_allowed",
    "{{ name is filter }}": "not_allowed",
    "{{ name[0] }}": "not_allowed",
    "{{ name[1:] }}": "not_allowed",
    "{{ tags[::2] }}": "not_allowed",
    "{{ tags['a'] }}": "not_allowed",
    "{{ {'a': 1} }}": "not_allowed",
    "{{ [[1]] }}": "not_allowed",
    "{{ [name] }}": "not_allowed",
    "{{ [1, 2] }}": "type",
    "{{ tags }}": "type",
    "{{ home }}": "type",
    "{{ lines[0] }}": "type",
    "{{ lines|join }}": "type",
    "{{ lines|sort }}": "type",
    "{{ lines|max }}": "type",
    "{{ lines|unique }}": "type",
    "{{ lines|sum }}": "type",
    "{{ lines|sum(attribute='what') }}": "type",
    "{{ lines|map }}": "type",
    "{{ lines|map(attribute='none') }}": "type",
    "{{ tags|map(attribute='x') }}": "type",
    "{{ name|round }}": "type",
    "{{ name|date }}": "type",
    "{{ name|upper(1) }}": "not_allowed",
    "{{ tags|sort(by='x') }}": "not_allowed",
    "{{ tags if paid else name }}": "type",
    "{{ (tags or home).x }}": "type",
    "{% for x in name %}{% endfor %}": "type",
    "{% for x in home %}{% endfor %}": "type",
    "{% for k, v in home %}{% endfor %}": "syntax",
    "{% for loop in tags %}{% endfor %}": "not_allowed",
    "{% for range in tags %}{% endfor %}": "not_allowed",
    "{% for true in tags %}{% endfor %}": "not_allowed",
    "{% for x in tags %}{{ loop.depth }}{% endfor %}": "not_allowed",
    "{% for x in tags %}{{ loop.previtem }}{% endfor %}": "not_allowed",
    "{% for x in tags %}{{ loop.cycle(name) }}{% endfor %}": "not_allowed",
    "{% for x in tags %}{{ loop() }}{% endfor %}": "not_allowed",
    "{% for x in tags %}{{ loop }}{% endfor %}": "type",
    "{% for x in tags %}{% endfor %}{{ x }}": "unknown",
    "{% for x in tags %}{% else %}{{ x }}{% endfor %}": "unknown",
    "{% for x in tags %}{% else %}{{ loop.index }}{% endfor %}": "unknown",
    # syntax, with its line
    "{{ name": "syntax",
    "{{ name %}": "syntax",
    "{% if paid }}": "syntax",
    "{% if paid %}": "syntax",
    "{# x": "syntax",
    "{{ 'x }}": "not_allowed",
    "{{ 'a\\'b' }}": "not_allowed",
    "{{ name name }}": "syntax",
    "{{ }}": "syntax",
    "{{ name | }}": "syntax",
    "{{ name. }}": "syntax",
    "{{ and }}": "syntax",
    "{{ 1 + }}x": "syntax",
    "{{ 1 not 2 }}": "syntax",
    "{{ - 'a' }}": "type",
    "{{ tags[-'a'] }}": "not_allowed",
    "{{ name|default }}": "syntax",
    "{{ 07a }}": "syntax",
    "{{ 1.2.3 }}": "syntax",
    "{{ 1234567890123456 }}": "syntax",
    "{{ 0x10 }}": "syntax",
    "{{ é }}": "not_allowed",
    "{{ a\x0b }}": "not_allowed",
    "{{ a\u00a0 }}": "not_allowed",
    "{{ a; b }}": "not_allowed",
    "{{ `a` }}": "not_allowed",
    "{% endif %}": "syntax",
    "{% for x in tags %}{% endif %}": "syntax",
    "{% else %}": "syntax",
    "{% if paid %}{% else %}{% else %}{% endif %}": "syntax",
    "{% if paid %}{% else %}{% elif paid %}{% endif %}": "syntax",
    "{% for x in tags %}{% elif paid %}{% endfor %}": "syntax",
    "{% for x tags %}{% endfor %}": "syntax",
    "{% for 1 in tags %}{% endfor %}": "syntax",
    "{% endif x %}": "syntax",
    "{% else x %}": "syntax",
    "\0": "control",
    "\ud800": "control",
    # places in the HTML
    "<a href={{ link }}>": "place",
    "<a {{ name }}>": "place",
    "<a href= {{ link }}>": "place",
    "<script>var x = '{{ name }}';</script>": "place",
    "<SCRIPT >{{ name }}": "place",
    "<p onclick=\"x('{{ name }}')\">": "place",
    "<p class='a' OnClick = '{{ name }}'>": "place",
    "<p {% if paid %}{{ name }}{% endif %}>": "place",
    7: "type",
}


@pytest.mark.parametrize(("source", "code"), BAD.items(), ids=lambda value: ascii(value)[:60])
def test_bad_templates_are_refused_in_words(source, code):
    problems = lint("x", source, None, SCHEMA)
    assert [(one.field, one.code) for one in problems] == [("html", code)]
    assert problems[0].hint.endswith(".")
    assert len(problems[0].hint) < 500


BOMBS = [
    "{% for a in many %}{{ big }}{% endfor %}",
    "{% for a in many %}{% for b in many %}{{ b }}{% endfor %}{% endfor %}",
    "{% for a in many %}{{ many|join }}{% endfor %}",
    "{% for a in many %}{% if many|join|upper == 'x' %}{% endif %}{% endfor %}",
    "{% for a in many %}{% if big|urlencode in big %}{% endif %}{% endfor %}",
    "{% for a in range(500) %}{{ big|e|e|e }}{% endfor %}",
    "{% for a in groups %}{% for b in a.rows %}{{ b }}{% endfor %}{% endfor %}",
    "{% for a in range(300) %}{% for b in range(300) %}" + "x" * 1000 + "{% endfor %}{% endfor %}",
    "{{ big|e|e|e|e|e|e }}" * 9,
    "{% for a in many %}{{ a if a else big }}{% endfor %}",
]


@pytest.mark.parametrize("source", BOMBS)
def test_what_grows_too_large_is_refused(source):
    assert [one.code for one in lint("x", None, source, BIG)] == ["too_large"]


@pytest.mark.parametrize("source", GOOD)
def test_the_sum_is_never_too_small(source):
    """The bound that lint computes holds for the largest variables: it is what stands between a worker and a bomb."""
    for part, is_html in (("html", True), ("text", False)):
        walk = _Walk(SCHEMA, is_html=is_html)
        walk.read(source)
        parts = {"html": None, "text": None, part: source}
        large = render.compile(TemplateSource("x", **parts)).render(
            largest(SCHEMA), RenderLimits(max_output_bytes=2**24)
        )
        assert len(getattr(large, part).encode()) <= walk._total


def test_lines_are_named():
    assert lint("x", "a\n\n{% if paid %}\n{{ other }}{% endif %}", None, SCHEMA)[0].hint.startswith("Line 4: ")
    assert lint("x", "{# a\nb #}{{ a\nname }}\n{{ _x }}", None, SCHEMA)[0].hint.startswith("Line 2: ")
    assert lint("x", "a\n{% for x in tags %}\n", None, SCHEMA)[0].hint.startswith("Line 2: ")


def test_parts_are_told_apart():
    problems = lint("{{ a }}", "{{ b }}", "{{ c }}", SCHEMA)
    assert [one.field for one in problems] == ["subject", "html", "text"]
    assert lint("x", None, None, SCHEMA)[0].code == "missing"
    assert lint("x", None, "<a {{ name }}>", SCHEMA) == []
    assert lint("a\nb", "x", None, SCHEMA)[0].code == "control"
    assert lint("a" * 1001, "x", None, SCHEMA)[0].code == "too_large"
    assert lint("a", "x" * 200_001, None, SCHEMA)[0].code == "too_large"
    assert lint("a", "x", None, {"x": {}})[0].field == "x"


def test_ssti_corpus_is_refused_or_inert():
    if not SSTI.exists():
        pytest.skip("the corpora are not here")
    for source in SSTI.read_text(encoding="utf-8", errors="replace").splitlines():
        if lint("x", None, source, SCHEMA):
            continue
        rendered = render.compile(TemplateSource("x", None, source)).render(largest(SCHEMA), RenderLimits())
        # What is left is text to our engine, or a sum of numbers.
        assert rendered.text == source or re.search(r"\{\{[ 0-9*]+\}\}", source), source


PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{#", "#}", "-", "+", " ", "\n", "if", "for", "in", "endif", "endfor", "else", "raw", "endraw", "set", "name", "tags",
     "lines", "x", "paid", "count", "|", "upper", "join", "(", ")", "[", "]", "'a'", '"', "'", "1", ".", ",", "~", "*", "=", "==", "not", "is", "defined",
     "text", "{", "}", "%", "<a href=", "loop", ".index", "\\", "{{ name }}", "{% if paid %}", "{% endif %}", "{% for x in tags %}", "{% endfor %}", "{{ x }}"]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_what_passes_is_what_the_engine_reads(source):
    """No template passes that the engine reads otherwise: it compiles, and renders within its sum."""
    if lint("x", source, source, SCHEMA):
        return
    compiled = render.compile(TemplateSource("x", source, source))
    assert outcome(compiled, largest(SCHEMA)) in ("rendered", "undefined", "other", "limit")


@settings(deadline=None)
@given(st.text("{}%#-+ \nabif'\"|~.x()", max_size=60))
def test_no_source_breaks_the_linter(source):
    if not lint("x", source, source, SCHEMA):
        render.compile(TemplateSource("x", source, source))
