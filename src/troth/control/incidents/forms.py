"""Cases: each step as a form: what it asks for, which choices there are, and what is wrong with what was typed."""

from collections.abc import Sequence
from dataclasses import dataclass

from troth.control.incidents import reading, words
from troth.control.incidents.acts import LONGEST
from troth.control.incidents.reading import Case
from troth.control.people.actor import Actor
from troth.rules import cases

_NEEDED = frozenset({"tell", "assess", "update", "note", "resolve", "reopen"})  # words, as the database has it
# the step that a page leads to, by state, or by kind and state
_FIRST = {"open": "acknowledge", "acknowledged": "resolve", "disclosure acknowledged": "assess", "assessed": "resolve",
          "resolved": "close"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StepForm:
    """A step that may be taken now. `choices`: of its value, () for none; `first`: the filled button of the page."""

    name: str
    button: str
    title: str
    asks: str
    consequence: str
    needs_words: bool
    choices: Sequence[tuple[str, ...]] = ()
    value_label: str = ""
    first: bool = False


def steps(actor: Actor, case: Case) -> list[StepForm]:
    """What this person may do with it now, in the order of the table."""
    if not case.acts:
        return []
    all_ = cases.steps(case.kind, case.state)
    asked = {"seen": case.news_at is not None, "tell": "tell" in all_ and _owed(actor, case, "told")}
    found = [each for each in all_ if asked.get(each, True)]
    return [form(actor, case, each, choices=False) for each in found]


def _owed(actor: Actor, case: Case, clock: str) -> bool:
    return any(each.name == clock and not each.met_at and not each.void_at for each in reading.clocks(actor, case.id))


def form(actor: Actor, case: Case, step: str, *, choices: bool = True) -> StepForm:
    button, title, asks, consequence = words.STEPS[step]
    if step == "resolve" and case.kind == "incident":
        button, title = "Finish the review", "Finish the review"
    if step == "severity" and case.kind != "disclosure":
        consequence = "It is on record, and shown beside the case. No clock depends on it."
    if step == "acknowledge" and case.kind != "incident":
        consequence += " Its reporter is not told by this: that is when our mail is taken, or when you say how."
    given, label = _choices(actor, case, step) if choices else ((), "")
    first = step == _FIRST.get(f"{case.kind} {case.state}", _FIRST.get(case.state))
    return StepForm(step, button, title, asks, consequence, step in _NEEDED, given, label, first)


def _choices(actor: Actor, case: Case, step: str) -> tuple[Sequence[tuple[str, ...]], str]:
    match step:
        case "assign":
            return (("", "Nobody in particular"), *reading.people(actor, case.id)), "Whom"
        case "assess" | "severity":
            return tuple(words.SEVERITIES.items()), "Severity"
        case "resolve":
            return tuple((key, *said) for key, said in words.OUTCOMES[case.kind].items()), "Outcome"
    return (), ""


def faults(form: StepForm, value: str, said: str) -> dict[str, str]:
    """By field."""
    found = {}
    if form.choices and value not in {each[0] for each in form.choices}:
        found["value"] = "Choose one of these."
    if form.needs_words and not said.strip():
        found["words"] = "Say it in words, for those who look at it later."
    elif len(said) > LONGEST:
        found["words"] = f"{LONGEST:,} characters are the most: shorten it."
    return found
