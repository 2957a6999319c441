"""Four eyes, the picture of a designation: the people who alone may write a client's templates and rules."""

from uuid import UUID

from troth.control.approvals import names
from troth.control.approvals.pictures.picture import Picture
from troth.control.approvals.reading import Seen
from troth.control.people.actor import Actor


def picture(actor: Actor, seen: Seen) -> Picture:
    del actor
    old, new = (_accounts(each) for each in (seen.before or {}, seen.artefact))
    called = names.of_accounts({*old, *new})
    told = [", ".join(called.get(each, names.NOBODY) for each in side) for side in (old, new)]
    says = f"{told[1]} alone may write templates and rules for this client." if len(new) == 1 else (
        f"{told[1].replace(', ', ' and ')} alone may write templates and rules for this client.")  # fmt: skip
    return Picture(says, "Whoever is not named can still approve, as their role lets them.",
                   (("Named individuals", told[0], told[1], ""),))  # fmt: skip


def _accounts(artefact: dict[str, object]) -> list[UUID]:
    found = artefact.get("accounts")
    return [UUID(str(each)) for each in found] if isinstance(found, list) else []
