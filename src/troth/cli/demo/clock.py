"""Beside the demo's river: its clock, the one thing that it moves by itself: an offset that only a demo may have."""

import time
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from troth.cli import wiring
from troth.cli.words import CommandError
from troth.settings import Settings

_PATIENCE = 20.0  # seconds for the duties to look at the DNS again
_MOVE = "UPDATE troth.installation SET clock_offset = clock_offset + %s"
_LATE = """
SELECT count(*) FROM troth.domain_state
WHERE checked_at IS NULL OR checked_at < troth.now_v1() - interval '5 minutes'
"""


class NotChecked(CommandError):  # noqa: N818 - reads as the sentence it raises
    """The duties did not look at the domains again in time."""


@dataclass(slots=True)
class Clock:
    """Moves forward only. `ahead` is what it has been moved by."""

    settings: Settings
    ahead: timedelta = timedelta(0)

    def move_to(self, ahead: timedelta) -> None:
        """So far ahead of the real time in all."""
        with self._owner() as owner:
            owner.execute(_MOVE, (ahead - self.ahead,))
        self.ahead = ahead

    def await_domain_checks(self) -> None:
        """Until each sending domain was looked at in the last minutes of this clock."""
        until = time.monotonic() + _PATIENCE
        with self._owner() as owner:
            while (row := owner.execute(_LATE).fetchone()) and row[0]:
                if time.monotonic() > until:
                    raise NotChecked(f"{row[0]} sending domains were not looked at within {_PATIENCE:g} s.")
                time.sleep(0.05)

    def _owner(self) -> psycopg.Connection[tuple[int]]:
        where = wiring.conninfo(self.settings, "migrate")
        return psycopg.connect(**where, autocommit=True, options="-c role=troth_owner")
