"""The house's way to Amazon SNS: the certificates that its messages are signed with, subscriptions to be confirmed.

Where they stand is checked by whoever asks (mail/relay_sns.py); here an address never leads inside, and a flood of
forged messages asks SNS little: one question at a time and few a minute, answers and failures are remembered, and a
certificate that was once good is never put out by names that strangers think up.

NoAnswer, BadUrl, ForbiddenAddress (guarded_http.py)   temporary but for BadUrl
"""

import asyncio
import math
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from troth.outside.guarded_http import GuardedClient, NoAnswer

_KEPT = 64  # certificates: SNS has one a region, and now and then a new one; and as many failures
_A_MINUTE = 6  # certificates that are asked for: what is known is not asked for again
_MINUTE = 60.0
_FRESH, _FAILED = 12 * 3600.0, 60.0  # seconds
_OK = 200
CERTIFICATE = 20_000  # octets of one


@dataclass(slots=True)
class Sns:
    """`origin`: where tests have theirs, in place of every SNS."""

    client: GuardedClient
    origin: str | None = None
    _known: OrderedDict[str, tuple[float, bytes]] = field(default_factory=OrderedDict)
    _failed: OrderedDict[str, float] = field(default_factory=OrderedDict)
    _asked: deque[float] = field(default_factory=lambda: deque(maxlen=_A_MINUTE))
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def certificate(self, url: str) -> bytes:
        """What stands there, as PEM as far as SNS is concerned."""
        if (known := self._fresh(url)) is not None:
            return known
        async with self._one:
            if (known := self._fresh(url)) is not None:
                return known
            if self._failed.get(url, 0.0) > time.monotonic():
                raise NoAnswer("status", "The certificate of SNS could not be fetched.")
            return await self._fetch(url)

    def keep(self, url: str) -> None:
        """It signed a message of SNS's: the last to be forgotten, and never asked for again; it says its own end."""
        if url in self._known:
            self._remember(self._known, url, (math.inf, self._known[url][1]))

    async def confirm(self, url: str) -> None:
        """Confirm a subscription."""
        answer = await self.client.page("GET", url, {})
        if answer.status != _OK:
            raise NoAnswer("status", f"SNS answered {answer.status} to the confirmation.")

    def _fresh(self, url: str) -> bytes | None:
        until, found = self._known.get(url, (0.0, None))
        return found if until > time.monotonic() else None

    async def _fetch(self, url: str) -> bytes:
        now = time.monotonic()
        if len(self._asked) == _A_MINUTE and now - self._asked[0] < _MINUTE:
            raise NoAnswer("status", "Too many certificates of SNS were asked for just now.")
        self._asked.append(now)
        self._remember(self._failed, url, now + _FAILED)
        answer = await self.client.page("GET", url, {})
        if answer.status != _OK or len(answer.body) > CERTIFICATE:
            raise NoAnswer("status", "The certificate of SNS could not be fetched.")
        del self._failed[url]
        self._remember(self._known, url, (now + _FRESH, answer.body))
        return answer.body

    def _remember[Value](self, known: OrderedDict[str, Value], url: str, value: Value) -> None:
        known[url] = value
        known.move_to_end(url)
        while len(known) > _KEPT:
            known.popitem(last=False)
