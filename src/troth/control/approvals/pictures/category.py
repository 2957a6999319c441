"""Four eyes, the picture of a category: what recipients read of it, who it comes from, and its own numbers."""

from troth.control.approvals.pictures.picture import Picture, Row, rows
from troth.control.approvals.pictures.policy import level_rows
from troth.control.approvals.reading import Seen
from troth.control.people.actor import Actor

_LABELS = {
    "name": "Name",
    "purpose": "Purpose, as recipients read it",
    "from": "Comes from",
    "reply_to": "Answers go to",
    "legal_class": "Legal class",
    "lawful_basis": "Lawful basis",
    "raw": "Mail without a template",
}


def picture(actor: Actor, seen: Seen) -> Picture:
    del actor
    name = seen.artefact.get("name", seen.code)
    if seen.artefact.get("retired"):
        says, then = f"“{name}” is retired: no mail of it is accepted.", "What was accepted before goes on."
    else:
        says = f"“{name}” is as the right column says." if seen.before else f"A new kind of mail, “{name}”."
        then = "Mail that is accepted from then on follows it."
    found: list[Row] = [*rows(seen.before and _flat(seen.before), _flat(seen.artefact), _LABELS)]
    found += level_rows((seen.before or {}).get("policy"), seen.artefact.get("policy") or {})
    return Picture(says, then, tuple(found))


def _flat(artefact: dict[str, object]) -> dict[str, object]:
    sender = artefact.get("sender")
    said = f"{sender.get('name')} <{sender.get('address')}>" if isinstance(sender, dict) else ""
    return {**artefact, "from": said, "raw": "permitted" if artefact.get("raw") else "not permitted"}
