"""Complaints, reviewed every month: a finding of a review in a sentence."""

from typing import Any

TITLES = {
    "over": "Above what is claimed",
    "rising": "Twice as often as before",
    "template": "A template that is complained about",
    "late": "Incidents that were not reviewed in time",
    "silent": "A feedback loop that tells nothing",
}


def finding(found: dict[str, Any]) -> dict[str, Any]:
    """As the document has it, with a title, a sentence and where to look."""
    kind = found["kind"]
    return {**found, "title": TITLES.get(kind, kind), "sentence": sentence(found), "page": page(found)}


def page(found: dict[str, Any]) -> str:
    match found["kind"]:
        case "template":
            return f"/complaints?template={found['subject']}"
        case "late":
            return "/incidents?overdue=1"
        case "silent":
            return "/feedback-loops"
        case _:
            return f"/complaints?client={found['tenant']}"


def sentence(found: dict[str, Any]) -> str:
    sent, told, n = int(found["sent"]), int(found["complained"]), int(found["n"])
    match found["kind"]:
        case "over":
            return f"{_told(told)} of {sent:,} messages: {told / sent * 100:.3f} %."
        case "rising":
            return f"{_told(told)} now, {n:,} in as long a time before: of what was sent, at least twice as many."
        case "template":
            review = " A version of it waited for its compliance review." if n else ""
            return f"{_told(told)} of {sent:,} messages sent from it.{review}"
        case "late":
            one = "One incident of a complaint was" if told == 1 else f"{told:,} incidents of complaints were"
            return f"{one} not reviewed by the time that policy gives."
        case _:
            return f"It told nothing for {n:,} days: ask the provider whether it still reports."


def _told(n: int) -> str:
    return "One complaint" if n == 1 else f"{n:,} complaints"
