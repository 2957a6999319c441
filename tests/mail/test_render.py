"""Rendering: escaped HTML, plain text, strict variables, and an engine that has nothing we did not list."""

import io
import threading

import minijinja
import pytest

from troth.mail import render
from troth.mail.lint import lint
from troth.mail.render import Compiled, Rendered, RenderError, RenderLimits, TemplateSource
from troth.mail.render_child import answer, main
from troth.mail.template_filters import DEFAULTS, FILTERS, OURS, TESTS

LIMITS = RenderLimits()


def rendered(source, variables, part="html", limits=LIMITS):
    parts = {"subject": "x", "html": None, "text": None, part: source}
    if part == "subject":
        parts["text"] = ""
    result = render.compile(TemplateSource(**parts)).render(variables, limits)
    return getattr(result, part)


def test_html_is_escaped_and_text_is_not():
    assert rendered("<b>{{ x }}</b>", {"x": "<i>&\"'/"}) == "<b>&lt;i&gt;&amp;&quot;&#x27;/</b>"
    assert rendered("{{ x }}", {"x": "<i>&\"'/"}, "text") == "<i>&\"'/"
    assert rendered("{{ x }}", {"x": "<i>"}, "subject") == "<i>"
    assert rendered("{{ x }}", {"x": "&#x2f;"}) == "&amp;#x2f;"
    assert rendered("{{ x|upper }} {{ x|e }}", {"x": "<"}) == "&lt; &lt;"


def test_parts_that_are_not_there_stay_so():
    source = TemplateSource("x", None, "a\n")
    assert Compiled(source).render({}, LIMITS) == Rendered("x", None, "a\n")


def test_our_own_filters():
    assert rendered("{{ x|date }}", {"x": "2026-01-05"}) == "5 January 2026"
    assert rendered("{{ x|date }}", {"x": "2026-12-31T23:00:00+00:00"}) == "31 December 2026"
    assert rendered("{{ x|decimal }} {{ x|decimal(0) }}", {"x": 1234.5}) == "1,234.50 1,234"
    assert rendered("{{ x|nl2br }}", {"x": "a<b\nc"}) == "a&lt;b<br>\nc"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("{{ y }}", "undefined"),
        ("{{ x.y }}", "undefined"),
        ("{% if y %}{% endif %}", "undefined"),
        ("{% for i in range(60000) %}{{ i }}{% endfor %}", "limit"),
        ("{{ x|date }}", "other"),
        ("{{ 1 / 0 }}", "other"),
    ],
)
def test_errors_are_told_apart(source, kind):
    with pytest.raises(RenderError) as caught:
        rendered(source, {"x": {"secret": "4711"}})
    assert caught.value.kind == kind
    assert "4711" not in caught.value.hint


@pytest.mark.parametrize("source", ["{{ x", "{% if x %}", "{% nothing %}"])
def test_syntax_errors_name_the_line(source):
    with pytest.raises(RenderError, match="line 2") as caught:
        render.compile(TemplateSource("x", "\n" + source, None))
    assert caught.value.kind == "syntax"


def test_output_is_capped():
    assert rendered("{{ x }}", {"x": "a" * 99}, limits=RenderLimits(max_output_bytes=100)) == "a" * 99
    with pytest.raises(RenderError) as caught:
        rendered("{{ x }}", {"x": "é" * 50}, limits=RenderLimits(max_output_bytes=100))
    assert caught.value.kind == "limit"


def test_fuel_is_the_callers():
    compiled = render.compile(TemplateSource("x", "{% for i in range(100) %}{{ i }}{% endfor %}", None))
    with pytest.raises(RenderError, match="steps"):
        compiled.render({}, RenderLimits(fuel=50))
    compiled.render({}, LIMITS)


@pytest.mark.parametrize("value", ["a\nb", "a\r\nBcc: x@evil", "a\0", "a\x85b", "a\u2028b"])
def test_a_subject_is_one_line(value):
    with pytest.raises(RenderError, match="subject"):
        rendered("{{ x }}", {"x": value}, "subject")


def test_a_subject_is_not_empty():
    with pytest.raises(RenderError, match="empty"):
        rendered(" {{ x }}", {"x": ""}, "subject")


def test_the_engine_has_nothing_else():
    """What is not on our list is gone; a newer engine with more to offer fails here."""
    every = "abs attr batch bool capitalize center chain count d dateformat datetimeformat default dictsort e escape filesizeformat first float forceescape format groupby indent int items join last length lines list lower map max min nl2br pluralize pprint random reject rejectattr replace reverse round safe select selectattr slice sort split striptags string sum timeformat title tojson trim truncate unique upper urlencode urlize wordcount wordwrap xmlattr zip dump date decimal".split()
    environment = render._environment()
    known = set()
    for name in every:
        try:
            environment.eval_expr(f"1|{name}")
        except minijinja.TemplateError as error:
            if error.kind == "UnknownFilter":
                continue
        except TypeError:
            pass  # ours, of another kind of value
        known.add(name)
    assert known == FILTERS.keys() | DEFAULTS
    for name in "debug dict namespace cycler joiner lipsum now self super caller".split():
        with pytest.raises(minijinja.TemplateError):
            environment.eval_expr(f"{name}(1)")
    for name in ("sameas(1)", "filter", "test", "mapping", "string", "safe", "escaped", "startingwith('a')"):
        with pytest.raises(minijinja.TemplateError) as caught:
            environment.eval_expr(f"1 is {name}")
        assert caught.value.kind == "UnknownTest"
    assert OURS.keys() < FILTERS.keys()
    assert environment.eval_expr("1 == 1 and 1 < 2 and 2 in [2]") is True


@pytest.mark.parametrize("name", sorted([*FILTERS, *DEFAULTS]))
def test_every_listed_filter_exists(name):
    """A listed filter that the engine lacks would be refused only at run time."""
    schema = {
        "s": {"type": "string"},
        "n": {"type": "number"},
        "d": {"type": "date"},
        "l": {"type": "list", "items": {"type": "number"}},
        "o": {"type": "list", "items": {"type": "object", "properties": {"p": {"type": "number"}}}},
    }
    variables = {"s": "a", "n": 1.5, "d": "2026-01-01", "l": [2, 1], "o": [{"p": 1}]}
    tail = "(1)" if name in DEFAULTS else "(attribute='p')|join" if name == "map" else ""
    for variable in ("o", "s", "n", "d", "l"):
        source = f"{{{{ {variable}|{name}{tail} }}}}"
        if not lint("x", source, None, schema):
            assert rendered(source, variables)
            return
        listed = f"{{% for x in {variable}|{name} %}}{{{{ x }}}}{{% endfor %}}"
        if not lint("x", listed, None, schema):
            assert rendered(listed, variables)
            return
    pytest.fail(f"no template can use {name}")


@pytest.mark.parametrize("name", sorted(TESTS))
def test_every_listed_test_exists(name):
    assert rendered(f"{{{{ 2 is {name}{'(2)' if TESTS[name] else ''} }}}}", {}) in ("True", "False")


class PanicException(BaseException):
    """As pyo3's."""


@pytest.mark.parametrize(("raised", "seen"), [(PanicException, RenderError), (KeyboardInterrupt, KeyboardInterrupt)])
def test_a_panic_costs_one_message(raised, seen):
    class Engine:
        fuel = LIMITS.fuel

        def render_template(self, *_, **__):
            raise raised

    compiled = render.compile(TemplateSource("x", None, "y"))
    compiled._environment = Engine()
    with pytest.raises(seen):
        compiled.render({}, LIMITS)


def test_shared_between_threads():
    compiled = render.compile(TemplateSource("Hi {{ n }}", "<p>{{ n }}</p>" * 50, None))
    wrong = []

    def work(number):
        for _ in range(200):
            if compiled.render({"n": number}, LIMITS).subject != f"Hi {number}":
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_childs_answer():
    ok = answer(
        b'{"source":{"subject":"{{ x }}","html":null,"text":"t"},"variables":{"x":"a"},"limits":{"fuel":100,"max_output_bytes":100}}'
    )
    assert ok == b'{"rendered":{"subject":"a","html":null,"text":"t"},"error":null}'
    bad = answer(
        b'{"source":{"subject":"{{ y }}","html":null,"text":"t"},"variables":{"x":"a"},"limits":{"fuel":100,"max_output_bytes":100}}'
    )
    assert b'"kind":"undefined"' in bad


def test_the_childs_two_streams(monkeypatch):
    asked = (
        b'{"source":{"subject":"x","html":null,"text":"t"},"variables":{},"limits":{"fuel":100,"max_output_bytes":100}}'
    )
    stdout = io.BytesIO()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(asked)))
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(stdout))
    main()
    assert b'"subject":"x"' in stdout.getvalue()
