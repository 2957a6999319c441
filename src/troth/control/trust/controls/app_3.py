"""Control of APP-3: input validation, output encoding and parameterised queries against injection."""

import re
from collections.abc import Iterator

from troth.control.trust import fences
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.mail.address import AddressError, parse_address
from troth.mail.lint import lint
from troth.mail.mailbox import parse_mailbox
from troth.mail.render import Compiled, RenderError, RenderLimits, TemplateSource

_SCRIPT = "<script>alert(1)</script>"
_MARKUP = (
    "<img src=x onerror=alert(1)>",
    "\"'><svg/onload=alert(1)>",
    _SCRIPT,
    "</title><script>",
    "{{ 7 * 7 }}{% if x %}",
)
_LINES = (
    "a\r\nBcc: b@c.example",
    "a\nBcc: b@c.example",
    "a\rBcc: x",
    "a\u2028Bcc: x",
    "a\0b",
    "=?utf-8?q?a=0d=0aBcc:_x?=",
)
_ADDRESSES = (
    "a@b)c@d",
    "a@b.example\r\nRCPT TO:<c@d>",
    "<a@b.example>\n",
    "a b@c.example",
    "a@b..example",
    "a@[127.0.0.1",
    "",
)
_TEMPLATES = (
    "{% include 'x' %}",
    "{% macro m() %}{% endmacro %}",
    "{{ x.__class__ }}",
    "{% set a = 1 %}",
    "{{ debug() }}",
    "{{ a ~ a }}",
)
_SCHEMA = {"x": {"type": "string", "max_length": 1000}}
# SQL that is put together by the database itself: nothing of anybody's words is in it
_OWN_SQL = frozenset({"make_partitions_v1"})
_EXECUTE = re.compile(r"(?<![\w'])EXECUTE\s+(?!FUNCTION|PROCEDURE|ON)", re.IGNORECASE)


def check(look: Look, _: Programme | None) -> Found:
    findings = Findings()
    findings.take(fences.house(look.schema))
    findings.take(_dynamic(look))
    tries = [*_output(), *_headers(), *_addresses(), *_templates()]
    findings.take(sentence for sentence in tries if sentence)
    findings.seen["tries"] = len(tries)
    return findings.done()


def _dynamic(look: Look) -> Iterator[str]:
    """Each statement is written down: no function of the database makes one of what it is given."""
    for name, there in look.schema.functions.items():
        for one in there:
            if name not in _OWN_SQL and one.language == "plpgsql" and _EXECUTE.search(one.body):
                yield f"the function {name} makes SQL of its own"


def _output() -> Iterator[str]:
    """Markup in a variable is text in the mail."""
    page = Compiled(TemplateSource("{{ x }}", '<p title="{{ x }}">{{ x }}</p>', "{{ x }}"))
    for given in _MARKUP:
        html = page.render({"x": given}, RenderLimits()).html or ""
        yield f"markup went through: {given}" if re.search(r"<(?!/?p[ >])", html) or "49" in html else ""


def _headers() -> Iterator[str]:
    """A line break in a variable makes no header line of its own."""
    page = Compiled(TemplateSource("{{ x }}", None, "{{ x }}"))
    for given in _LINES:
        try:
            subject = page.render({"x": given}, RenderLimits()).subject
        except RenderError:
            yield ""
        else:
            yield "a line break went into a subject" if re.search("[\r\n\0\u2028]", subject) else ""


def _addresses() -> Iterator[str]:
    for given in _ADDRESSES:
        try:
            parse_address(given)
        except AddressError:
            yield ""
        else:
            yield f"{given!r} was taken as an address"
        try:
            mailbox = parse_mailbox(f"A <{given}>")
        except AddressError:
            yield ""
        else:
            yield f"{mailbox.address.addr_spec!r} was taken as a mailbox"


def _templates() -> Iterator[str]:
    """What reaches past its variables is refused when it is proposed."""
    for given in _TEMPLATES:
        yield "" if lint("s", f"<p>{given}</p>", None, _SCHEMA) else f"a template may say {given}"


CONTROL = Control(
    "APP-3",
    "app_3",
    HOUR,
    "Markup, line breaks, broken addresses and templates that reach too far are given to the code that would send "
    "them, and must be refused or come out as text; every function of the database is read for SQL that it makes "
    "itself.",
    check,
)
