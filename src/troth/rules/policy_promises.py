"""The gate's numbers that the gate never reads: what is promised of the service as a whole, one class a section.

They stand in the same document as the rest, so that a sentence of the trust centre changes under four eyes, or not at
all. What a profile does not promise has "none", 0 or the loosest value here: no sentence then speaks of it.
"""

import re
from dataclasses import dataclass
from typing import Annotated

from troth.rules.strictness import AtLeast, AtMost, Figure, Named, Ordered, Switch, Within

_REGION = re.compile(r"[a-z]{2}(-[a-z]{3,12}){1,2}-\d{1,2}", re.ASCII)
_MILLION = 1_000_000
_YEAR = 366
_WEEK_MINUTES = 10_080


def region_problem(text: str) -> str | None:
    """Say what is wrong with the name of a region."""
    named = not text or _REGION.fullmatch(text)
    return None if named else "must be the name of a region such as eu-west-2, or nothing where none is named"


@dataclass(frozen=True, slots=True)
class Trust:
    """What the trust centre does with what it says."""

    failing: Annotated[str, Ordered(("say", "withdraw")), "what the public page does with a claim that fails"]
    fails_opens_incident: Annotated[bool, Switch(strict=True), "a claim that turns to fail opens an incident"]
    paper_days: Annotated[int, AtMost(1, 90), "days for which a signed document of the trust centre is valid"]
    question_days: Annotated[int, AtMost(1, 90), "days in which a question from outside is answered"]
    request_days: Annotated[int, AtMost(1, 90), "days in which a request for documents is decided"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Days from one time that something is done to the next (rules/duties.py)."""

    penetration_test: Annotated[int, AtMost(1, _YEAR), "days from one penetration test to the next"]
    training: Annotated[int, AtMost(1, _YEAR), "days from one training of the staff to the next"]
    policy_review: Annotated[int, AtMost(1, _YEAR), "days from one review of the written policies to the next"]
    restore_drill: Annotated[int, AtMost(1, _YEAR), "days from one restore drill to the next"]
    incident_exercise: Annotated[int, AtMost(1, _YEAR), "days from one incident exercise to the next"]
    isolation_exercise: Annotated[int, AtMost(1, _YEAR), "days from one exercise in cutting a system off to the next"]
    code_review: Annotated[int, AtMost(1, _YEAR), "days from one proof that all code is reviewed to the next"]
    code_scan: Annotated[int, AtMost(1, _YEAR), "days from one scan of the code as text to the next"]
    running_scan: Annotated[int, AtMost(1, _YEAR), "days from one scan of the running service to the next"]
    enrolment: Annotated[int, AtMost(1, _YEAR), "days from one look at the feedback programmes to the next"]
    key_rotation: Annotated[int, AtMost(1, _YEAR), "days an encryption key may be in use before it is replaced"]


@dataclass(frozen=True, slots=True)
class Targets:
    """What is said of the mail in numbers, and what is aimed at: per mille, or parts in a million (ppm)."""

    delivered_permille: Annotated[int, AtLeast(0, 999), "share of mail that is delivered, per mille; 0: none is said"]
    complaint_ppm: Annotated[int, AtMost(1, _MILLION), "share of mail that is complained about, said to be below"]
    complaint_target_ppm: Annotated[int, AtMost(1, _MILLION), "the same, aimed at"]
    bounce_ppm: Annotated[int, AtMost(1, _MILLION), "share of mail that bounces, said to be below"]
    bounce_target_ppm: Annotated[int, AtMost(1, _MILLION), "the same, aimed at"]
    daily_volume: Annotated[int, Figure(0, 100_000_000), "messages a day that are said to be sent, about"]
    uptime_ppm: Annotated[int, AtLeast(0, _MILLION), "share of a year in which the service is up, ppm; 0: none is said"]


@dataclass(frozen=True, slots=True)
class Hosting:
    """Where the service runs, and what of it can be brought back."""

    region: Annotated[str, Named(region_problem), "region in which the service runs; empty: none is named"]
    zones: Annotated[int, AtLeast(1, 9), "availability zones over which it is spread"]
    snapshot_days: Annotated[int, AtLeast(0, 3_650), "days a daily snapshot is kept; 0: none is promised"]
    log_days: Annotated[int, AtLeast(0, 3_650), "days the machines' and programs' own logs are kept"]
    rpo_minutes: Annotated[int, AtMost(1, _WEEK_MINUTES), "minutes of data that a disaster may lose at most"]
    rto_minutes: Annotated[int, AtMost(1, _WEEK_MINUTES), "minutes after a disaster until the service is back"]


@dataclass(frozen=True, slots=True)
class Response:
    """By when each phase of an incident is over, from its detection; a breach from when it is known."""

    alert: Annotated[str, Within(optional=True), "time until somebody on call answers an alert"]
    detection: Annotated[str, Within(), "time until an incident is detected"]
    triage: Annotated[str, Within(), "time until it is graded and somebody has it"]
    containment: Annotated[str, Within(), "time until it is contained"]
    investigation: Annotated[str, Within(optional=True), "time until its cause is looked into"]
    remediation: Annotated[str, Within(), "time until its cause is removed and the service is back"]
    review: Annotated[str, Within(), "time until it has been reviewed in writing"]
    breach_authority: Annotated[str, Within(), "time until the authority is told of a breach"]
