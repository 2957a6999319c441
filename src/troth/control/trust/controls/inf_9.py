"""Control of INF-9: after a disaster the service is back within its objectives, as restore drills show."""

from dataclasses import replace

from troth.control.evidence import reading
from troth.control.evidence.reading import Damaged, Piece
from troth.control.trust import attested, promised
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.rules import restore_drill
from troth.rules.profile import load_profile

_KIND = "restore-drill"
_FILE = "SELECT file_ct FROM evidence WHERE id = %s"


def check(look: Look, programme: Programme | None) -> Found:
    """The newest drill that counts is the one that is measured; a better one before it does not help."""
    assert programme is not None
    found = attested.rests(look, programme, "INF-9")
    if not found.holds:
        return found
    with look.of(None) as connection:
        told = reading.of_kind(connection, programme.id, _KIND)
    drills = [one for one in told if one.claim == "INF-9" and one.withdrawn_at is None]
    findings = Findings(seen={**found.seen})
    _measured(findings, look, programme, max(drills, key=lambda one: (one.performed_on, one.id)))
    measured = findings.done()
    return replace(measured, why=(*found.why, *measured.why))


def _measured(findings: Findings, look: Look, programme: Programme, piece: Piece) -> None:
    policy, promise = promised.in_force(look.connection, programme), load_profile(programme.profile).policy
    if policy is None:
        findings.wrong.append("no policy is in force that says how much may be lost")
        return
    here, there = policy.hosting, promise.hosting
    kept = here.rpo_minutes <= there.rpo_minutes and here.rto_minutes <= there.rto_minutes
    findings.need(kept, "the policy in force has other objectives than the promise")
    try:
        drill = restore_drill.read(_content(look, piece))
    except (Damaged, ValueError) as trouble:
        findings.wrong.append(f"the drill of {piece.performed_on} has no figures: {trouble}")
        return
    findings.seen |= {"lost_minutes": drill.lost_minutes, "took_minutes": drill.took_minutes}
    objectives = min(here.rpo_minutes, there.rpo_minutes), min(here.rto_minutes, there.rto_minutes)
    findings.take(f"the drill of {piece.performed_on}: {wrong}" for wrong in restore_drill.beyond(drill, *objectives))


def _content(look: Look, piece: Piece) -> bytes:
    with look.of(None) as connection:
        row = connection.execute(_FILE, (piece.id,)).fetchone()
    return reading.opened(look.operator, piece, bytes(row[0]) if row else b"")


CONTROL = Control(
    "INF-9",
    "inf_9",
    HOUR,
    "The record of the newest restore drill, which one person brought and another accepted, is opened and hashed "
    "again; it is not older than policy lets it be, what it lost and how long it took are below the objectives of the "
    "policy in force, and what it restored proved whole.",
    check,
)
