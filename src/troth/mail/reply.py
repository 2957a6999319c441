"""Delivery: what a next hop's refusal means: is the address bad, is it our fault, may it pass?

The classes are data with reasons, in reply_classes.toml; this file is only the order in which they are asked:
an exact enhanced status code, then the text, then a vague enhanced code, then the reply code alone.
"""

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from troth.mail.bounce_judging import Evidence, Judged, judge

Phase = Literal["connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "eod"]

# RFC 3463 2, at the start of the text, or in qmail's way at its end: (#5.1.1)
_enhanced_re = re.compile(
    r"\s*(?P<code>[245]\.\d{1,3}\.\d{1,3})(?![\w.]*[\w])|.*\(#(?P<qmail>[245]\.\d{1,3}\.\d{1,3})\)", re.DOTALL
)
_dsn_re = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\Z")
# Links, addresses and host names, which are not what the server says: <spam@blocked.example> is a recipient.
_names_re = re.compile(r"https?://\S+|<[^<>]*>|[\w.+=-]+@[\w.-]+|\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b(?!['’])", re.IGNORECASE)
_again_re = re.compile(r"(?:^|\n)\s*\d{3}[ -]")
_repeated_re = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_TEXT = 1_000  # characters that are looked at

# Before the envelope nothing is said about a message or an address: it may try again whatever the code.
_BEFORE = frozenset({"connect", "ehlo", "starttls", "auth"})
_BEFORE_KIND = {"starttls": "tls", "auth": "authentication"}
# The design's codes and place for an address that is bad by the text alone.
_BARE_CODES, _BARE_PHASE = frozenset({550, 551, 553}), "rcpt"
# Where a reply is about a recipient or a message: how a bounce would tell it, and which classes are a person's.
_ANSWERED = {"rcpt": "(in reply to RCPT TO)", "data": "(in reply to DATA)", "eod": "(in reply to end of DATA)"}
_OF_A_PERSON = frozenset({"user-unknown", "moved"})
# These pass with time or by our doing; a message is not refused for good by them.
_PASSING = frozenset({"mailbox", "rate", "tls"})


@dataclass(frozen=True, slots=True)
class Failure:
    """kind: a class of reply_classes.toml; permanent: the next hop refused this message for good; rule: what decided.

    address_bad: hard, so suppress. detail, of mailbox: full, disabled or greylisted.
    """

    kind: str
    permanent: bool
    address_bad: bool
    detail: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    detail: str
    name: str
    vague: bool = False
    bare: bool = False
    family: int = 0  # 4 or 5, or 0 for both
    codes: frozenset[int] = frozenset()
    phases: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None


def _rule(entry: dict[str, Any], name: str) -> _Rule:
    pattern = re.compile("|".join(f"(?:{one})" for one in entry["any"])) if "any" in entry else None
    codes = frozenset(entry["codes"]) if name != "enhanced" and "codes" in entry else frozenset()
    return _Rule(
        entry["kind"],
        entry.get("detail", ""),
        entry.get("name", name),
        entry.get("vague", False),
        entry.get("bare", False),
        entry.get("class", 0),
        codes,
        frozenset(entry.get("phases", ())),
        pattern,
    )


# Read once, when the module is: package data, part of the code.
_DATA = tomllib.loads(files(__package__).joinpath("reply_classes.toml").read_text(encoding="utf-8"))
_ENHANCED = {code: _rule(entry, "enhanced") for entry in _DATA["enhanced"] for code in entry["codes"]}
_TEXTS = tuple(_rule(entry, "text") for entry in _DATA["text"])
_KNOWN = tuple(_rule(entry, "known") for entry in _DATA["known"])
_CODES = tuple(_rule(entry, "code") for entry in _DATA["code"])


def parse_enhanced(text: str) -> str | None:
    """The enhanced status code (RFC 3463) of a reply's text, without its reply code; None when it has none."""
    found = _enhanced_re.match(text[:_TEXT])
    return (found["code"] or found["qmail"]) if found else None


def classify(code: int, enhanced: str | None, text: str, phase: Phase) -> Failure:
    """code: the reply's, 0 when the connection failed instead of answering; enhanced: as parsed, or None."""
    if code and not 400 <= code <= 599:
        raise ValueError(f"{code} is not a refusal.")
    if enhanced is None or not _dsn_re.match(enhanced):
        enhanced = parse_enhanced(text)
    words = _words(text)
    if not code:
        return Failure(_BEFORE_KIND.get(phase, "connection"), permanent=False, address_bad=False, rule="no answer")
    if phase in _BEFORE:
        return _before(words, code, phase)
    rule = _find(code, enhanced, words, phase)
    permanent = code >= 500 and (enhanced is None or enhanced[0] != "4")
    failure = _failure(rule, code, phase, permanent=permanent)
    if phase not in _ANSWERED or not permanent:
        return failure
    return _agreed(
        failure, code, enhanced, judge(Evidence("failed", enhanced or "", f"{code} {text[:_TEXT]}", _ANSWERED[phase]))
    )


def _agreed(failure: Failure, code: int, enhanced: str | None, judged: Judged) -> Failure:
    """As a bounce that brings the same reply is judged: never an address condemned here that is spared there.

    And none spared that is condemned there, where the design condemns by a reply: 5.1.1 and its like, or a bare code
    at RCPT. A host that is not there stays a matter of the route, which the message is tried by again.
    """
    if failure.address_bad and not judged.address_bad:
        kind = judged.klass.failure
        return Failure(
            kind, failure.permanent and kind not in _PASSING, False, judged.klass.detail, f"bounce:{judged.rule}"
        )
    exact = _ENHANCED.get(enhanced[2:]) if enhanced else None
    named = exact.kind == "hard" if exact and not exact.bare else code in _BARE_CODES and (enhanced is None or exact)
    if named and judged.address_bad and judged.klass.name in _OF_A_PERSON:
        return Failure("hard", permanent=True, address_bad=True, rule=f"bounce:{judged.rule}")
    return failure


def _words(text: str) -> str:
    """What the server says, without what it says it about."""
    plain = _names_re.sub(" ", _repeated_re.sub(" ", _again_re.sub(" ", text[:_TEXT])))
    return " ".join(plain.lower().replace("’", "'").split())


def _before(words: str, code: int, phase: str) -> Failure:
    """A refusal of us, not of a message: the kind may be told by the text, and nothing is for good."""
    kind = _BEFORE_KIND.get(phase)
    said = _said(words, code)
    if kind is None:
        kind = (
            said.kind
            if said and said.kind in ("rate", "reputation", "policy", "tls", "authentication")
            else "connection"
        )
    return Failure(kind, permanent=False, address_bad=False, rule=said.name if said else phase)


def _said(words: str, code: int) -> _Rule | None:
    for rule in _TEXTS:
        if rule.family in (0, code // 100) and rule.pattern and rule.pattern.search(words):
            return rule
    return None


def _find(code: int, enhanced: str | None, words: str, phase: str) -> _Rule:
    for rule in _KNOWN:
        if code in rule.codes and phase in rule.phases and rule.pattern and rule.pattern.search(words):
            return rule
    exact = _ENHANCED.get(enhanced[2:]) if enhanced else None
    said = _said(words, code)
    if exact and not exact.vague:
        return _exact(exact, said)
    if said and said.kind == "hard":
        bare = exact.bare if exact else enhanced is None
        said = said if bare and code in _BARE_CODES and phase == _BARE_PHASE else None
    if said:
        return said
    return exact or _by_code(code, phase)


def _exact(exact: _Rule, said: _Rule | None) -> _Rule:
    """5.1.1 with a text that speaks of spam, relaying or log-ins is not about the address."""
    if exact.kind == "hard" and said and said.kind not in ("hard", "mailbox", "size", "protocol"):
        return said
    return exact


def _by_code(code: int, phase: str) -> _Rule:
    for rule in _CODES:
        if code in rule.codes and (not rule.phases or phase in rule.phases):
            return rule
    return _Rule("connection" if code < 500 else "policy", "", "code")


def _failure(rule: _Rule, code: int, phase: str, *, permanent: bool) -> Failure:
    kind, detail = rule.kind, rule.detail
    if kind == "hard" and phase == "mail":
        kind = "policy"  # it is about the sender
    elif kind == "hard" and not permanent:
        kind, detail = "mailbox", "disabled"  # a temporary "unknown user" may be a directory that is down
    if kind in _PASSING or code in (530, 534, 535):
        permanent = False
    return Failure(kind, permanent, kind == "hard", detail if kind == "mailbox" else "", rule.name)
