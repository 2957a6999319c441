"""A value can become no markup, however a template is cut into tags, branches and comments."""

import pytest

from troth.mail.lint import lint

SCHEMA = {
    "name": {"type": "string"},
    "link": {"type": "url"},
    "count": {"type": "integer"},
    "paid": {"type": "boolean"},
    "tags": {"type": "list", "items": {"type": "string"}},
}

REFUSED = [
    # a value makes the tag
    "Ann <{{ name }}>", "</{{ name }}>", "<!{{ name }}>", "<!-{{ name }}", "a <{# x #}{{ name }}>",
    # a tag made in pieces
    "<{# x #}script>{{ name }}</script>", "<scr{# x #}ipt>{{ name }}</script>", "<{% if paid %}{% endif %}a href={{ name }}>",
    "<scr{% if paid %}ipt{% endif %}>{{ name }}</script>",
    # comments that end at once, or elsewhere
    "<!--><script>{{ name }}</script>", "<!---><a href={{ name }}>", "<!-- -{# x #}-><a href={{ name }}>",
    "<!-- --!><script>{{ name }}</script>",
    # raw text
    "<style>a{color:{{ name }}}</style>", '<textarea><p title="</textarea><img src=x onerror={{ name }}>">',
    "<title><p title='</title><script>{{ name }}</script>", "<xmp>{{ name }}</xmp>", "<script></scriptx>{{ name }}",
    "<script></scr{# x #}iptx>{{ name }}",
    # branches that disagree
    '<a title={% if paid %}"{% endif %}{{ name }}{% if paid %}"{% endif %}>',
    '<a {% if paid %}onclick={% else %}title={% endif %}"{{ name }}">',
    '<a {% if paid %}onclick{% else %}title{% endif %}="{{ name }}">',
    '<a {% if paid %}title{% else %}onclick{% endif %}="{{ name }}">',
    '<a {% if paid %}on{% else %}{% endif %}click="{{ name }}">',
    '<a on{% if paid %}click{% endif %}="{{ name }}">',
    '<a {% if paid %}onclick{% endif %}="{{ name }}">',
    "{% if paid %}<!--{% endif %}<a href={{ name }}>", '{% for tag in tags %}<a href="{% endfor %}{{ name }}',
    "{% if paid %}<script>{% else %}{{ name }}{% endif %}",
    # addresses
    '<a href="{{ name }}">', "<a HREF = ' {{ name }}'>", "<img src='{{ name }}'>", '<a href="java{{ name }}">',
    '<a href="{{ link|trim }}">', "<a href=\"{{ 'x' if paid else name }}\">",
    '<a href="{% if paid %}https://x.example/{% endif %}{{ name }}">',
    '<a href="{% if paid %}https://x.example/{% else %}{{ name }}{% endif %}">', '<iframe srcdoc="{{ name }}">',
    '<form action="{{ name }}">', '<a "{{ name }}">',
]  # fmt: skip
TAKEN = [
    '<a href="{{ link }}">', '<a href="{{ link }}?x={{ name|urlencode }}">', "<a href='https://x.example/{{ name }}'>",
    '<a href="mailto:{{ name }}">', '<a href="tel:{{ name }}">', '<a href="#{{ count }}">',
    '<a {% if paid %}title="{{ name }}"{% endif %} class="{{ name }}">', '<tr{% if paid %} class="x"{% endif %}>',
    '<input {% if paid %}checked{% endif %} title="{{ name }}">', "<!-- {{ name }} -->{{ name }}",
    "<!--[if mso]><td><![endif]-->{{ name }}", "<title>{{ name }}</title>", "a < {{ name }} &lt;{{ name }}&gt;",
    '{% if paid %}<a href="{{ link }}">{% endif %}{{ name }}{% if paid %}</a>{% endif %}',
    '<p style="color:{% if paid %}green{% else %}red{% endif %}">{{ name }}</p>', "<style>p{}</style >{{ name }}",
    '<p title="{% if paid %}{{ name }}{% else %}{{ count }}{% endif %}">', "{# <script> #}{{ name }}", "x <",
    '<a href="{% if paid %}{{ link }}{% else %}https://x.example/{{ count }}{% endif %}">',
]  # fmt: skip


@pytest.mark.parametrize("source", REFUSED, ids=ascii)
def test_no_value_becomes_markup(source):
    assert [one.code for one in lint("x", source, None, SCHEMA)] == ["place"]


@pytest.mark.parametrize("source", TAKEN, ids=ascii)
def test_what_firms_write_is_taken(source):
    assert lint("x", source, None, SCHEMA) == []
