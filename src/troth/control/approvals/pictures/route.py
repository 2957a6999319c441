"""Four eyes, the picture of a route's warm-up: how many messages may go on each day, and what becomes of the rest."""

from troth.control.approvals.pictures.picture import Picture, rows
from troth.control.approvals.reading import Seen
from troth.control.people.actor import Actor

_LABELS = {"starts": "First day (UTC)", "caps": "Messages on each day", "retired": "Ended"}


def picture(_: Actor, seen: Seen) -> Picture:
    caps = seen.artefact["caps"]
    if seen.artefact.get("retired"):
        says, then = f"The warm-up of the route “{seen.code}” ends.", "From then on no daily number holds mail back."
    else:
        says = (
            f"From {seen.artefact['starts']} on the route “{seen.code}” sends at most {int(caps[0]):,} messages a day, "
            f"rising to {int(caps[-1]):,} on day {len(caps)}."
        )
        then = "What is more than a day’s number is held until the next day; after the last day nothing is held back."
    return Picture(says, then, rows(seen.before, seen.artefact, _LABELS))
