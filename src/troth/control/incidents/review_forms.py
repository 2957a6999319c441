"""Cases that come of a review which a person signs: what its page asks, and what is wrong with what was typed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from troth.control.incidents.reviews import ACCEPTED, FOLLOWED, Verdict

LONGEST, NOTE = 2000, 500
CHOICES = (
    (ACCEPTED, "Accept", "It is known or of no matter."),
    (FOLLOWED, "Follow up", "It becomes an incident with the clocks of the promise."),
)
CHANGED = "Something changed since you opened this page. Look at the figures again, then sign."


def time(given: str) -> datetime | None:
    """When the page that was sent was made; None for what no page says."""
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        return None
    return found if found.tzinfo else None


def faults(typed: dict[str, str], count: int) -> dict[str, str]:
    found = {}
    for n in range(1, count + 1):
        if typed.get(f"verdict-{n}") not in (ACCEPTED, FOLLOWED):
            found[f"verdict-{n}"] = f"Finding {n}: say whether you accept it or follow it up."
        if len(typed.get(f"note-{n}", "")) > NOTE:
            found[f"note-{n}"] = f"Finding {n}: {NOTE} characters are the most: shorten the note."
    said = typed.get("words", "")
    if not said.strip():
        found["words"] = "Say in a sentence what you looked at and what you make of it."
    elif len(said) > LONGEST:
        found["words"] = f"{LONGEST:,} characters are the most: shorten it."
    return found


def words(typed: dict[str, str]) -> dict[str, str]:
    """What is kept of a form that did not fit what is there now: the words alone."""
    return {"words": typed.get("words", "")}


def verdicts(typed: dict[str, str], count: int) -> list[Verdict]:
    """Of a form without faults."""
    return [Verdict(typed[f"verdict-{n}"], typed.get(f"note-{n}", "").strip()) for n in range(1, count + 1)]


def asked(findings: Sequence[dict[str, Any]], typed: dict[str, str], faults: dict[str, str]) -> dict[str, Any]:
    """A page's context: each finding with the names of its fields, and what was typed already."""
    named = [{**each, "at": n, "verdict": f"verdict-{n}", "note": f"note-{n}"} for n, each in enumerate(findings, 1)]
    return {
        "findings": named,
        "typed": typed,
        "faults": faults,
        "choices": CHOICES,
        "most": LONGEST,
        "note_most": NOTE,
    }


def told(code: str, given: list[Verdict]) -> str:
    """What a page says after the signature."""
    followed = sum(each.word == FOLLOWED for each in given)
    cases = f" {followed} became {'an incident' if followed == 1 else 'incidents'}." if followed else ""
    return f"Signed: the review of {code}.{cases}"
