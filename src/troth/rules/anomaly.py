"""The river's flood gauge: a tenant's last 24 hours against the mean of the seven 24-hour windows before (claim LIM-3),
and how many of its messages bounced or were complained about.

Days before the tenant's first message count as zero, which is the strict reading; so that a new or small client can
work at all, volumes at or below a floor are never an anomaly. The floor is policy, larger in the first week, and part
of the sentence. What two people have let pass is compared with instead of a smaller mean, for a day. All arithmetic is
in integers: a volume, and a share, exactly at the threshold passes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from troth.rules.policy import Policy

WINDOWS = 7


@dataclass(frozen=True, slots=True)
class Anomaly:
    """action: None, or 'slow', 'stop-new', 'stop-delivery'. ratio_permille: volume to mean, None when the mean is zero.

    review_minutes: the time in which a person must look, None when there is nothing to look at.
    """

    action: str | None
    ratio_permille: int | None
    recent: int
    mean_permille: int
    floor: int
    first_week: bool
    review_minutes: int | None
    sentence: str


def judge(recent: int, previous: Sequence[int], policy: Policy, reviewed: int = 0) -> Anomaly:
    """Judge a volume. recent: messages of the last 24 h; previous: of up to seven 24 h windows before, newest first.

    Fewer than seven mean that the tenant has not yet sent for that long. reviewed: the volume of 24 h that two people
    let pass a short while ago, 0 for none. ValueError for more than seven, or a negative count.
    """
    if len(previous) > WINDOWS or min((recent, reviewed, *previous)) < 0:
        raise ValueError("At most seven previous windows are compared, and no count is negative.")
    total, rules = sum(previous), policy.anomaly
    first_week = len(previous) < WINDOWS
    floor = rules.first_week_floor if first_week else rules.floor
    against = max(total, reviewed * WINDOWS)
    raised = recent > floor and recent * WINDOWS * 100 > rules.percent * against
    return Anomaly(
        action=rules.action if raised else None,
        ratio_permille=recent * WINDOWS * 1000 // total if total else None,
        recent=recent,
        mean_permille=total * 1000 // WINDOWS,
        floor=floor,
        first_week=first_week,
        review_minutes=rules.review_minutes if raised else None,
        sentence=_sentence(recent, total, floor, rules.percent, raised=raised)
        + (f" Two people let {reviewed:,} pass." if reviewed * WINDOWS > total else ""),
    )


def ceiling(previous: Sequence[int], policy: Policy, reviewed: int = 0) -> int:
    """Give the largest volume of 24 hours that is no anomaly."""
    rules = policy.anomaly
    floor = rules.floor if len(previous) >= WINDOWS else rules.first_week_floor
    return ceiling_of(previous, rules.percent, floor, reviewed)


def ceiling_of(previous: Sequence[int], percent: int, floor: int, reviewed: int = 0) -> int:
    """Give the same of plain numbers: floor is the one that counts now."""
    return max(floor, percent * max(sum(previous), reviewed * WINDOWS) // (WINDOWS * 100))


def _sentence(recent: int, total: int, floor: int, percent: int, *, raised: bool) -> str:
    mean = f"{total // WINDOWS:,}.{total * 10 // WINDOWS % 10}"
    verdict = "an anomaly" if raised else "no anomaly"
    return (
        f"{recent:,} messages in 24 hours against a 7-day mean of {mean}: {verdict} "
        f"(above {percent} % of the mean and above {floor:,} messages is one)."
    )


@dataclass(frozen=True, slots=True)
class Share:
    """A share that is weighed. cause: 'bounce' or 'complaint'; n of of_n; action None: nothing unusual, or too few."""

    cause: str
    action: str | None
    n: int
    of_n: int
    permille: int
    sample: int
    sentence: str


def weigh(cause: str, n: int, of_n: int, policy: Policy) -> Share:
    """Weigh what bounced of what was answered, or what was complained about of what was taken; ValueError for n < 0."""
    rules = policy.anomaly
    permille, sample, words = {
        "bounce": (rules.bounce_permille, rules.bounce_sample, "bounced of {:,} answered"),
        "complaint": (rules.complaint_permille, rules.complaint_sample, "were complained about of {:,} taken"),
    }[cause]
    if min(n, of_n) < 0:
        raise ValueError("No count is negative.")
    raised = of_n >= sample and n * 1000 > permille * of_n
    verdict = "an anomaly" if raised else "no anomaly"
    sentence = (
        f"{n:,} messages {words.format(of_n)} in {rules.ratio_hours} hours: {verdict} "
        f"(more than {permille} in 1,000 of at least {sample:,} is one)."
    )
    return Share(cause, rules.action if raised else None, n, of_n, permille, sample, sentence)
