"""Webhooks' tally, for the log and for metrics."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Since this process started. `refused`: an address that is not public; `unread`: no key for a payload."""

    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    refused: int = 0
    unread: int = 0
    lost: int = 0  # settled too late: somebody else had the claim
    disabled: int = 0
    notices_sent: int = 0
    notices_unsent: int = 0
    broken: int = 0  # faults of our own
    sending: int = 0  # now
