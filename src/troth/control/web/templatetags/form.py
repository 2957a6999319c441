"""The pages' shell in templates: fields that keep what was typed, what is wrong with them, and asking before an act.

Every template has these without loading them; docs/pages.md shows each. A page without a Django form hands over `typed`
and `faults`, both by the field's name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.contrib.messages import get_messages
from django.forms import BaseForm, BoundField
from django.utils.safestring import SafeString

from troth.control.web.differences import Difference, difference

register = template.Library()

_GROUPS = ("radio", "checks")
_ASK = ("label", "action", "title", "button", "key", "kind", "name", "value", "id", "open")
_TONES = {"success": "holds", "info": "pending", "warning": "held", "error": "fails", "debug": "none"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of what may be chosen. `hint`: what choosing it means."""

    value: str
    label: str
    hint: str
    chosen: bool
    id: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: `to` is the id of the field that a link leads to; empty when it is with the form as a whole."""

    to: str
    label: str
    sentence: str


@register.inclusion_tag("web/form/one_field.html", takes_context=True)
def field(context: template.Context, which: BoundField | str, **given: Any) -> dict[str, Any]:
    """A field with its label, hint and error. `which`: a form's field, or a name in `typed` and `faults`.

    Given: label, hint, kind (text, textarea, select, checkbox, radio, checks, or a type of HTML's input), choices
    ((value, label) or (value, label, hint)), value, error, unit, auto (autocomplete), rows, most (characters),
    required, optional (says so), disabled, plain or source (no spelling), id, placeholder.
    """
    if isinstance(which, BoundField):
        known = _of_form(which)
    else:
        known = _of_names(str(which), context.get("typed") or {}, context.get("faults") or {})
    wished = {name: value for name, value in given.items() if value not in ("", None) or name == "value"}
    found = {"kind": "text", "hint": "", **known, **wished}
    found["group"] = found["kind"] in _GROUPS
    found["options"] = _choices(found)
    ids = [f"{found['id']}-{end}" for end, part in (("e", "error"), ("h", "hint")) if found.get(part)]
    found["described"] = " ".join(ids)
    return found


def _of_form(bound: BoundField) -> dict[str, Any]:
    return {
        "id": bound.id_for_label or bound.auto_id or bound.html_name,
        "name": bound.html_name,
        "label": bound.label,
        "hint": bound.help_text,
        "value": bound.value(),
        "error": " ".join(str(each) for each in bound.errors),
        "required": bound.field.required,
        "choices": getattr(bound.field, "choices", ()),
        "most": getattr(bound.field, "max_length", None),
    }


def _of_names(name: str, typed: Mapping[str, Any], faults: Mapping[str, str]) -> dict[str, Any]:
    return {"id": f"f-{name}", "name": name, "label": name, "value": typed.get(name, ""), "error": faults.get(name, "")}


def _choices(found: Mapping[str, Any]) -> list[Choice]:
    value = found.get("value")
    chosen = {str(each) for each in value} if isinstance(value, list | tuple | set) else {str(value or "")}
    each_of = enumerate(found.get("choices") or ())
    return [_choice(f"{found['id']}-{n}", one, chosen) for n, one in each_of]


def _choice(identity: str, one: Sequence[Any], chosen: set[str]) -> Choice:
    value, label, *hint = one
    return Choice(str(value), str(label), str(hint[0]) if hint else "", str(value) in chosen, identity)


@register.inclusion_tag("web/form/errors.html", takes_context=True)
def errors(context: template.Context, form: BaseForm | None = None, heading: str = "", **labels: str) -> dict[str, Any]:
    """The summary on top: a line a fault that links to its field. `labels`: of fields that have no form, by name."""
    found = list(_of_bound(form)) if form is not None else list(_of_faults(context.get("faults") or {}, labels))
    return {"found": found, "heading": heading}


def _of_bound(form: BaseForm) -> Iterable[Fault]:
    for sentence in form.non_field_errors():
        yield Fault("", "", str(sentence))
    for bound in form:
        if bound.errors:
            yield Fault(bound.id_for_label or bound.html_name, str(bound.label), " ".join(map(str, bound.errors)))


def _of_faults(faults: Mapping[str, str], labels: Mapping[str, str]) -> Iterable[Fault]:
    order = {name: n for n, name in enumerate(labels)}  # as the fields stand
    for name, sentence in sorted(faults.items(), key=lambda each: order.get(each[0], -1)):
        yield Fault(f"f-{name}" if name else "", labels.get(name, ""), sentence)


@register.simple_block_tag(takes_context=True, end_name="endask")
def ask(context: template.Context, content: SafeString, **given: Any) -> SafeString:
    """An act that asks first: a button that opens a form with the consequence in words.

    Given: label, action (address), title, button; key (a letter), kind (first or stop), name and value of the button,
    id, open (after an error). Between the tags: words and fields.
    """
    with context.push(**{**dict.fromkeys(_ASK, ""), **given, "content": content}):
        # the template of a context that is being rendered is there
        return context.template.engine.get_template("web/form/ask.html").render(context)  # type: ignore[union-attr]


@register.inclusion_tag("web/form/said.html", takes_context=True)
def said(context: template.Context) -> dict[str, Any]:
    """What the page before this one did, said once: django.contrib.messages, whose extra_tags may be a state's word."""
    request = context.get("request")
    kept = get_messages(request) if request is not None and hasattr(request, "_messages") else ()
    return {"said": [(each.extra_tags or _TONES.get(each.level_tag, "none"), each.message) for each in kept]}


@register.inclusion_tag("web/form/diff.html")
def diff(old: str, new: str, **given: Any) -> dict[str, Any]:
    """Two texts, line by line. Given: caption, before and after (their names), side (beside each other), around."""
    found: Difference = difference(str(old or ""), str(new or ""), around=int(given.get("around", 3)))
    return {"before": "Before", "after": "After", "caption": "Line by line difference", **given, "found": found}
