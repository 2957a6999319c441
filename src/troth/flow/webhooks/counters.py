"""Webhooks' tally, for the log and for the meters. No personal data, and no client."""

from dataclasses import dataclass

_OUTCOMES = ("delivered", "failed", "given_up", "refused", "unread", "lost", "broken")


@dataclass(slots=True)
class Counters:
    """Since this process started; `sending` is of this moment."""

    delivered: int = 0
    failed: int = 0  # attempts
    given_up: int = 0
    refused: int = 0  # attempts that would have led to an address that is not public
    unread: int = 0  # payloads whose personal part did not open
    lost: int = 0  # settled too late: somebody else had the claim
    broken: int = 0  # faults of our own
    disabled: int = 0  # endpoints, after long failure or 410
    notices_sent: int = 0
    notices_unsent: int = 0  # about a disabled endpoint; `troth webhook list` says why
    sending: int = 0

    def told(self) -> dict[str, dict[str, float]]:
        """For the meters (cli/metrics/catalogue.py)."""
        return {
            "troth_webhook_total": {name: float(getattr(self, name)) for name in _OUTCOMES},
            "troth_webhook_disabled_total": {"": float(self.disabled)},
            "troth_webhook_notices_total": {"sent": float(self.notices_sent), "unsent": float(self.notices_unsent)},
            "troth_webhook_sending": {"": float(self.sending)},
        }
