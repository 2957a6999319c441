"""Beside the demo's river: its clock, the one thing that it moves by itself: an offset that only a demo may have."""

import time
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from troth.cli import wiring
from troth.cli.words import CommandError
from troth.settings import Settings

_PATIENCE = 20.0  # seconds for the duties to look at the DNS again
_STILL = "LOCK TABLE troth.spool IN SHARE ROW EXCLUSIVE MODE"
_HELD_NOW = "SELECT count(*) FROM troth.spool WHERE state IN (3, 4)"
_MOVE = "UPDATE troth.installation SET clock_offset = clock_offset + %s"
_LATE = """
SELECT count(*) FROM troth.domain_state
WHERE checked_at IS NULL OR checked_at < troth.now_v1() - interval '5 minutes'
"""


class NotChecked(CommandError):  # noqa: N818 - reads as the sentence it raises
    """The duties did not look at the domains again in time, or the workers were never at rest."""


@dataclass(slots=True)
class Clock:
    """Moves forward only. `ahead` is what it has been moved by."""

    settings: Settings
    ahead: timedelta = timedelta(0)

    def move_to(self, ahead: timedelta) -> None:
        """So far ahead of the real time in all, between two messages: to a lease a leap is its worker's death."""
        until = time.monotonic() + _PATIENCE
        with self._owner() as owner:
            while not self._moved(owner, ahead - self.ahead):
                if time.monotonic() > until:
                    raise NotChecked(f"Workers were busy for {_PATIENCE:g} s, so the clock was not moved.")
                time.sleep(0.02)
        self.ahead = ahead

    @staticmethod
    def _moved(owner: psycopg.Connection[tuple[int]], by: timedelta) -> bool:
        """Moved in one transaction in which nobody can claim or mark; False while somebody holds a claim."""
        with owner.transaction():
            owner.execute(_STILL)
            row = owner.execute(_HELD_NOW).fetchone()
            if row is None or row[0]:
                return False
            owner.execute(_MOVE, (by,))
        return True

    def await_domain_checks(self) -> None:
        """Until a look at each sending domain that began in the last minutes of this clock has ended."""
        until = time.monotonic() + _PATIENCE
        with self._owner() as owner:
            while (row := owner.execute(_LATE).fetchone()) and row[0]:
                if time.monotonic() > until:
                    raise NotChecked(f"{row[0]} sending domains were not looked at within {_PATIENCE:g} s.")
                time.sleep(0.05)

    def _owner(self) -> psycopg.Connection[tuple[int]]:
        where = wiring.conninfo(self.settings, "migrate")
        return psycopg.connect(**where, autocommit=True, options="-c role=troth_owner")
