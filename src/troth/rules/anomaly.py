"""The river's flood gauge: a tenant's last 24 hours against the mean of the seven 24-hour windows before (claim LIM-3).

Days before the tenant's first message count as zero, which is the strict reading; so that a new or small client can
work at all, volumes at or below a floor are never an anomaly. The floor is policy, larger in the first week, and part
of the sentence. All arithmetic is in integers: a volume exactly at the threshold passes.
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


def judge(recent: int, previous: Sequence[int], policy: Policy) -> Anomaly:
    """Judge a volume. recent: messages of the last 24 h; previous: of up to seven 24 h windows before, newest first.

    Fewer than seven mean that the tenant has not yet sent for that long. ValueError for more, or a negative count.
    """
    if len(previous) > WINDOWS or min((recent, *previous)) < 0:
        raise ValueError("At most seven previous windows are compared, and no count is negative.")
    total, rules = sum(previous), policy.anomaly
    first_week = len(previous) < WINDOWS
    floor = rules.first_week_floor if first_week else rules.floor
    raised = recent > floor and recent * WINDOWS * 100 > rules.percent * total
    return Anomaly(
        action=rules.action if raised else None,
        ratio_permille=recent * WINDOWS * 1000 // total if total else None,
        recent=recent,
        mean_permille=total * 1000 // WINDOWS,
        floor=floor,
        first_week=first_week,
        review_minutes=rules.review_minutes if raised else None,
        sentence=_sentence(recent, total, floor, rules.percent, raised=raised),
    )


def _sentence(recent: int, total: int, floor: int, percent: int, *, raised: bool) -> str:
    mean = f"{total // WINDOWS}.{total * 10 // WINDOWS % 10}"
    verdict = "an anomaly" if raised else "no anomaly"
    return (
        f"{recent} messages in 24 hours against a 7-day mean of {mean}: {verdict} "
        f"(above {percent} % of the mean and above {floor} messages is one)."
    )
