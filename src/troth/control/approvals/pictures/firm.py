"""Four eyes, the pictures of a client firm and of a programme: who they are, in words, without their keys."""

from troth.control.approvals.pictures.picture import Picture, rows
from troth.control.approvals.reading import Seen
from troth.control.audit.asking import row
from troth.control.people.actor import Actor

_TENANT = {
    "name": "Name",
    "programme": "Programme",
    "kind": "What it is",
    "timezone": "Time zone",
    "plan": "Plan",
    "postal_address": "Postal address, as every message shows it",
}
_PROGRAMME = {
    "name": "Name",
    "profile": "Promises",
    "domain": "Domain of its pages and its own mail",
    "abuse": "Reports of abuse go to",
    "security": "Reports of weaknesses go to",
    "privacy": "Questions about one’s own data go to",
    "languages": "Languages of the security desk",
    "encryption": "Its key",
    "policy": "Its rules for whoever looks for weaknesses",
    "postal": "Postal address for questions",
    "telephone": "Telephone for questions",
    "subprocessors": "Subprocessors, as the trust centre lists them",
}
_NAMED = "SELECT name FROM troth.programme WHERE id = %s::uuid"


def tenant(actor: Actor, seen: Seen) -> Picture:
    del actor
    name = seen.artefact.get("name", seen.code)
    says = f"{name} is as the right column says." if seen.before else f"{name} becomes a client."
    then = "Its people, domains and keys can be proposed from then on; nothing is sent yet." if not seen.before else (
        "Every message from then on shows it.")  # fmt: skip
    return Picture(says, then, rows(seen.before and _told(seen.before), _told(seen.artefact), _TENANT))


def programme(actor: Actor, seen: Seen) -> Picture:
    del actor
    name = seen.artefact.get("name", seen.code)
    says = f"{name} is as the right column says." if seen.before else f"{name} becomes a programme of the operator."
    return Picture(says, "Its promise, the policy “programme:…”, is proposed on its own.",
                   rows(seen.before and _spread(seen.before), _spread(seen.artefact), _PROGRAMME))  # fmt: skip


def _spread(artefact: dict[str, object]) -> dict[str, object]:
    """Its contacts beside the rest; the languages as one line, subprocessors as another."""
    contacts = artefact.get("contacts") or {}
    assert isinstance(contacts, dict)
    told = {name: ", ".join(each) if isinstance(each, list) else each for name, each in contacts.items()}
    others = artefact.get("subprocessors") or []
    assert isinstance(others, list)
    listed = "; ".join(", ".join(str(value) for value in each.values() if value) for each in others)
    rest = {name: each for name, each in artefact.items() if name not in ("contacts", "subprocessors")}
    return {**rest, **told, **({"subprocessors": listed} if listed else {})}


def _told(artefact: dict[str, object]) -> dict[str, object]:
    found = row(_NAMED, artefact.get("programme"))
    what = {1: "a client firm", 2: "the programme’s own, for Troth’s mail"}
    return {**artefact, "programme": found[0] if found else "", "kind": what.get(artefact.get("kind"), "")}  # type: ignore[call-overload]  # whatever stands there
