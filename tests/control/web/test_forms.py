"""Parts of forms and changes: what was typed stays, faults lead to their fields, and two texts are told apart."""

import html
import re

import pytest
from django.template import Context, Engine
from hypothesis import given
from hypothesis import strategies as st

from troth.control.web import differences, edits
from troth.control.web.differences import difference

_TAGS = "troth.control.web.templatetags"
_ENGINE = Engine(app_dirs=False, dirs=["src/troth/control/web/templates"], builtins=[f"{_TAGS}.look", f"{_TAGS}.form"])
_LINES = st.lists(st.sampled_from(["a", "b", "c d e", "c x e", "", "<b>"]), max_size=12)


def rendered(source, **context):
    return _ENGINE.from_string(source).render(Context(context, use_l10n=False))


def attribute(markup, tag, name):
    found = re.search(rf"<{tag}\b[^>]*?\s{name}=\"([^\"]*)\"", markup)
    return html.unescape(found[1]) if found else None


@pytest.mark.parametrize("kind", ["text", "email", "number", "date", "search"])
def test_what_was_typed_stays_and_its_fault_is_told_beside_it(kind):
    typed, faults = {"code": '"><script>'}, {"code": "It holds a sign that a code may not have."}
    found = rendered(
        '{% field "code" label="Code" hint="Small letters." kind=kind %}', typed=typed, faults=faults, kind=kind
    )
    assert attribute(found, "input", "value") == '"><script>'
    assert attribute(found, "input", "aria-invalid") == "true"
    for identity in attribute(found, "input", "aria-describedby").split():
        assert f'id="{identity}"' in found
    assert attribute(found, "label", "for") == attribute(found, "input", "id")
    assert "<script>" not in found


def test_a_password_is_never_sent_back():
    assert "secret" not in rendered('{% field "p" kind="password" %}', typed={"p": "secret"})


def test_a_text_of_several_lines_keeps_its_first_empty_one():
    found = rendered('{% field "why" kind="textarea" rows=3 most=500 %}', typed={"why": "\n</textarea>x"})
    assert "&lt;/textarea&gt;" in found
    assert re.search(r"<textarea[^>]*>\n\n&lt;", found)
    assert attribute(found, "textarea", "maxlength") == "500"


@pytest.mark.parametrize(("kind", "mark"), [("select", "selected"), ("radio", "checked"), ("checks", "checked")])
def test_choices_keep_what_was_chosen(kind, mark):
    choices = [("a", "A", "the first"), ("b", "B")]
    value = ["b"] if kind == "checks" else "b"
    found = rendered(
        '{% field "which" kind=kind choices=choices %}', kind=kind, choices=choices, typed={"which": value}
    )
    assert len(re.findall(rf'value="b"[^>]* {mark}', found)) == 1
    assert not re.search(rf'value="a"[^>]* {mark}', found)


def test_a_box_is_ticked_as_it_was():
    assert "checked" in rendered('{% field "sure" kind="checkbox" %}', typed={"sure": "on"})
    assert "checked" not in rendered('{% field "sure" kind="checkbox" required=True %}', typed={})


def test_every_line_of_the_summary_leads_to_a_field():
    source = '{% errors code="Code" %}{% field "code" %}{% field "why" kind="radio" choices=choices %}'
    faults = {"code": "Type a code.", "why": "Choose one.", "": "Somebody else was faster."}
    found = rendered(source, faults=faults, choices=[("a", "A")])
    for target in re.findall(r'href="#([^"]+)"', found):
        assert f'id="{target}"' in found
    assert "Three things" in found
    assert "Code: Type a code." in found
    assert "<a" not in rendered("{% errors %}", faults={"": "Somebody else was faster."})
    assert rendered("{% errors %}", faults={}).strip() == ""


def test_an_act_asks_first_and_names_its_button():
    source = '{% ask label="Reject" action="/changes/1/reject" kind="stop" key="R" title="Reject it?" %}<p>Words</p>{% endask %}'
    found = rendered(source, csrf_token="token", title="The page’s own")
    assert '<details class="ask" data-key="r">' in found
    assert 'action="/changes/1/reject"' in found
    assert 'value="token"' in found
    assert "<p>Words</p>" in found
    assert "own" not in found


@given(_LINES, _LINES)
def test_a_difference_gives_both_texts_back(old, new):
    found = difference("\n".join(old), "\n".join(new), around=99)
    assert found.same == ("\n".join(old) == "\n".join(new))
    if found.lines:
        assert [line.text for line in found.lines if line.sign in " -"] == "\n".join(old).splitlines()
        assert [line.text for line in found.lines if line.sign in " +"] == "\n".join(new).splitlines()
        assert [line.old for line in found.lines if line.old] == list(range(1, len("\n".join(old).splitlines()) + 1))
    left = [a.text for a, _ in found.pairs if a and a.sign != "…"]
    assert left == [line.text for line in found.lines if line.sign in " -"]


@given(st.lists(st.sampled_from("abc"), max_size=14), st.lists(st.sampled_from("abc"), max_size=14), st.integers(0, 30))
def test_an_edit_covers_both_sides(old, new, most):
    found = edits.runs(old, new, most)
    assert [x for run in found for x in old[run.i1 : run.i2]] == old
    assert [y for run in found for y in new[run.j1 : run.j2]] == new
    assert all(old[run.i1 : run.i2] == new[run.j1 : run.j2] for run in found if run.same)


def test_same_lines_far_from_a_change_are_counted():
    old = [str(n) for n in range(100)]
    found = difference("\n".join(old), "\n".join([*old[:50], "new", *old[51:]]))
    assert [line.sign for line in found.lines] == ["…", " ", " ", " ", "-", "+", " ", " ", " ", "…"]
    assert (found.lines[0].skipped, found.lines[-1].skipped) == (47, 46)
    assert found.lines[-1].old == 55


def test_what_is_long_is_cut_and_said():
    text = "\n".join("x" for _ in range(differences._MOST + 5))
    assert difference(text, text + "y").cut
    assert "further down" in rendered("{% diff a b %}", a=text, b=text + "y")
    assert "longer than what is compared" in rendered("{% diff a b %}", a=f"1\n{text}", b=f"2\n{text}y")


def test_line_ends_alone_are_not_called_the_same():
    assert "ends of lines" in rendered("{% diff a b %}", a="a\r\nb", b="a\nb")
    assert "last byte" in rendered("{% diff a b %}", a="a", b="a")


def test_a_difference_is_told_without_colour():
    for side in (False, True):
        found = rendered('{% diff a b caption="Source" side=side %}', a="the <quick> fox", b="the slow fox", side=side)
        assert "<del>&lt;" in found
        assert "<ins>slow</ins>" in found
        assert "removed: " in found
        assert "added: " in found


def test_a_policy_reads_as_before_and_after():
    rows = [("Pause at", "200 %", "150 %", "of the 7-day average"), ("Retries", "3", "3"), ("Cap", "", "9")]
    found = rendered('{% include "web/form/before_after.html" %}', rows=rows)
    assert "<del>200 %</del>" in found
    assert "<ins>150 %</ins>" in found
    assert "the same" in found
    assert "nothing" in found
