"""The trust centre: which of a programme's promises concern a client firm and the people whom it writes to. Pure.

The rule, by the catalogue (control/trust/claims.toml). A promise concerns a client firm where
- its audience is `client`: it is made to a client firm; or
- it stands under one of the four pillars (chapters.py): who may change what is sent, how and to whom it is sent and
  what comes back, how it is kept from others, what is written down of it; or
- its chapter is `disclosure` or `contact`: whom to tell, and who answers.
The rest, on the operator's machines, staff, incidents and duties under law, is on the programme's own page alone. So is
a promise that counts the mail of all clients together, which would be read as the firm's own number.

What a check saw is of the whole programme: figures, reasons and evidence are left to the programme's page, too, so that
nothing of any other client is on this one. State, sentence, how it is known and when that was done are the same.
"""

from collections.abc import Iterator
from dataclasses import replace

from troth.control.centre.chapters import PILLARS
from troth.control.centre.gathered import Gathered, Line
from troth.control.trust.catalogue import CHAPTERS, Claim

_CLOSE = frozenset(section for sections in PILLARS.values() for section in sections)
_WHOM = frozenset({"disclosure", "contact"})
_COUNTS_ALL = "{targets.daily_volume"


def concerns(claim: Claim) -> bool:
    if any(_COUNTS_ALL in says for says in claim.says.values()):
        return False
    return claim.audience == "client" or claim.section in _CLOSE or claim.chapter in _WHOM


def part(whole: Gathered) -> Gathered:
    """The programme's promises as a firm's page has them."""
    lines = tuple(_bare(line) for line in whole.lines if concerns(line.claim))
    checked = max((line.checked_at for line in lines if line.checked_at), default=None)
    return replace(whole, lines=lines, turns=(), checked_at=checked)


def _bare(line: Line) -> Line:
    return replace(line, seen=None, why=(), pieces=())


def named(there: Gathered) -> Iterator[str]:
    """The chapters that such a page has; who answers is always said."""
    mine = {line.claim.chapter for line in there.lines} | {"contact"}
    return (chapter for chapter in CHAPTERS if chapter in mine)
