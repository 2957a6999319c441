"""The gate's reading of the consent ledger: what a person's consent to one category is worth at a moment.

A withdrawal ends all consent before it. Only what the person says afterwards (express) makes it good again, and a
withdrawal of one category is made good by words about that category alone: what follows from a relationship (implied)
never is. What has run out counts for nothing, from its very moment on.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from troth.rules.facts import Consent, check_aware

EXPRESS, IMPLIED, WITHDRAWN = 1, 2, 3
NEEDED = "consent"  # the lawful basis that needs it (GDPR Article 6 (1) (a))
_OF_CLASS = {"transactional": "contract", "required": "legal-obligation"}
_WORDS = {EXPRESS: "express", IMPLIED: "implied"}


def lawful_basis(category: Mapping[str, Any]) -> str:
    """A category's, of its artefact: what it says, else what its legal class says of itself; '' for none."""
    return str(category.get("lawful_basis") or _OF_CLASS.get(category["legal_class"], ""))


class Entry(Struct, frozen=True):
    """One row of the ledger. category: None for all of the client's; until: None for as long as it stands."""

    category: str | None
    kind: int
    basis: str
    at: datetime
    until: datetime | None = None

    def __post_init__(self) -> None:
        check_aware(self.at, "at")
        check_aware(self.until, "until")


def standing(entries: Iterable[Entry], category: str, moment: datetime) -> Consent:
    """What they come to for this category at this moment. Consent that is later than it says nothing, since a clock may
    have been set back; a withdrawal always counts.
    """
    told = [e for e in entries if e.category in (None, category) and (e.kind == WITHDRAWN or e.at <= moment)]
    own = max((e.at for e in told if e.kind == WITHDRAWN and e.category is not None), default=None)
    all_ = max((e.at for e in told if e.kind == WITHDRAWN and e.category is None), default=None)
    given = [e for e in told if e.kind in _WORDS]
    good = [e for e in given if not _ended(e, own, all_)]
    lasting = [e for e in good if e.until is None or e.until > moment]
    if lasting:
        best = max(lasting, key=_worth)
        return Consent("held", _WORDS[best.kind], best.basis, best.until)
    if own is not None or all_ is not None:
        return Consent("withdrawn")
    if good:
        last = max(good, key=_worth)
        return Consent("expired", _WORDS[last.kind], last.basis, last.until)
    return Consent("none")


def _ended(entry: Entry, own: datetime | None, all_: datetime | None) -> bool:
    """Whether a withdrawal ended it; one of the same moment does."""
    if entry.kind == IMPLIED:
        return own is not None or all_ is not None
    if own is not None and (entry.category is None or entry.at <= own):
        return True
    return all_ is not None and entry.at <= all_


def _worth(entry: Entry) -> tuple[bool, float, bool]:
    """What lasts longest; of those, the express one."""
    return entry.until is None, entry.until.timestamp() if entry.until else 0.0, entry.kind == EXPRESS
