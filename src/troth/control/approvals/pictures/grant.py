"""Four eyes, the picture of a grant: a sentence about a person, and what they may do then that they may not now."""

from collections.abc import Iterator

from troth.control.approvals import names
from troth.control.approvals.pictures.picture import Picture
from troth.control.approvals.reading import Seen
from troth.control.audit.asking import row
from troth.control.people.actor import Actor
from troth.control.people.permissions import HOUSE, actions, allowed, permissions

_ACCOUNT = "SELECT role, disabled_at IS NOT NULL FROM troth.account WHERE id = %s"
_CLIENT = "SELECT name FROM troth.tenant WHERE id = %s"


def picture(actor: Actor, seen: Seen) -> Picture:
    who, where = person(seen), _where(seen)
    role, ends = str(seen.artefact.get("role", "")), bool(seen.artefact.get("retired"))
    old = _role_now(seen)
    says = _sentence(who, where, old, role, ends=ends)
    then = (
        "Their sessions end at once." if ends else
        "If they have no password yet, an invitation can be sent to them then." if old is None else
        "It holds from their next page on."
    )  # fmt: skip
    lists = _lists(actor, seen, old, "" if ends else role) if allowed(actor, "person:read") else ()
    href = f"/people/{seen.subject}" if old and allowed(actor, "person:read") else ""
    return Picture(says, then, lists=lists, href=href, act=f"What {who} may do now")


def person(seen: Seen) -> str:
    name = names.sealed_in(seen.subject, str(seen.artefact.get("name_ct", "")))
    return name if name != names.NOBODY else name.capitalize()


def _where(seen: Seen) -> str:
    found = row(_CLIENT, seen.tenant) if seen.tenant else None
    return f"of {found[0]}" if found else "of the operator"


def _role_now(seen: Seen) -> str | None:
    """The role before this change: that of the version before it, or, of the first two owners, the account's own."""
    if seen.before is not None:
        return None if seen.before.get("retired") else str(seen.before.get("role", ""))
    found = row(_ACCOUNT, seen.subject) if seen.open else None
    return None if found is None or found[1] else str(found[0])


def _sentence(who: str, where: str, old: str | None, role: str, *, ends: bool) -> str:
    if ends:
        return f"{who} loses access to everything {where}."
    if old is None:
        return f"{who} becomes {role} {where}."
    if old == role:
        return f"{who} stays {role} {where}; only their credentials or sealed details change."
    return f"{who}, now {old} {where}, becomes {role}."


def _lists(actor: Actor, seen: Seen, old: str | None, new: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    had, gets = set(_may(actor, seen, old or "")), set(_may(actor, seen, new))
    told = (("May do then, and may not now", gets - had), ("May not do any more", had - gets))
    return tuple((heading, tuple(what for name, what in _words() if name in found)) for heading, found in told if found)


def _may(actor: Actor, seen: Seen, role: str) -> Iterator[str]:
    profile = actor.profile if seen.tenant else HOUSE
    return (each.action for each in permissions().values() if each.role == role and each.profile == profile)


def _words() -> Iterator[tuple[str, str]]:
    return ((name, action.what) for name, action in actions().items())
