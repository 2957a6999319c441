"""Four eyes, the picture of an API key: which program may send what, from where and until when; never the key."""

from contextlib import suppress
from datetime import datetime

from troth.control.approvals.pictures.picture import Picture, Row, rows
from troth.control.approvals.pictures.policy import level_rows
from troth.control.approvals.reading import Seen
from troth.control.people.actor import Actor
from troth.control.people.permissions import allowed

_LABELS = {
    "name": "Program",
    "prefix": "Begins with",
    "mode": "Mode",
    "categories": "May send",
    "networks": "From",
    "expires_at": "Ends",
}


def picture(actor: Actor, seen: Seen) -> Picture:
    name, old = seen.artefact.get("name", seen.code), seen.before
    if seen.artefact.get("retired"):
        says, then = f"The key of “{name}” ends.", "Programs that use it are refused at once."
    elif old is None:
        says, then = f"A key for “{name}”.", "Whoever holds it can send from then on, within what is said here."
    elif old.get("hash") != seen.artefact.get("hash"):
        says = f"The key of “{name}” is replaced by a new one."
        then = "The new secret works at once; the old one for as long as the policy’s overlap lets it."
    else:
        says, then = f"What the key of “{name}” may do changes; the secret stays.", "It holds from the next request on."
    found: list[Row] = [*rows(old and _flat(actor, old), _flat(actor, seen.artefact), _LABELS)]
    found += level_rows((old or {}).get("policy"), seen.artefact.get("policy") or {})
    href = f"/keys/{seen.subject}" if old and allowed(actor, "api-key:read") else ""
    return Picture(says, then, tuple(found), href=href, act="The key as it is now")


def _flat(actor: Actor, artefact: dict[str, object]) -> dict[str, object]:
    ends = str(artefact.get("expires_at", ""))
    with suppress(ValueError):
        ends = f"{datetime.fromisoformat(ends).astimezone(actor.zone):%d %b %Y, %H:%M (%Z)}".lstrip("0")
    return {
        **artefact,
        "categories": artefact.get("categories") or "every category",
        "networks": artefact.get("networks") or "anywhere",
        "mode": "test: nothing leaves" if artefact.get("mode") == "test" else "live",
        "expires_at": ends,
    }
