"""Delivery's tally, for the log and for the meters. No personal data."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from troth.flow.delivery.pool import Health


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

    def told(self, health: "Health") -> dict[str, dict[str, float]]:
        """For the meters (cli/metrics/catalogue.py)."""
        steps = {name: float(n) for name, n in self.as_dict().items() if name not in ("waiting", "sending")}
        return {
            "troth_delivery_total": steps,
            "troth_delivery_waiting": {"": float(self.waiting)},
            "troth_delivery_sending": {"": float(self.sending)},
            "troth_smtp_answers_total": {
                "accepted": health.accepted, "refused": health.refused, "unsent": health.unsent, "lost": health.lost,
            },
            "troth_relay_connections": {"open": health.open, "busy": health.busy},
            "troth_relay_failing": {"": float(health.failing > 0)},
            "troth_relay_opened_total": {"opened": health.opened, "failed": health.failed},
        }  # fmt: skip

    def as_dict(self) -> dict[str, int]:
        return asdict(self)
