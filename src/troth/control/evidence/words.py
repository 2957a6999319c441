"""Evidence, in words: what state a piece is in, and what is known of a claim and a kind."""

from datetime import date, timedelta

from troth.control.evidence.reading import Piece
from troth.rules.evidence_kinds import BY_CODE, KINDS, WANTED

SOON = timedelta(days=14)
# a state of the filter -> its name there
STATES = {
    "": "All but withdrawn",
    "waits": "Waits for a second person",
    "counts": "Counts today",
    "soon": "Over within 14 days",
    "over": "Over",
    "withdrawn": "Withdrawn",
}


def look(piece: Piece, today: date) -> tuple[str, str]:
    """The look's word, and what it says."""
    if piece.withdrawn_at:
        return "withdrawn", "Withdrawn"
    if piece.over(today):
        return "expired", "Over"
    if piece.accepted_at is None:
        return "proposed", "Waits for a second person"
    return ("pending", "Counts, over soon") if piece.valid_until - today <= SOON else ("holds", "Counts")


def kind(code: str) -> str:
    return BY_CODE[code].name if code in BY_CODE else code


def claims() -> list[tuple[str, str]]:
    """For a choice: each claim that evidence serves, and by what."""
    return [(each.claim, f"{each.claim}: {', '.join(_lower(code) for code in each.kinds)}") for each in WANTED]


def kinds() -> list[tuple[str, str]]:
    """For a choice: each kind."""
    return [(each.code, each.name) for each in KINDS]


def _lower(code: str) -> str:
    name = kind(code)
    return f"{name[:1].lower()}{name[1:]}"
