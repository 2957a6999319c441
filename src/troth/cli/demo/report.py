"""After the demo's river: what happened and why, as a table; then whether each is as the reviewed file says."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from troth.cli.demo.bombs import Refusal
from troth.cli.demo.expected import Bomb, Came, Expected, Waits
from troth.cli.demo.outcome import Outcome
from troth.cli.words import table

_FIRMS = {"property": "Alder & Wren", "construction": "Corbel Brothers", "retail": "Lantern"}
_BACK = MappingProxyType({
    "complaints": "complaints that were believed", "incidents": "incidents opened", "marked": "templates to review",
    "abuse": "cases of abuse", "disclosures": "disclosures", "answers": "answers to those who wrote",
    "dmarc": "DMARC reports", "tls": "reports of TLS", "aside": "letters kept aside for a person",
    "suppressed": "suppressions in all",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """All that is compared. `copies` by row; `refusals`: the bombs, in words; `waits`: for people, by firm;
    `came`: what came back.
    """

    outcomes: Mapping[str, Outcome]
    copies: Mapping[str, int]
    refusals: Sequence[Refusal]
    waits: Mapping[str, Waits]
    came: Came


def lines(expected: Mapping[str, Expected], seen: Seen) -> Iterator[str]:
    """The tables."""
    rows = [_row(each, seen) for each in expected.values() if each.id in seen.outcomes]
    yield from table(("message", "firm", "to", "state", "why", "copies", "events"), rows)
    yield ""
    yield "Templates that would eat a worker, refused when they were proposed:"
    yield from table(
        ("template", "refused in these words"), [(each.id, _short(each.sentence)) for each in seen.refusals]
    )
    yield ""
    yield from back(seen.came)


def back(came: Came) -> Iterator[str]:
    """What came back, in words."""
    rows = [(getattr(came, name), words) for name, words in _BACK.items()]
    yield "What came back by the server for incoming mail, and what is there of it:"
    yield from table(("n", "what"), rows)


def not_come(expected: Came, seen: Came) -> list[str]:
    """A sentence for each number that is another."""
    pairs = [(words, getattr(expected, name), getattr(seen, name)) for name, words in _BACK.items()]
    return [f"{words}: {wanted} expected, {there} came." for words, wanted, there in pairs if wanted != there]


def _row(each: Expected, seen: Seen) -> tuple[object, ...]:
    found = seen.outcomes[each.id]
    copies = seen.copies[each.id] or ""
    return each.id, _FIRMS[each.firm], mask(found.recipient), found.state, found.reason, copies, found.told


def _short(sentence: str) -> str:
    return sentence.partition(";")[0]


def mask(address: str) -> str:
    """Enough to tell two apart, too little to write to."""
    local, at, domain = address.rpartition("@")
    return f"{local[:2]}…{local[-1:]}@{domain}" if at and len(local) > 4 else "…"


def differences(
    expected: Mapping[str, Expected], bombs: Mapping[str, Bomb], waits: Mapping[str, Waits], seen: Seen
) -> list[str]:
    """A sentence for everything that is not as it must be; a row on one side only is a difference, too."""
    stray = sorted(seen.outcomes.keys() - expected.keys())
    found = [f"{name}: it happened, and no line of expectations.toml says so." for name in stray]
    found += [words for each in expected.values() if (words := _difference(each, seen))]
    told = {refusal.id: refusal for refusal in seen.refusals}
    for name, bomb in bombs.items():
        code = told[name].code if name in told else "nothing"
        if code != bomb.code:
            found.append(f"template {name}: refused with {bomb.code} expected, {code or 'taken'} came.")
    for firm, wanted in waits.items():
        if (there := seen.waits.get(firm)) != wanted:
            found.append(f"{firm}: {wanted} expected to wait for people, {there} does.")
    return found


def _difference(each: Expected, seen: Seen) -> str:
    found = seen.outcomes.get(each.id)
    if found is None:
        return f"{each.id}: expected, and it did not happen."
    wanted = (each.state, each.reason, each.copies)
    came = (found.state, found.reason, seen.copies[each.id])
    if wanted == came:
        return ""
    return f"{each.id}: {_words(wanted)} expected, {_words(came)} came."


def _words(three: tuple[str, str, int]) -> str:
    state, reason, copies = three
    return f"{state} ({reason or 'no reason'}) in {copies} {'copy' if copies == 1 else 'copies'}"


def own_mail(door: str, key: str, body: dict[str, Any]) -> str:
    """A command that sends one email as the first of the story was sent, ready to paste into a shell."""
    return (
        f"curl {door}/emails -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False))}"
    )
