"""Four eyes, the picture of a release: what is stopped or held now, since when and why, and what would go."""

from datetime import datetime
from typing import Any

from troth.control.approvals.pictures.picture import Picture, Row
from troth.control.approvals.reading import Seen
from troth.control.audit.asking import row
from troth.control.people.actor import Actor
from troth.control.people.permissions import allowed
from troth.keys import ids

_MOST = 10_000  # that are counted
_PAUSE = """
SELECT p.effect, p.reason, p.started_at, p.released_at, t.name, p.category_id, g.code FROM troth.pause p
LEFT JOIN troth.tenant t ON t.id = p.tenant_id
LEFT JOIN troth.governed g ON g.subject = p.category_id AND g.kind = 'category' WHERE p.id = %s
"""
_WAITING = """
SELECT count(*) FROM (SELECT FROM troth.spool WHERE tenant_id = %s AND state IN (2, 7)
AND coalesce(category_id = %s, true) LIMIT %s) AS w
"""
_HELD = """
SELECT m.created_at, s.lifetime_ends, g.code, i.cell FROM troth.message m JOIN troth.installation i ON true
LEFT JOIN troth.spool s ON s.message_id = m.id AND s.state = 10
LEFT JOIN troth.governed g ON g.subject = m.category_id WHERE m.id = %s AND m.tenant_id = %s
"""
_HELD_MAIL = """
WITH g AS (SELECT %s::uuid AS pause, %s::uuid[] AS messages, %s::uuid[] AS categories, %s::uuid[] AS templates)
SELECT count(*), min(ends_at) FROM (SELECT h.ends_at FROM g JOIN troth.held_mail h ON h.pause_id = g.pause
WHERE h.outcome IS NULL AND (g.messages IS NULL OR h.message_id = ANY(g.messages))
AND (g.categories IS NULL OR h.category_id = ANY(g.categories))
AND (g.templates IS NULL OR h.template_id = ANY(g.templates)) LIMIT %s) AS w
"""
_ANOMALY = "SELECT id FROM troth.anomaly WHERE pause_id = %s"
_LISTS = ("messages", "categories", "templates")
_EFFECTS = {
    "slow": "its hourly limits are lower",
    "stop-new": "new mail is refused",
    "stop-delivery": "nothing is sent, mail that waits included",
}


def picture(actor: Actor, seen: Seen) -> Picture:
    pause = row(_PAUSE, seen.subject)
    if pause is not None:
        return _pause(actor, seen, pause)
    message = row(_HELD, seen.subject, seen.tenant) if seen.tenant else None
    if message is not None:
        return _message(actor, seen, message)
    return Picture(
        "What this would let go is not there any more.", "An approval is refused: there is nothing to release."
    )


def _pause(actor: Actor, seen: Seen, found: tuple[Any, ...]) -> Picture:
    if "held" in seen.artefact:
        return _held_mail(actor, seen, found)
    effect, reason, started, released, name, category, code = found
    whose = f"of {name}" if name else "of every client"
    if category is not None:
        whose = f"of the category “{code or category}” {whose}"
    facts: list[Row] = [
        ("What is stopped", "", _EFFECTS.get(effect, effect), "mail goes as before then"),
        ("Why it was stopped", "", reason, ""),
        ("Since", "", _at(actor, started), ""),
    ]
    if seen.tenant:
        n = (row(_WAITING, seen.tenant, category, _MOST + 1) or (0,))[0]
        facts.append(("Messages that wait", "", _count(n), "sent as their limits and their time let them"))
    over = released is not None and seen.open
    says = f"The stop {whose} {'was lifted already' if over else 'is lifted'}."
    return Picture(says, "Mail goes again at once. Stopping it once more takes one person.", tuple(facts))


def _held_mail(actor: Actor, seen: Seen, found: tuple[Any, ...]) -> Picture:
    """Of the mail that a pause of the watch held: what becomes of which, and of the pause."""
    effect, reason, started, released, name, *_ = found
    asked = seen.artefact
    part = [asked.get(field) for field in _LISTS]
    n, ends = row(_HELD_MAIL, seen.subject, *part, _MOST + 1) or (0, None)
    goes = asked["held"] == "release"
    which = "chosen" if any(part) else "all"
    facts: list[Row] = [
        ("Held mail", "", _count(n), f"{which} of what waits now; {'let go' if goes else 'refused for good'}"),
        ("What is stopped", "", _EFFECTS.get(effect, effect), "as before then" if asked.get("lift") else "stays so"),
        ("Why it was stopped", "", reason, ""),
        ("Since", "", _at(actor, started), ""),
    ]
    if ends is not None:
        facts.append(("The first one's time ends", "", _at(actor, ends), "then it expires, and nobody gets it"))
    anomaly = row(_ANOMALY, seen.subject)
    says = f"Held mail of {name} is {'let go' if goes else 'refused'}"
    says += ", and its sending goes on." if asked.get("lift") and released is None else "."
    then = (
        "Each is counted in its hour and checked once more as it leaves: suppression, stops and limits hold."
        if goes
        else "Each is cancelled and never sent; the client's programs are told. This cannot be undone."
    )
    href = f"/anomalies/{anomaly[0]}" if anomaly else ""
    return Picture(says, then, tuple(facts), href=href, act="The curve, and the mail that is held")


def _message(actor: Actor, seen: Seen, found: tuple[Any, ...]) -> Picture:
    made, ends, category, cell = found
    facts: list[Row] = [
        ("Held message", "", "one", f"of the category “{category}”" if category else ""),
        ("Accepted", "", _at(actor, made), ""),
    ]
    if ends is not None:
        facts.append(("Its time ends", "", _at(actor, ends), "then it expires, and nobody gets it"))
    href = f"/messages/{ids.wire('msg', cell, seen.subject)}" if allowed(actor, "message:read") else ""
    then = "It is checked once more as it leaves: suppression, stops and limits hold."
    return Picture("One held message is let go.", then, tuple(facts), href=href, act="The message, and why it is held")


def _at(actor: Actor, at: datetime) -> str:
    return f"{at.astimezone(actor.zone):%d %b %Y, %H:%M (%Z)}".lstrip("0")


def _count(n: int) -> str:
    return f"more than {_MOST:,}" if n > _MOST else f"{n:,}"
