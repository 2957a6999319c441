"""Inbound's tally, for the meters. No personal data."""

from collections import Counter

OUTCOMES = (
    "taken", "automatic", "gone", "full", "not-ours", "refused", "away", "broken", "timeout", "turned-away",
)  # fmt: skip


class Tally(Counter[str]):
    """Letters and connections since the start, by what became of them."""

    def told(self, connections: int) -> dict[str, dict[str, float]]:
        return {
            "troth_inbound_total": {name: float(self[name]) for name in OUTCOMES},
            "troth_inbound_connections": {"": float(connections)},
        }
