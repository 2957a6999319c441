"""A replay's own counting: what the gate found in a client's counters and volume, put right by what another policy let
through beside it, or kept back.

So that a replay of the policy of the day finds what the gate found, and one of another policy what a gate under it
would have found, whatever else was counted meanwhile (cancelled mail, mail of a person who was erased).
"""

from bisect import bisect_left
from collections import Counter as Sum
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from troth.rules.anomaly import WINDOWS
from troth.rules.kept import Count, Volume
from troth.rules.policy import Policy
from troth.rules.replay import unusual

Window = tuple[int, int, int]  # the counter's place, its subject's print, its window's end in seconds of the epoch
SLOT = 300  # seconds, as the gate counts volumes
_DAY = 86_400


@dataclass(slots=True)
class Counters:
    """One client's limits. Seconds are those of the decision, in the epoch."""

    differs: Sum[Window] = field(default_factory=Sum)

    def found(self, counts: Iterable[Count], second: int) -> tuple[Count, ...]:
        """Give the counters as this policy's own traffic has left them."""
        if not self.differs:
            return tuple(counts)
        return tuple(self._found(count, second) for count in counts)

    def _found(self, count: Count, second: int) -> Count:
        differs = self.differs.get((count.place, count.subject, second + count.ends), 0)
        return Count(count.place, count.subject, count.used + differs, count.asking, count.ends) if differs else count

    def settle(self, messages: Iterable[tuple[Count, ...]], second: int, *, then: bool, now: bool) -> None:
        """Count an email of these messages: `then` the gate let it through, `now` this policy does."""
        if then is now:
            return
        sign = 1 if now else -1
        asked = {(c.place, c.subject, second + c.ends): c.asking for counts in messages for c in counts}
        for window, amount in asked.items():
            self.differs[window] += sign * amount


@dataclass(slots=True)
class Watch:
    """One client's volume, and when this policy's anomaly watch would have paused it.

    A person is taken to look when the review is due, and to let that volume pass, as the platform then does for a day.
    """

    slots: list[int] = field(default_factory=list)  # those in which this policy's traffic differs from the gate's
    sums: list[int] = field(default_factory=list)  # by how much until their end
    until: int = 0  # second of the epoch until which sending is paused
    reviewed: int = 0
    reviewed_at: int = 0

    def settle(self, messages: int, second: int, *, then: bool, now: bool) -> None:
        """Count an email of so many messages: `then` the gate let it through, `now` this policy does."""
        if then is now:
            return
        slot, more = second // SLOT * SLOT, messages if now else -messages
        if self.slots and self.slots[-1] >= slot:
            self.sums[-1] += more
        else:
            self.slots.append(slot)
            self.sums.append((self.sums[-1] if self.sums else 0) + more)

    def found(self, volume: Volume | None, second: int) -> Volume | None:
        """Give the volume as this policy's own traffic has left it."""
        if volume is None or not self.slots:
            return volume
        end = second // SLOT * SLOT + SLOT
        marks = [self._until(end - day * _DAY) for day in range(WINDOWS + 2)]
        recent, *before = (late - early for late, early in pairwise(marks))
        previous = tuple(max(0, n + more) for n, more in zip(volume.previous, before, strict=False))
        return Volume(max(0, volume.recent + recent), previous, volume.reviewed, volume.asking)

    def paused(self, volume: Volume | None, second: int, policy: Policy) -> bool:
        """Tell whether this policy's watch has paused sending; what it finds unusual now begins a pause after it."""
        if second < self.until:
            return True
        if volume is None:
            return False
        if self.until > self.reviewed_at:
            self.reviewed, self.reviewed_at = volume.recent, self.until
        if unusual(self.let_pass(volume, second), policy):
            self.until = second + policy.anomaly.review_minutes * 60
        return False

    def let_pass(self, volume: Volume | None, second: int) -> Volume | None:
        """Give the volume with what this simulation's own review let pass."""
        if volume is None or second >= self.reviewed_at + _DAY:
            return volume
        return Volume(volume.recent, volume.previous, max(volume.reviewed, self.reviewed), volume.asking)

    def _until(self, second: int) -> int:
        place = bisect_left(self.slots, second)
        return self.sums[place - 1] if place else 0
