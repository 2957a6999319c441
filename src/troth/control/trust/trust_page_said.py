"""Claims: what the public page must say of a programme's promises, and where it says something else (TRC-1)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from troth.control.trust import promised, trust_page
from troth.control.trust.found import State
from troth.control.trust.look import Look, Programme
from troth.control.trust.trust_page import Promise, Read, plain


@dataclass(frozen=True, slots=True)
class Stand:
    """What the page has to say: each promise's sentence, and its state."""

    sentences: Mapping[str, str]
    states: Mapping[str, State]

    def count(self) -> tuple[int, int]:
        return sum(state is State.HOLDS for state in self.states.values()), len(self.states)


def stand(look: Look, programme: Programme) -> Stand:
    from troth.control.trust import shown  # it knows every control, this one among them

    sentences = {each.claim.id: plain(each.sentence) for each in promised.promised(look.connection, programme)}
    parts = shown.standing(look.connection, programme)
    states = {name: parts[name].state if name in parts else State.NO_CONTROL for name in sentences}
    return Stand(sentences, states)


def wrong(page: Read, stands: tuple[Stand, ...]) -> Iterator[str]:
    if tuple(page.sections) != trust_page.SECTIONS:
        gone = [each for each in trust_page.SECTIONS if each not in page.sections]
        yield f"it has not its ten sections in their order: {', '.join(gone) or ', '.join(page.sections)}"
    there = [each.id for each in page.promises]
    wanted = {name for stand in stands for name in stand.sentences}
    twice = {name for name in there if there.count(name) > 1}
    yield from (f"{name} stands on it {there.count(name)} times" for name in sorted(twice))
    yield from (f"{name} is on it, and not promised" for name in sorted({*there} - wanted))
    for name in stands[0].sentences:
        if name not in there and all(name in stand.sentences for stand in stands):
            yield f"{name} is promised, and not on it"
    for each in page.promises:
        if each.id in wanted and not any(_agrees(each, stand) for stand in stands):
            yield f"{each.id} is not on it as it stands: {_told(each, stands[-1])}"
    counted = tuple(int(number) for number in re.findall(r"\d+", page.title)[:2])
    if counted not in [stand.count() for stand in stands]:
        yield f"its first words count {counted}, and {stands[-1].count()} hold"


def _agrees(each: Promise, stand: Stand) -> bool:
    """In its state, with its sentence; one that fails has it crossed out, or not at all."""
    state, sentence = stand.states.get(each.id), stand.sentences.get(each.id)
    says, struck = plain(each.says), plain(each.struck)
    if each.told() is not state or sentence is None:
        return False
    if state is State.FAILS:
        return struck in (sentence, "") and sentence not in says.replace(struck or "\0", "")
    return says == sentence


def _told(each: Promise, stand: Stand) -> str:
    told = each.told()
    if told is not stand.states.get(each.id):
        return f"the page tells {told or 'no single state'}, and it is {stand.states.get(each.id)}"
    return "the sentence is another"
