"""Messages in templates: parts of what is asked for, and its address with a part taken away."""

from django import template

from troth.control.messages.filters import NAMES, Filters

register = template.Library()


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.filter
def part(given: dict[str, str], name: str) -> str:
    return given.get(name, "")


@register.simple_tag
def without(asked: Filters, name: str) -> str:
    """The same search without one field, at its newest."""
    return _path(asked.query(**{name: None} if name else {}))


@register.simple_tag
def only(asked: Filters, name: str) -> str:
    return _path(asked.query(**dict.fromkeys(each for each in NAMES if each != name)))


def _path(query: str) -> str:
    return f"/messages?{query}" if query else "/messages"
