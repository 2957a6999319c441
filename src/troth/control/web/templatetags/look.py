"""The pages' shell in templates: icons, states with their colour and shape, times with their offset, numbers.

Every template has these without loading them. `state` and `badge` take one of the words in _STATES.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from troth.control.people import permissions
from troth.control.web import assets

register = template.Library()

# word -> tone, glyph (the look's table); colour is never alone: the shape and the word say it, too
_STATES = {
    **dict.fromkeys(
        ("delivered", "holds", "ready", "verified", "in force", "sending mail", "signed"), ("kept", "g-kept")
    ),
    **dict.fromkeys(("accepted", "queued", "claimed", "sending", "sent", "sequenced"), ("moving", "g-moving")),
    **dict.fromkeys(("held", "paused", "not ready"), ("waiting", "g-held")),
    **dict.fromkeys(("deferred", "stale", "pending"), ("waiting", "g-clock")),
    **dict.fromkeys(("uncertain", "not checked"), ("waiting", "g-unsure")),
    **dict.fromkeys(("bounced", "refused", "fails", "failed", "rejected", "stopped"), ("broken", "g-broken")),
    "complained": ("broken", "g-flag"),
    **dict.fromkeys(("proposed", "waits for a second person"), ("person", "g-person")),
    **dict.fromkeys(("suppressed", "unsubscribed"), ("none", "g-slash")),
    **dict.fromkeys(("expired", "cancelled", "withdrawn", "retired", "replaced", "not promised"), ("none", "g-off")),
    **dict.fromkeys(("no data yet", "none"), ("none", "g-none")),
}
_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@register.simple_tag
def asset(name: str) -> str:
    """The address of one of our files."""
    return assets.url(name)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An action's or a page's picture, such as i-key; always beside its word."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', assets.url("icons.svg"), name)


@register.simple_tag
def glyph(name: str) -> SafeString:
    """A state's shape, such as g-kept."""
    return format_html('<svg class="glyph" aria-hidden="true"><use href="{}#{}"/></svg>', assets.url("icons.svg"), name)


@register.simple_tag
def state(word: str, shown: str = "") -> SafeString:
    """A state in a table or a line. `shown`: another wording of it."""
    return _marked("state", word, shown)


@register.simple_tag
def badge(word: str, shown: str = "") -> SafeString:
    """A state in a heading."""
    return _marked("badge", word, shown)


@register.simple_tag
def glyph_of(word: str) -> SafeString:
    """A state's shape alone, where its word stands in the sentence."""
    return glyph(_STATES.get(word, ("none", "g-none"))[1])


@register.filter
def may(actor: Any, action: str) -> bool:
    """Whether what follows is for this person; nobody may nothing."""
    return bool(actor) and permissions.allowed(actor, action)


@register.filter
def tone(word: str) -> str:
    """For data-tone on an element whose glyph is given apart."""
    return _STATES.get(word, ("none", ""))[0]


def _marked(kind: str, word: str, shown: str) -> SafeString:
    colour, shape = _STATES.get(word, ("none", "g-none"))
    text = shown or f"{word[:1].upper()}{word[1:]}"
    return format_html('<span class="{}" data-tone="{}">{}{}</span>', kind, colour, glyph(shape), text)


@register.simple_tag(takes_context=True)
def when(context: template.Context, value: datetime | None, form: str = "minute") -> SafeString | str:
    """A time in the person's own zone, its offset beside it. `form`: day, minute, second or millisecond."""
    if value is None:
        return "never"
    there = value.astimezone(_zone(context))
    clock = {"day": "", "minute": ", %H:%M", "second": ", %H:%M:%S", "millisecond": ", %H:%M:%S"}[form]
    text = f"{there.day} {there:%b %Y}{there.strftime(clock)}"
    if form == "millisecond":
        text += f".{there.microsecond // 1000:03d}"
    tail = "" if form == "day" else offset(there)
    return format_html(
        '<time datetime="{}">{}{}</time>', value.astimezone(UTC).isoformat(), text, f" {tail}" if tail else ""
    )


def offset(there: datetime) -> str:
    """UTC, UTC+1, UTC-3:30"""
    seconds = int((there.utcoffset() or timedelta(0)).total_seconds())
    hours, minutes = divmod(abs(seconds) // _MINUTE, 60)
    sign = "-" if seconds < 0 else "+"
    return "UTC" if seconds == 0 else f"UTC{sign}{hours}{f':{minutes:02d}' if minutes else ''}"


def _zone(context: template.Context) -> tzinfo:
    actor: Any = context.get("actor")
    return actor.zone if actor else UTC


@register.filter
def span(value: timedelta | None) -> str:
    """A length of time in its largest one or two units, with no-break spaces."""
    if value is None:
        return "none"
    seconds = value.total_seconds()
    if seconds < _MINUTE:
        return f"{seconds:.1f}\N{NO-BREAK SPACE}s" if 0 < seconds < 1 else f"{seconds:.0f}\N{NO-BREAK SPACE}s"
    whole = int(seconds)
    for size, unit, smaller, minor in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "")):
        if whole >= size:
            rest = whole % size // smaller
            tail = f" {rest}\N{NO-BREAK SPACE}{minor}" if rest and minor else ""
            return f"{whole // size}\N{NO-BREAK SPACE}{unit}{tail}"
    return ""


@register.filter
def count(value: int | None) -> str:
    """4,812"""
    return f"{value or 0:,}"


@register.filter
def share(value: float | None, digits: int = 1) -> str:
    """A ratio as per cent; "none" where there is nothing to divide by."""
    return "none" if value is None else f"{value * 100:.{digits}f}\N{NO-BREAK SPACE}%"


@register.filter
def initials(name: str) -> str:
    """Two letters for a name's square."""
    words = [word for word in name.split() if word[:1].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@register.filter
def hexed(value: bytes | memoryview) -> str:
    return bytes(value).hex()


@register.simple_tag
def querystring_of(**fields: Any) -> str:
    """The fields that have a value, as the query of an address; what is asked for stays in the address bar."""
    return urlencode({name: str(value) for name, value in fields.items() if value not in (None, "")})


@register.simple_tag(takes_context=True)
def today(context: template.Context, value: datetime) -> str:
    """Friday 20 November"""
    there = value.astimezone(_zone(context))
    return f"{there:%A} {there.day} {there:%B}"


@register.simple_tag(takes_context=True)
def clock(context: template.Context, value: datetime) -> str:
    """09:40"""
    return f"{value.astimezone(_zone(context)):%H:%M}"


@register.filter
def percent(value: float) -> str:
    """Per cent with as many digits as tell something: 99.21, 1.1, 0.031."""
    hundred = value * 100
    if hundred in (0, 100):
        return f"{hundred:.0f}"
    return f"{hundred:.3f}" if hundred < 0.1 else f"{hundred:.2f}"


@register.filter
def number_word(value: int) -> str:
    """One to nine as words, more as figures."""
    return _SMALL[value] if value < len(_SMALL) else f"{value:,}"


@register.simple_tag
def ticking(length: timedelta | None, word: str, now: datetime) -> SafeString | str:
    """A length that runs on while the page is open: "8 min left", "3 h old", "2 d ago". `now`: the database's clock."""
    if length is None:
        return ""
    at = now + length if word == "left" else now - length
    text = f"{span(length)} {word}"
    return format_html(
        '<span data-clock="{}" data-at="{}" data-now="{}">{}</span>', word, at.isoformat(), now.isoformat(), text
    )


@register.simple_tag
def copy(what: str, name: str) -> SafeString:
    """A button that copies a text, or, with "#id", the text of that element; there only where script is."""
    button = '<button class="btn bare sole copy" type="button" data-copy="{}" hidden aria-label="Copy {}">{}</button>'
    return format_html(button, what, name, icon("i-copy"))


@register.simple_tag
def sorted_head(name: str, key: str, now: str, links: Mapping[str, str], figures: str = "") -> SafeString:
    """A column's head that sorts by a link. `now`: the key in use, "-" in front where it falls; `links`: by key."""
    way = {key: "ascending", f"-{key}": "descending"}.get(now, "none")
    other = f"-{key}" if way == "ascending" else key
    return format_html(
        '<th role="columnheader" scope="col" aria-sort="{}"{}><a href="{}">{}</a></th>',
        way, SafeString(' class="n"') if figures else "", links.get(other, "?"), name,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def after_switch(context: template.Context) -> str:
    """Where another client is looked at: the same list; what was asked of one client is not asked of the next."""
    request, actor = context["request"], context["actor"]
    if actor.scope is None:
        return str(request.get_full_path())
    return "/" + str(request.path).split("/")[1]
