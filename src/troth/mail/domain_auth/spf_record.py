"""Whether a sending domain's SPF record lets this installation send for it (RFC 7208)."""

import ipaddress
import re
from collections import Counter
from dataclasses import dataclass

from troth.mail.domain_auth.finding import Finding

MAX_LOOKUPS = 10  # RFC 7208 section 4.6.4; what includes look up in turn is not counted here

_LOOKS_UP = frozenset({"include", "a", "mx", "ptr", "exists"})
_LONGEST = 300  # octets of an argument: a name and its masks; the patterns below need a bound
_WIDEST = {4: 8, 6: 16}  # a network wider than this is "everyone" in all but name

# RFC 7208 section 12: directive = [ qualifier ] mechanism; modifier = name "=" macro-string
_DIRECTIVE = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)((?:[:/].*)?)", re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=([\x21-\x7e]*)", re.IGNORECASE)
# domain-spec = macro-string domain-end; domain-end = ( "." toplabel [ "." ] ) / macro-expand; no toplabel is all
# digits
_MACRO = r"%\{[slodiphcrtv]\d*r?[.\-+,/_=]*\}|%%|%_|%-"
_SPEC = rf"(?:{_MACRO}|[\x21-\x24\x26-\x7e])*?(?:\.(?!\d+\.?(?:/|\Z))[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.?|{_MACRO})"
_CIDR = r"(?:/(?:[12]?\d|3[0-2]))?(?://(?:[1-9]?\d|1[01]\d|12[0-8]))?"
_ARGUMENTS = {
    "all": re.compile(""),
    "include": re.compile(f":{_SPEC}", re.IGNORECASE),
    "exists": re.compile(f":{_SPEC}", re.IGNORECASE),
    "ptr": re.compile(f"(?::{_SPEC})?", re.IGNORECASE),
    "a": re.compile(f"(?::{_SPEC})?{_CIDR}", re.IGNORECASE),
    "mx": re.compile(f"(?::{_SPEC})?{_CIDR}", re.IGNORECASE),
    "ip4": re.compile(r":[\d.]+(?:/(?:[12]?\d|3[0-2]))?"),
    "ip6": re.compile(r":[\da-f:.]+(?:/(?:[1-9]?\d|1[01]\d|12[0-8]))?", re.IGNORECASE),
}

type _Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Directive:
    qualifier: str
    name: str
    argument: str  # with its ":", lower case, no final dot
    network: _Network | None  # of ip4 and ip6

    def covers(self, other: "Directive") -> bool:
        """Say whether this matches all that `other` does: the same words, or a network round it."""
        if self.network is None or other.network is None or self.name != other.name:
            return self._same(other)
        return other.network.subnet_of(self.network)  # type: ignore[arg-type]  # one name, one IP version

    def touches(self, other: "Directive") -> bool:
        """Say whether this matches some of what `other` does."""
        if self.network is None or other.network is None or self.name != other.name:
            return self._same(other)
        return self.network.overlaps(other.network)

    def _same(self, other: "Directive") -> bool:
        return (self.name, self.argument) == (other.name, other.argument)


@dataclass(frozen=True, slots=True)
class _Record:
    directives: tuple[Directive, ...]
    redirect: bool
    fault: str = ""

    @property
    def lookups(self) -> int:
        return sum(each.name in _LOOKS_UP for each in self.reached) + self.redirect

    @property
    def reached(self) -> tuple[Directive, ...]:
        """The directives up to the first `all`: nothing after it is ever asked."""
        names = [each.name for each in self.directives]
        return self.directives[: names.index("all") + 1] if "all" in names else self.directives


def spf(records: tuple[str, ...], required: str, *, at: str = "the sending domain", strict: bool = False) -> Finding:
    """Check the TXT records of `at`: one v=spf1 record that passes `required` and fails all others.

    `required` is one or more terms ("include:spf.example", "ip4:192.0.2.1"); `strict` wants -all, not ~all.
    """
    found = tuple(record for record in records if re.match(r"v=spf1(?: |\Z)", record, re.IGNORECASE))
    publish = f'"v=spf1 {required} -all"'
    if not found:
        return Finding(False, "spf.missing", f"Publish a TXT record at {at}: {publish}.", records)
    if len(found) > 1:
        sentence = f"Publish one SPF record at {at}, not {len(found)}: several count as none. Join them into one."
        return Finding(False, "spf.several", sentence, found)
    code, sentence = _judge(_parse(found[0]), required, at, strict=strict)
    return Finding(code == "spf.ok", code, sentence, found)


def _judge(record: _Record, required: str, at: str, *, strict: bool) -> tuple[str, str]:
    if record.fault:
        return (
            "spf.syntax",
            f'Correct the SPF record at {at}: "{record.fault}" is not valid, so receivers ignore it all.',
        )
    if record.lookups > MAX_LOOKUPS:
        return (
            "spf.lookups",
            f"Shorten the SPF record at {at}: {record.lookups} terms need a look-up, {MAX_LOOKUPS} may.",
        )
    wide = lets_everyone(record.reached)
    if wide:
        return "spf.everyone", f'Remove "{wide}" from the SPF record at {at}: it lets almost anyone send.'
    missing = misses(record.reached, required)
    if missing:
        return "spf.required", f'Add "{missing}" to the SPF record at {at}, before its "all".'
    return _judge_end(record, at, strict=strict)


def _judge_end(record: _Record, at: str, *, strict: bool) -> tuple[str, str]:
    end = record.reached[-1]
    if end.name != "all" and record.redirect:
        return (
            "spf.redirect",
            f'Put the terms into the SPF record at {at} itself and end it with "-all", not "redirect=".',
        )
    if end.name != "all" or end.qualifier not in (("-",) if strict else ("-", "~")):
        return "spf.all", f'End the SPF record at {at} with "-all"' + ("." if strict else ' or "~all".')
    return "spf.ok", f"The SPF record at {at} lets this service send and ends in {end.qualifier}all."


def lets_everyone(directives: tuple[Directive, ...]) -> str:
    for item in directives:
        wide = item.network is not None and item.network.prefixlen < _WIDEST[item.network.version]
        if item.qualifier == "+" and (item.name == "all" or wide):
            return item.name + item.argument
    return ""


def misses(directives: tuple[Directive, ...], required: str) -> str:
    """Tell the first required term for which the record does not answer "pass"."""
    for term in required.split():
        want = directive(term)
        if want is None:
            raise ValueError(f"{term!r} is not an SPF mechanism: write for example include:spf.example")
        if not _passes(directives, want):
            return term
    return ""


def _passes(directives: tuple[Directive, ...], want: Directive) -> bool:
    """Say whether all of `want` is let through. The first match decides: an earlier "-" takes it away."""
    for item in directives:
        if item.qualifier == "+" and item.covers(want):
            return True
        if item.qualifier != "+" and item.touches(want):
            return False
    return False


def _parse(text: str) -> _Record:
    directives, modifiers = [], Counter[str]()
    for term in text.split(" ")[1:]:
        if not term:
            continue
        read = directive(term)
        modifier = _MODIFIER.fullmatch(term)
        if read is not None:
            directives.append(read)
        elif modifier is not None:
            modifiers[modifier[1].lower()] += 1
        else:
            return _Record((), redirect=False, fault=term)
    for name in ("redirect", "exp"):  # RFC 7208 section 6: these appear at most once
        if modifiers[name] > 1:
            return _Record((), redirect=False, fault=f"{name}= twice")
    ends = any(each.name == "all" for each in directives)
    return _Record(tuple(directives), redirect=bool(modifiers["redirect"]) and not ends)


def directive(term: str) -> Directive | None:
    """Read one mechanism with its qualifier; None when it is not one, or its arguments are not valid."""
    match = _DIRECTIVE.fullmatch(term)
    if match is None:
        return None
    qualifier, name, argument = match[1] or "+", match[2].lower(), match[3]
    if len(argument) > _LONGEST or not _ARGUMENTS[name].fullmatch(argument):
        return None
    if name not in ("ip4", "ip6"):
        return Directive(qualifier, name, argument.lower().removesuffix("."), None)
    network = _network(name, argument[1:])
    return None if network is None else Directive(qualifier, name, argument.lower(), network)


def _network(name: str, text: str) -> _Network | None:
    kind = ipaddress.IPv4Network if name == "ip4" else ipaddress.IPv6Network
    try:
        return kind(text, strict=False)
    except ValueError:
        return None
