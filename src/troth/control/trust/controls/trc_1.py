"""Control of TRC-1: there is a public page of ten sections that says all that is promised, and how it stands."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from troth.control.trust import fences, promised, trust_page, web_probe
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found, State
from troth.control.trust.look import Look, Programme
from troth.control.trust.trust_page import Promise, Read, plain
from troth.control.trust.web_probe import Answer, Place

_OK = 200
_ALONE = {"default-src": "'none'", "base-uri": "'none'", "frame-ancestors": "'none'", "script-src": "'none'"}
_SOURCES = {"'none'", "'self'"}


@dataclass(frozen=True, slots=True)
class Stand:
    """What the page has to say: each promise's sentence, and its state."""

    sentences: Mapping[str, str]
    states: Mapping[str, State]

    def count(self) -> tuple[int, int]:
        return sum(state is State.HOLDS for state in self.states.values()), len(self.states)


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, "claim_state", "claim_history", "governed", "snapshot", "programme"))
    before = _stand(look, programme)
    if not before.sentences:
        findings.missing.append("no policy is in force, so that nothing is promised")
    elif look.outside.pages is None:
        findings.missing.append("nobody has said where the pages listen")
    else:
        _page(findings, look, look.outside.pages, programme, before)
    return findings.done()


def _stand(look: Look, programme: Programme) -> Stand:
    from troth.control.trust import shown  # it knows every control, this one among them

    sentences = {each.claim.id: plain(each.sentence) for each in promised.promised(look.connection, programme)}
    parts = shown.standing(look.connection, programme)
    states = {name: parts[name].state if name in parts else State.NO_CONTROL for name in sentences}
    return Stand(sentences, states)


def _page(findings: Findings, look: Look, place: Place, programme: Programme, before: Stand) -> None:
    look.hurry()
    home = f"/trust/{programme.code}"
    answer, listed = web_probe.ask(place, "GET", home), web_probe.ask(place, "GET", "/trust")
    if answer is None or listed is None:
        findings.missing.append("the pages cannot be reached just now")
        return
    findings.need(f'href="{home}"'.encode() in listed.body, "the list of programmes does not lead to it")
    if answer.status != _OK:
        findings.wrong.append(f"the page answers {answer.status}")
        return
    findings.take(_manners(answer))
    page = trust_page.read(answer.body.decode("utf-8", "replace"))
    findings.take(f"the page has {what}" for what in dict.fromkeys(page.active))
    # somebody else's look may end while the page is made: it says what was so before, or after
    findings.take(_said(page, (before, _stand(look, programme))))
    findings.seen |= {"sections": len(page.sections), "promises_on_the_page": len(page.promises)}


def _manners(answer: Answer) -> Iterator[str]:
    """It is a page for anybody, and can do nothing."""
    headers = answer.headers
    policy = dict(each.strip().partition(" ")[::2] for each in headers.get("content-security-policy", "").split(";"))
    if not headers.get("content-type", "").startswith("text/html"):
        yield "it is no page of HTML"
    for name, wanted in _ALONE.items():
        if policy.get(name, wanted if name == "script-src" else "").strip() != wanted:
            yield f"its Content-Security-Policy does not say {name} {wanted}"
    if strange := {source for value in policy.values() for source in value.split()} - _SOURCES:
        yield f"its Content-Security-Policy lets in {', '.join(sorted(strange))}"
    if headers.get("x-content-type-options") != "nosniff":
        yield "its type may be guessed"
    if answer.cookies:
        yield "it sets a cookie"


def _said(page: Read, stands: tuple[Stand, ...]) -> Iterator[str]:
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


CONTROL = Control(
    "TRC-1",
    "trc_1",
    HOUR,
    "The page is asked for over the network, as anybody asks: it has its ten sections, every promise of the policy in "
    "force once, in its words and in the state that the last check found, no script, and a policy that lets none in.",
    check,
)
