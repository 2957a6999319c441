"""Four eyes, the picture of an exception from a suppression: until when, and why the address is on the list; the
address itself only for who may see suppressions here.
"""

from datetime import datetime

from django.conf import settings

from troth.control.approvals.pictures.picture import Picture
from troth.control.approvals.reading import Seen
from troth.control.audit.asking import rows
from troth.control.people.actor import Actor
from troth.control.people.permissions import allowed
from troth.keys import places
from troth.keys.errors import Undecryptable

_LISTED = """
SELECT reason, created_at, address_ct FROM troth.suppression
WHERE blind_index = decode(%s, 'hex') AND tenant_id = %s ORDER BY created_at DESC LIMIT 20
"""
_REASONS = {
    1: "its mail server said that there is no such mailbox",
    2: "its owner complained",
    3: "its owner opted out",
    4: "its provider reported a complaint",
    5: "somebody of the operator put it there",
    6: "it could not be reached, again and again",
}


def picture(actor: Actor, seen: Seen) -> Picture:
    index = str(seen.artefact.get("blind_index", ""))
    found = rows(_LISTED, index, seen.tenant)
    address = next(filter(None, (_opened(index, sealed) for _, _, sealed in found)), "")
    shown = address if address and allowed(actor, "suppression:read") and allowed(actor, "message:content") else ""
    whom = f"to {shown}" if shown else "to one address that is suppressed"
    why = tuple(f"On the list since {_day(actor, at)}: {_REASONS[reason]}." for reason, at, _ in found)
    return Picture(
        f"Until {_ends(actor, seen)} this client’s mail may go {whom} after all.",
        "The exception ends by itself, and whatever is written of the address after the approval stops the mail again. "
        "A complaint or an opt-out is never overridden: the database refuses that whoever approves.",
        lists=(("Why it is suppressed", why),) if why else (),
        note="" if shown else "The address is shown to nobody here who may not see suppressions and what mail said.",
    )


def _ends(actor: Actor, seen: Seen) -> str:
    text = str(seen.artefact.get("expires_at", ""))
    try:
        return f"{datetime.fromisoformat(text).astimezone(actor.zone):%d %B %Y, %H:%M (%Z)}".lstrip("0")
    except ValueError:
        return text


def _day(actor: Actor, at: datetime) -> str:
    return f"{at.astimezone(actor.zone):%d %B %Y}".lstrip("0")


def _opened(index: str, sealed: bytes | None) -> str:
    if sealed is None:
        return ""
    try:
        text: bytes = settings.TROTH_KEYS().operator.open(bytes(sealed), places.suppression(bytes.fromhex(index)))
    except Undecryptable:
        return ""
    return text.decode()
