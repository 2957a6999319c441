"""Asking: what things are called on its pages. Pure."""

from collections.abc import Iterable

from troth.rules.evidence_kinds import BY_CODE

KINDS = {"question": "Question", "documents": "Request for documents"}
# outcome -> the look's word and what it says
OUTCOMES = {
    "answered": ("holds", "Answered"),
    "granted": ("holds", "Granted"),
    "refused": ("cancelled", "Refused"),
    "put-aside": ("cancelled", "Put aside"),
}
WAITING, LATE = ("pending", "Waits"), ("failed", "Overdue")


def kinds(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Kinds of documents with their names."""
    return [(code, BY_CODE[code].name if code in BY_CODE else code) for code in codes]
