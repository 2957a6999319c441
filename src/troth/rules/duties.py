"""The house of duties: what people promise to do again and again, who answers for it, and when each falls due.

A duty is promised by a day: so many days after it was last done, or after the promise began. It falls due on the last
closing time of business up to the end of that day: whoever does it then is never later than promised.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from troth.rules.business_time import Calendar, closing
from troth.rules.policy import Policy

SOON = timedelta(days=14)  # before its time it is said to come
REMINDED = (14, 3)  # days before its time at which people are told; then once a week
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_ALL = ("property", "construction", "retail")


@dataclass(frozen=True, slots=True)
class Duty:
    """`field`: the policy's number of days, its section first. `owner`: a role of the operator's staff. `profiles`: who
    promises it. `evidence_kind` None: a review of the pages is what does it. `house`: one for the whole installation.
    """

    code: str
    claim: str
    title: str
    field: tuple[str, str]
    owner: str
    profiles: tuple[str, ...]
    evidence_kind: str | None = None
    house: bool = False

    def every_days(self, policy: Policy) -> int:
        """Days from one time to the next, as a policy has it."""
        section, name = self.field
        days: int = getattr(getattr(policy, section), name)
        return days

    @property
    def record(self) -> str:
        """Where it is recorded, of the pages."""
        kind = f"&kind={self.evidence_kind}" if self.evidence_kind else ""
        return f"/evidence/new?claim={self.claim}{kind}"


def _shown(code: str, claim: str, title: str, name: str, owner: str, *profiles: str, house: bool = False) -> Duty:
    """One whose evidence has the duty's own name."""
    return Duty(code, claim, title, ("schedule", name), owner, profiles, code, house)


DUTIES: tuple[Duty, ...] = (
    Duty("access-review", "ACC-7", "Access review", ("access", "review_days"), "security", ("construction", "retail")),
    Duty("dmarc-review", "EML-4", "Review of DMARC reports", ("cases", "dmarc_review"), "deliverability",
         ("construction",)),
    Duty("complaint-review", "FBL-3", "Review of complaints", ("cases", "loops_review"), "deliverability",
         ("property", "construction")),
    _shown("code-review", "APP-1", "Proof that all code is reviewed", "code_review", "security", *_ALL, house=True),
    _shown("static-scan", "APP-1", "Static scan of the code", "code_scan", "security", "property", "retail",
           house=True),
    _shown("dynamic-scan", "APP-1", "Scan of the running service", "running_scan", "security", "property", house=True),
    Duty("engineer-training", "APP-1", "Training of the engineers", ("schedule", "training"), "security", ("retail",),
         "training", house=True),
    _shown("penetration-test", "APP-6", "Penetration test", "penetration_test", "security", "property", "retail",
           house=True),
    _shown("restore-drill", "INF-9", "Restore drill", "restore_drill", "ops-admin", "property"),
    _shown("isolation-exercise", "INC-6", "Incident exercise: a system is cut off and brought back",
           "isolation_exercise", "security", *_ALL),
    _shown("policy-review", "CPL-5", "Review of the policies", "policy_review", "compliance", "property"),
    _shown("training", "CPL-5", "Training of the staff", "training", "compliance", "property"),
    _shown("acceptable-use-policy", "CPL-7", "Acceptable use policy renewed", "policy_review", "compliance", "property",
           "retail"),
    _shown("privacy-policy", "CPL-7", "Privacy policy renewed", "policy_review", "compliance", "retail"),
    _shown("safe-harbour", "VDP-3", "Safe harbour statement renewed", "policy_review", "security", *_ALL),
)  # fmt: skip
BY_CODE: Mapping[str, Duty] = {each.code: each for each in DUTIES}


def of_profile(profile: str) -> tuple[Duty, ...]:
    return tuple(each for each in DUTIES if profile in each.profiles)


def of_claim(claim: str, profile: str = "") -> tuple[Duty, ...]:
    """The duties that a claim rests on; with a profile, those that it promises."""
    return tuple(each for each in DUTIES if each.claim == claim and (not profile or profile in each.profiles))


def every_days(duty: Duty, policies: Iterable[Policy]) -> int:
    """The soonest of several policies: what counts where a duty is the whole installation's. ValueError for none."""
    return min(duty.every_days(policy) for policy in policies)


def promised(duty: Duty, policy: Policy, last_done: date | None, begun: date) -> date:
    """The last day on which the promise is kept."""
    return (last_done or begun) + timedelta(days=duty.every_days(policy))


def due(duty: Duty, policy: Policy, last_done: date | None, begun: date, calendar: Calendar) -> date:
    """The day on which it falls due, in the calendar's zone."""
    last = promised(duty, policy, last_done, begun)
    return due_at(ends(last), ends((last_done or begun) - _DAY), calendar).astimezone(calendar.tz).date()


def due_at(last: datetime, after: datetime, calendar: Calendar) -> datetime:
    """When what is promised until the moment `last` falls due: the last closing time up to it, in UTC; the moment
    itself where business did not close once since `after`.
    """
    day, first = last.astimezone(calendar.tz).date(), after.astimezone(calendar.tz).date()
    closings = (closing(day - n * _DAY, calendar) for n in range((day - first).days + 1))
    return next((at for at in closings if at is not None and after < at <= last), last.astimezone(UTC))


def ends(day: date) -> datetime:
    """The end of a day by UTC, as evidence counts its last one."""
    return datetime.combine(day + _DAY, time(), UTC)


def state(at: datetime | None, now: datetime, every: int) -> str:
    """overdue, soon, later; "waits": nothing is there yet that it could be about. What is done every few days is not
    soon due before half of them are over.
    """
    if at is None:
        return "waits"
    if at <= now:
        return "overdue"
    return "soon" if at - now <= min(SOON, every * _DAY / 2) else "later"


def reminder(at: datetime, now: datetime, every: int) -> str:
    """What people are to be told now, as a name that is told once, such as 14 days or late 2; "" for nothing."""
    if at <= now:
        return f"late {(now - at) // _WEEK + 1}"
    near = [days for days in REMINDED if 2 * days <= every and at - now <= days * _DAY]
    return f"{min(near)} days" if near else ""
