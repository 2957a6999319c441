"""Evidence, told: what a verification looked at, as counts and as the sentences that a person reads."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from troth.ledger.checkpoint import Checkpoint


@dataclass(slots=True)
class Report:
    """What was verified and found true; filled as the verification goes. `said` is what was left out, and why."""

    source: str
    key: str = ""
    key_given: bool = False
    entries: int = 0
    root: bytes = b""
    nodes: int = 0
    checkpoints: int = 0
    sealed: int = 0
    since: int = 0
    size_signed: int = 0
    first_at: datetime | None = None
    signed_at: datetime | None = None
    events: int | None = None
    waiting: int = 0
    opened: int | None = None
    erased: int = 0
    governed: int | None = None
    standings: int | None = None
    failing: list[str] = field(default_factory=list)
    files: int | None = None
    said: list[str] = field(default_factory=list)

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """One more checkpoint was found true."""
        self.checkpoints += 1
        self.size_signed, self.signed_at = checkpoint.size, checkpoint.at
        self.first_at = self.first_at or checkpoint.at

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"ok": True, **asdict(self)}

    def lines(self) -> list[str]:
        """For people; the first begins with OK."""
        signed = f", the newest of {self.signed_at:%Y-%m-%d %H:%M:%S} UTC" if self.signed_at else ""
        counts = f"{self.entries:,} entries, {self.sealed:,} sealed events, {self.checkpoints:,} signed checkpoints"
        lines = [f"OK: {counts}{signed} ({self.source})."]
        if self.events is not None:
            lines.append(f"Events: {self.events:,} rows, each sealed or in the line; {self.waiting:,} wait there.")
        if self.opened is not None:
            lines.append(
                f"Opened: {self.opened:,} events made anew from what is sealed; {self.erased:,} of erased people."
            )
        if self.governed is not None:
            lines.append(f"Governed: {self.governed:,} approved versions are what the ledger says was approved.")
        if self.standings:
            lines.append(
                f"Claims: {self.standings:,} states, each as the ledger was told, and what each stands at now."
            )
        if self.failing:
            lines.append(
                f"These claims FAIL, and the ledger says so: {', '.join(self.failing)} (`troth claims explain`)."
            )
        if self.files is not None:
            lines.append(f"Files: {self.files:,}, none missing, none more.")
        if self.since:
            lines.append(f"Since: it extends {self.since:,} earlier checkpoint{'s' if self.since > 1 else ''}.")
        return [*lines, f"Key: {self.key}", *self.said]
