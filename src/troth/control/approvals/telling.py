"""Four eyes, by mail: whoever is asked to look is told, and whoever proposed hears what became of it."""

from uuid import UUID

from django.conf import settings

from troth.control.approvals.reading import Seen
from troth.control.people import mailing
from troth.control.people.actor import Actor

_LONGEST = 300  # characters of a title, a name or a reason in the mail


def asked(actor: Actor, seen: Seen, accounts: list[UUID]) -> None:
    given = {"what": _short(seen.title), "who": _short(actor.name), "reason": _short(seen.reason), "link": _link(seen)}
    for account in accounts:
        if account != actor.account_id:
            mailing.tell(account, "change-waits", {**given, "ends": seen.expires_at})


def decided(actor: Actor, seen: Seen, became: str, words: str) -> None:
    """`became`: "approved", or "rejected"; `words`: the reason, or what follows."""
    if seen.proposer_account != actor.account_id:
        given = {"what": _short(seen.title), "became": became, "who": _short(actor.name), "words": _short(words)}
        mailing.tell(seen.proposer_account, "change-decided", {**given, "link": _link(seen)})


def _link(seen: Seen) -> str:
    return f"{settings.TROTH_PUBLIC_URL}/changes/{seen.id}"


def _short(text: str) -> str:
    """One line."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
