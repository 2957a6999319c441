"""Four eyes, the picture of a sending domain: its name and the selector of its DKIM key."""

from troth.control.approvals.pictures.picture import Picture, rows
from troth.control.approvals.reading import Seen
from troth.control.people.actor import Actor
from troth.control.people.permissions import allowed

_LABELS = {"name": "Domain", "selector": "Selector of its DKIM key"}


def picture(actor: Actor, seen: Seen) -> Picture:
    name = seen.artefact.get("name", seen.code)
    if seen.artefact.get("retired"):
        says, then = f"No mail comes from {name} any more.", "Categories that send from it are refused."
    else:
        says = f"The client’s mail may come from {name}."
        then = "It sends as soon as its DNS shows what the policy asks for; that is checked again and again."
    href = f"/domains/{seen.subject}" if seen.before and allowed(actor, "domain:read") else ""
    return Picture(says, then, rows(seen.before, seen.artefact, _LABELS), href=href, act="Its records and their state")
