"""Claims: what a control is. One file a control, in controls/; its order there is the order in which they are run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from troth.control.trust.found import Found
from troth.control.trust.look import Look, Programme

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Control:
    """`interval`: how old its last check may be before the claim is stale. `how`: how it knows, in a sentence.

    `check` gets a programme that promises the claim, or None where the claim is the installation's.
    """

    claim: str
    name: str
    interval: timedelta
    how: str
    check: Callable[[Look, Programme | None], Found]
