"""Four eyes, the picture of a client firm's own trust page: whether anybody may read it."""

from troth.control.approvals.pictures.picture import Picture
from troth.control.approvals.reading import Seen
from troth.control.people.actor import Actor


def picture(actor: Actor, seen: Seen) -> Picture:
    del actor
    old, new = _told(seen.before or {}), _told(seen.artefact)
    if seen.artefact.get("shown"):
        says = "Anybody can read, under this client’s name, what is promised of its mail and whether it holds."
    else:
        says = "This client’s own page ends; the programme’s page stays as it is."
    return Picture(says, "It is so at once.", (("The firm’s own trust page", old, new, ""),))


def _told(artefact: dict[str, object]) -> str:
    return "shown" if artefact.get("shown") else "not shown"
