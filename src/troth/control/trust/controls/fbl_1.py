"""Control of FBL-1: we take part in the mailbox providers' feedback programmes."""

from datetime import datetime, timedelta

from troth.control.trust import fences
from troth.control.trust.catalogue import shipped
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme

_OLD = timedelta(days=3)  # without a reading: both tell a day's numbers every day
_READ = "SELECT source, read_at FROM provider_read"
_LOOPS = """
SELECT provider, domains, evidence IS NOT NULL FROM feedback_loop WHERE ended_at IS NULL ORDER BY provider
"""
_NAMES = {"gmail": "Gmail Postmaster Tools", "snds": "Microsoft SNDS"}
# Yahoo by whose signature is believed; where no loop is promised by name, both that are read, and any loop
_LOOP_NAMES = {"Yahoo": ("yahoo.com", "yahooinc.com")}
_AHEAD = timedelta(minutes=1)  # between two readings of a clock


def check(look: Look, programme: Programme | None) -> Found:
    """What a provider confirmed stands with each loop's enrolment; that it still tells us is looked at."""
    assert programme is not None
    findings = Findings()
    findings.take(fences.tables(look.schema, "feedback_loop", "feedback_loop_day", "provider_day", "provider_read"))
    findings.take(fences.functions(look.schema, "feedback_loop_add_v1", "feedback_loop_end_v1", "feedback_loop_guard"))
    with look.of(None) as connection:
        read = dict(connection.execute(_READ).fetchall())
        loops = connection.execute(_LOOPS).fetchall()
    for source, name in _NAMES.items():
        _readings(findings, name, read.get(source), look.now)
    _enrolled(findings, shipped("FBL-1", programme.profile), loops)
    return findings.done()


def _readings(findings: Findings, name: str, newest: datetime | None, now: datetime) -> None:
    findings.seen[name] = newest.isoformat() if newest else None
    if newest is not None and newest > now + _AHEAD:
        findings.wrong.append(f"{name} is said to have been read at {newest:%Y-%m-%d %H:%M}, which has not come")
    elif newest is None:
        findings.missing.append(f"{name} is not read yet")
    elif now - newest > _OLD:
        findings.old.append(f"{name} told nothing since {newest:%Y-%m-%d %H:%M}")


def _enrolled(findings: Findings, promised: str, loops: list[tuple[str, list[str], bool]]) -> None:
    named = [domain for name, domains in _LOOP_NAMES.items() if name in promised for domain in domains]
    mine = [loop for loop in loops if not named or any(_signs(loop[1], domain) for domain in named)]
    findings.seen["loops"] = [provider for provider, _, _ in loops]
    if not mine:
        findings.missing.append("no feedback loop that is promised is enrolled" if named else "no loop is enrolled")
    elif not any(evidence for _, _, evidence in mine):
        findings.missing.append("of no enrolment is the provider's confirmation kept")


def _signs(domains: list[str], provider: str) -> bool:
    return any(domain == provider or domain.endswith("." + provider) for domain in domains)


CONTROL = Control(
    "FBL-1",
    "fbl_1",
    HOUR,
    "People attest each enrolment with what the provider confirmed, whose digest is kept with it; a promised "
    "provider is known by the domain whose signature is believed. Gmail's and Microsoft's own figures of us must have "
    "been read within three days.",
    check,
)
