"""Delivery's tally, for the log now and for metrics later. No personal data."""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counters:
    """Since the worker's start; `waiting` and `sending` are of this moment."""

    claimed: int = 0
    composed: int = 0
    marked: int = 0
    sent: int = 0
    deferred: int = 0
    bounced: int = 0
    failed: int = 0
    held: int = 0
    expired: int = 0
    suppressed: int = 0
    cancelled: int = 0
    uncertain: int = 0
    returned: int = 0  # given back without an attempt
    stale: int = 0  # another worker's by the time of the mark
    late: int = 0  # answers that came after the claim was lost
    away: int = 0  # times that the store could not be reached
    broken: int = 0  # messages that a fault of ours kept from being recorded
    waiting: int = 0
    sending: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)
