"""Delivery's desk: what the parts of one worker share: works in hand, the ready queue, the bell that wakes them."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from troth.flow.delivery.counters import Counters
from troth.flow.delivery.work import Work


@dataclass(slots=True)
class Desk:
    """`hand` holds every claim from its load to the record of its outcome; `ready` those composed and not yet marked.

    `exposed` counts those that a crash would make uncertain. `stopping`: claim and mark no more.
    """

    lease: timedelta
    hand: dict[UUID, Work] = field(default_factory=dict)
    ready: deque[Work] = field(default_factory=deque)
    composing: int = 0
    sending: int = 0
    exposed: int = 0
    stopping: bool = False
    counters: Counters = field(default_factory=Counters)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def waiting(self) -> int:
        """Claims that are not on the wire yet."""
        return self.composing + len(self.ready)

    def take(self, work: Work) -> None:
        self.hand[work.claimed.message_id] = work

    def expose(self, works: Sequence[Work]) -> None:
        """Their mark is asked for."""
        for work in works:
            work.exposed = True
        self.exposed += len(works)

    def drop(self, work: Work) -> None:
        """Its outcome is on record; a newer claim of the same message stays."""
        self.exposed -= work.exposed
        work.exposed = False
        if self.hand.get(work.claimed.message_id) is work:
            del self.hand[work.claimed.message_id]

    def ring(self) -> None:
        """Something changed that somebody may wait for."""
        self._bell.set()

    async def listen(self, seconds: float) -> None:
        """Until the bell or so many seconds."""
        self._bell.clear()
        await pause(self._bell, seconds)


async def pause(bell: asyncio.Event, seconds: float) -> None:
    """Sleep that a bell ends."""
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return
