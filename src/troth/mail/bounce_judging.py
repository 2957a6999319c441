"""Feedback: what a failure means: which class it belongs to, by its codes and by what was said, weighed.

The order: what is said beyond doubt; an exact status code, unless the text speaks against it; the text, first the
remote server's own words, then what stands around them; a vague status code; the reply code alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from troth.mail.bounce_rules import CLASSES, KNOWN, REPLIES, STATUSES, TEXTS, Klass, Rule, load, pattern

_TEXT = 4_000  # characters of one source that are looked at
_code_re = re.compile(r"(?<![\d.\[:@/=-])(?P<code>[45]\d\d)(?=[\s\-:;,#]|\Z)")
_status_re = re.compile(r"(?<![\d.])(?P<status>[245]\.\d{1,3}\.\d{1,3})(?![\d.]*\.?\d)")
_quoted_re = re.compile(r"(?:^|[\s:(<])[45]\d\d(?:[ -]|:\s)\S|(?:^|\s)[45]\.\d{1,3}\.\d{1,3} \S")
_other_re = re.compile(r"\s*(?:$|>>>|<<<|\.\.\. |\d{3} |<\S+@\S+>(?:\.\.\.|:)|-{3})")
_names_re = re.compile(
    r"https?://\S+|<[^<>]*>|[^\s@<>]+@[\w.-]+|(?<![\w.])(?:[a-z0-9-]+\.)+[a-z]{2,}\b(?!['’])|\[[^\[\]]{0,80}\]",
    re.IGNORECASE,
)
_numbers_re = re.compile(r"(?<![\w.])[245]\d\d[- ](?=\d\.\d)|\b[245]\.\d{1,3}\.\d{1,3}\b")
_tables_re = re.compile(r"\bin (?:local|relay|virtual)(?: \w+)? (?:recipient |mailbox |alias )?table")
_PHASES = {name: pattern(sources) for name, sources in load("bounce_words.toml")["phase"].items()}
# Before a recipient is named, nothing is said about one.
_BEFORE = frozenset({"helo", "connect", "mail", "starttls"})
_UNKNOWN_FOR_NOW = "4.1.1"
# Texts that speak louder than a code that says that the address is bad.
_LOUDER = frozenset({
    "spam", "virus", "reputation", "auth", "relay", "sender", "rate", "full", "disabled", "greylisted", "tls", "size",
    "loop",
})  # fmt: skip
# These do only in the remote server's own words, and when those do not say "user unknown" as well.
_PLAINER = frozenset({"content", "policy"})
_UNKNOWN = next(rule.pattern for rule in TEXTS if rule.klass == "user-unknown" and rule.pattern)
_OF_ADDRESS = ".1.0"
_FOR_NOW = ("host-unknown", "network")  # a name that nobody could ask for may be there


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one recipient's failure. near: of it alone; around: of the whole letter."""

    action: str
    status: str = ""
    diagnostic: str = ""
    near: str = ""
    around: str = ""
    alone: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """status: an enhanced status code or ""; reply: a reply code or 0; rule: what decided."""

    klass: Klass
    rule: str
    status: str
    reply: int
    permanent: bool
    address_bad: bool


def judge(evidence: Evidence) -> Judged:
    status, reply = _codes(evidence)
    rule, why = _rule(evidence, status, reply)
    klass = CLASSES[rule.klass]
    permanent = evidence.action != "delayed"
    passing = (status[:1] == "4" or (400 <= reply < 500 and status[:1] != "5")) and not rule.sure
    if status == _UNKNOWN_FOR_NOW and evidence.diagnostic and _is_unknown(evidence.diagnostic):
        passing = False  # it said so until the sender gave up, which takes days
    return Judged(klass, why, status, reply, permanent, address_bad=klass.bad and permanent and not passing)


def _sources(evidence: Evidence) -> tuple[str, str, str]:
    """What is read, nearest first; the letter as a whole only where nobody else's failure is in it."""
    around = evidence.around if evidence.alone else ""
    return evidence.diagnostic[:_TEXT], evidence.near[:_TEXT], around[:_TEXT]


def _in_turn(evidence: Evidence) -> Iterator[str]:
    """What may decide, in order: in each text the reply that it quotes before what is said around it."""
    diagnostic, near, around = _sources(evidence)
    yield diagnostic
    yield from (one for one in (first_reply(near), first_reply(around)) if one)
    yield from (near, around)


def first_reply(text: str) -> str:
    """The first reply of 4xx or 5xx that a text quotes, with its further lines."""
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if _quoted_re.search(line)), None)
    if first is None:
        return ""
    end = next((at for at in range(first + 1, len(lines)) if _other_re.match(lines[at])), len(lines))
    return "\n".join(lines[first : min(end, first + 8)])


def _codes(evidence: Evidence) -> tuple[str, int]:
    """The most telling status code, and the reply code that comes with it."""
    stated = _status(evidence.status)
    diagnostic, near, around = _sources(evidence)
    # A status near a reply that has none is what the mail system made of it: of any refusal at RCPT, "user unknown".
    said = [_status(diagnostic), "" if _reply(diagnostic) else _status(near)]
    telling = [one for one in (said[0], stated, said[1]) if one and not one.endswith(".0.0")]
    status = next(iter(telling), "") or said[0] or stated or said[1] or _status(around)
    replies = [_reply(text) for text in (diagnostic, evidence.status, near, around)]
    return status, next((one for one in replies if one), 0)


def _status(text: str) -> str:
    """The first that says something: X.Y.0 says no more than that there is something else."""
    found = [one["status"] for one in _status_re.finditer(text) if one["status"][0] != "2"]
    return next((one for one in found if not one.endswith(".0")), found[0] if found else "")


def _reply(text: str) -> int:
    found = _code_re.search(_status_re.sub(" ", text))
    return int(found["code"]) if found else 0


def _rule(evidence: Evidence, status: str, reply: int) -> tuple[Rule, str]:
    sources = _sources(evidence)
    whole = "\n".join(sources).lower()
    for known in KNOWN:
        if known.pattern and known.pattern.search(" ".join(whole.split())):
            return known, "known"
    exact = STATUSES.get(status[2:]) if status else None
    said = next((one for one in map(_said, _in_turn(evidence)) if one), None)
    if said and CLASSES[said.klass].bad and _reply(sources[0]) and not _said(sources[0]):
        said = None  # the remote server blames nobody: what a mail system makes of it is not evidence
    if exact and not exact.vague:
        return _weighed(exact, said, sources[0])
    if said and CLASSES[said.klass].bad:
        said = _believed(said, exact, whole, status)
    if said:
        return said, "text"
    if exact and (exact.klass != "unclear" or reply not in REPLIES):
        return exact, "status"
    return REPLIES.get(reply, Rule("unclear")), "reply" if reply in REPLIES else "nothing"


def _said(text: str) -> Rule | None:
    plain = words(text)
    return next((rule for rule in TEXTS if rule.pattern and rule.pattern.search(plain)), None) if plain else None


def words(text: str) -> str:
    """What is said, without what it is said about: no case, codes, addresses, names of hosts or links."""
    plain = _names_re.sub(" ", _numbers_re.sub(" ", text))
    return _tables_re.sub("", " ".join(plain.lower().replace("’", "'").split()))


def _weighed(exact: Rule, said: Rule | None, diagnostic: str) -> tuple[Rule, str]:
    """A status code that condemns the address, and a text that blames something else."""
    if not CLASSES[exact.klass].bad:
        return exact, "status"
    if said and (said.klass in _LOUDER or (exact.klass, said.klass) == _FOR_NOW):
        return said, "text"
    own = _said(diagnostic)
    if own and own.klass in _PLAINER and not _UNKNOWN.search(words(diagnostic)):
        return own, "text"
    return exact, "status"


def _believed(said: Rule, exact: Rule | None, whole: str, status: str) -> Rule | None:
    """A text that condemns the address: not before a recipient was named; an unknown user is believed at RCPT alone.

    After the message's data it is a filter that says so, and where no command is told it may be, unless the status is
    of addresses as well.
    """
    at = phase(whole)
    if at in _BEFORE:
        return Rule("sender" if at == "mail" else "reputation")
    if said.klass != "user-unknown":
        return said
    if exact and not exact.bare:
        return exact
    return said if at == "rcpt" or status[1:] == _OF_ADDRESS else Rule("filtered")


def _is_unknown(text: str) -> bool:
    said = _said(text)
    return said is not None and said.klass == "user-unknown"


def phase(text: str) -> str:
    """The command that was answered so, the first that a text names: rcpt, data, mail, helo, connect, starttls, ""."""
    lower = text.lower()
    found = ((at.start(), name) for name, one in _PHASES.items() if (at := one.search(lower)))
    return min(found, default=(0, ""))[1]
