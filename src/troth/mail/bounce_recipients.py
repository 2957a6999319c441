"""Feedback: who a bounce in prose is about: the addresses in its text, weighed by how they stand there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from troth.mail.bounce_letter import WORDS, Letter
from troth.mail.bounce_rules import pattern
from troth.mail.bounce_status import RECIPIENTS, is_cut
from troth.mail.parts import addresses

_LINES = 1_000
_LINE = 1_000
_MENTIONS = 500  # addresses in a text that are weighed
_LEAD = 200  # characters before one
_SEGMENT = 40  # lines that are read as one recipient's
_DOMAIN = r"@(?:[\w-]{1,63}\.)*[\w-]{1,63}"
_address_re = re.compile(
    r'"[^"\n]{1,64}"@[\w.-]{1,253}'
    r"|(?<![^\s<>()\[\]{}:;,\"'=*|])[^\s<>()\[\]{}:;,\"'@=*|][^\s<>()\[\]{}:;,\"@=|]{0,252}" + _DOMAIN
    + r"|(?<==)[^\s<>()\[\]{}:;,\"'@=*|]{1,64}" + _DOMAIN
)  # fmt: skip
_label_re = re.compile(f"(?:^|\\W)(?:{pattern(WORDS['label']).pattern})[<\"'(\\[]*(?:mailto:|smtp:)?\\Z", re.IGNORECASE)
_other_re = re.compile(f"(?:^|\\W)(?:{pattern(WORDS['other']).pattern})[<\"'(\\[]*(?:mailto:)?\\Z", re.IGNORECASE)
_system_re = re.compile(WORDS["system"] + r"\Z", re.IGNORECASE)
_expanded_re = re.compile(r"(?:(?:generated|expanded|forwarded) from:?|original address:) ?<?\Z", re.IGNORECASE)
# What stands before an address, and what it weighs then; the first counts.
_LEADS = ((_expanded_re, 1), (_label_re, 3), (_other_re, 0))
_to_re = re.compile(r"(?:^|\W)(?:to|cc|an|für|subject|betreff)[:：]\s*[^@]*\Z", re.IGNORECASE)
_begins_re = re.compile(
    r"[\s>*|•·+\-–]*(?:\d{1,3}[.)]\s*)?(?:\"[^\"]{0,80}\"\s*)?[<\"'(\[]*(?:mailto:|smtp:)?\Z", re.IGNORECASE
)
_alone_re = re.compile(
    r"[>\"')\].]*\s*(?:\Z|[:;,(\[<–-]|\.\.\.|on (?:mon|tue|wed|thu|fri|sat|sun)"
    r"|error|failed|unknown|user |host |delivery|\d{3} |has |no )",
    re.IGNORECASE,
)
_said_re = re.compile(
    r"[>\"')\]]*\s*(?:is |was |does|has |not |unknown|\.\.\.|:|couldn|could|because|wasn)", re.IGNORECASE
)
_titled_re = re.compile(r">?:\s*\Z")
_named_re = re.compile(r"[\"']?\s*<[^<>@\s]+@[^<>@\s]+>")
_word_re = re.compile(r"[\t ]+([A-Za-z0-9][\w.+-]{0,63})\s*\Z")
_posted_re = re.compile(r"mailto:([^\s<>?,]{1,320})", re.IGNORECASE)  # a list's own address is nobody's (RFC 2369)
_FIELDS = ("to", "cc", "x-original-to", "x-failed-recipients")


@dataclass(frozen=True, slots=True)
class Found:
    """weight: 3 stands alone or behind a label, 2 something is said of it, 1 is mentioned."""

    address: str
    weight: int
    line: int


def in_text(letter: Letter) -> list[Found]:
    """The likeliest recipients of the notice, in order, each once, where it is said best."""
    best: dict[str, Found] = {}
    for found in islice(_weighed(letter), _MENTIONS):
        known = best.get(found.address.lower())
        if known is None or found.weight > known.weight:
            best[found.address.lower()] = found
    top = max((each.weight for each in best.values()), default=0)
    chosen = sorted((each for each in best.values() if each.weight == top > 0), key=lambda each: each.line)
    return _mentioned(letter, chosen)[:RECIPIENTS] if top == 1 else chosen[:RECIPIENTS]


def _mentioned(letter: Letter, found: list[Found]) -> list[Found]:
    """Of addresses that are only mentioned: those that the returned message went to, or the only one."""
    sent = {each.lower() for each in returned_to(letter)}
    return [each for each in found if each.address.lower() in sent] or (found if len(found) == 1 else [])


def _weighed(letter: Letter) -> Iterator[Found]:
    own = {
        each.lower()
        for name in ("to", "from", "reply-to")
        for value in letter.top.all(name)
        for each in addresses(value)
    }
    before = ""
    for at, line in enumerate(letter.notice.split("\n")[:_LINES]):
        for found in _address_re.finditer(line[:_LINE]):
            address = found[0].rstrip(".'").lstrip("'")
            short = line.startswith("...", found.end()) and "." not in address.rpartition("@")[2]
            if short or is_cut(address) or _named_re.match(line, found.end(), _LINE):
                continue
            if weight := _weight(address, line[: found.start()], line[found.end() :], before[-_LEAD:]):
                weight = max(1, weight - 2) if address.lower() in own else weight
                yield Found(address, weight, at)
        # A label may stand on the line before, an empty one in between; a sentence that has ended is none.
        before = line if line.strip() else "" if before.rstrip().endswith(".") else before


def _weight(address: str, before: str, after: str, line_before: str) -> int:
    begins = _begins_re.fullmatch(before) is not None
    if begins and _titled_re.match(after):
        return 3
    lead = f"{line_before.strip()} {before.strip()}" if begins else before
    led = next((weight for one, weight in _LEADS if one.search(lead[-_LEAD:])), None)
    if led is not None:
        return led
    if begins:
        return 3 if _alone_re.match(after) else 2
    if _system_re.match(address.partition("@")[0]):
        return 0
    return 2 if _said_re.match(after) and not _to_re.search(before) else 1


def returned_to(letter: Letter) -> tuple[str, ...]:
    """Whom the returned message was sent to."""
    if letter.returned is None:
        return ()
    found = [each for name in _FIELDS for value in letter.returned.all(name) for each in addresses(value)]
    lists = {each.lower() for each in _posted_re.findall(letter.returned.first("list-post"))}
    return tuple(each for each in dict.fromkeys(found) if each.lower() not in lists)[:RECIPIENTS]


def without_domain(letter: Letter) -> list[Found]:
    """AOL names its own recipients without their domain, each on a line."""
    senders = [each for value in letter.top.all("from") for each in addresses(value)]
    domain = senders[0].rpartition("@")[2].lower() if senders else ""
    lines = letter.notice.split("\n")[:_LINES]
    names = [(at, found[1]) for at, line in enumerate(lines) if (found := _word_re.match(line))]
    return [Found(f"{name}@{domain}", 1, at) for at, name in names[:RECIPIENTS]] if domain else []


def segments(letter: Letter, found: list[Found]) -> list[str]:
    """What follows each recipient until the next one."""
    lines = letter.notice.split("\n")[:_LINES]
    starts = sorted({each.line for each in found})
    ends = dict(zip(starts, [*starts[1:], len(lines)], strict=False))
    return ["\n".join(lines[each.line : min(ends[each.line], each.line + _SEGMENT)]) for each in found]
