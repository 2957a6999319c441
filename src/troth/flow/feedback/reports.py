"""Feedback: the desk of dmarc@ and tlsrpt@: reports of others about our mail, taken in once each and never obeyed.

A report is what a stranger says of sources: it changes no state, suppresses nobody and stops nothing. Who signed it is
kept with it; what is about nobody of ours, or cannot be read, is kept aside. A flood costs bounded time and room.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from publicsuffixlist import PublicSuffixList

from troth.flow.feedback import aside, reports_rows
from troth.flow.feedback.deps import Lend
from troth.keys import ids
from troth.keys.keyring import TenantKeys
from troth.mail import parts
from troth.mail.arrived import Arrived, Verdict
from troth.mail.dmarc import AggregateReport
from troth.mail.dmarc_words import Unreadable
from troth.mail.parts import Part
from troth.outside import report_child
from troth.outside.reports import Read, read
from troth.store import gate
from troth.store import reports as store
from troth.store.connection import Connection

BOXES = ("dmarc", "tlsrpt")
NAMES = 20  # domains that one report of TLS may be about
RECOVERIES = 30  # child processes an hour: broken XML is rare, and a flood of it must cost nothing
_HOUR = 3_600.0
_OURS = ("taken", "repeated", "flooded")

# The domain that signed a letter and stands for its From; "" for none.
Signed = Callable[[bytes, Part, datetime], Awaitable[str]]


async def nobody(octets: bytes, part: Part, now: datetime) -> str:
    """Where signatures are not looked at."""
    del octets, part, now
    return ""


class Reports:
    """`keys`: the operator's own; `domain`: where mail is taken; `signed`: who signed a letter."""

    name = "report"

    def __init__(self, lend: Lend, keys: TenantKeys, domain: str, signed: Signed = nobody) -> None:
        self._lend, self._keys, self._domain, self._signed = lend, keys, domain.lower(), signed
        self._alone = asyncio.Semaphore(1)  # one in memory at a time, however many connections bring them
        self._suffixes = PublicSuffixList(only_icann=False)
        self._recovered: list[float] = []

    async def knows(self, address: str) -> bool:
        local, _, domain = address.lower().rpartition("@")
        return domain == self._domain and local.partition("+")[0] in BOXES

    async def take(self, addresses: Sequence[str], arrived: Arrived) -> Verdict:
        """The DNS is asked before: a slow one of a stranger's holds no other report up."""
        async with self._lend() as connection:
            now = await gate.now(connection)
        part = await asyncio.to_thread(parts.read, arrived.octets)
        reporter = await self._signed(arrived.octets, part, now)
        del part
        async with self._alone:
            try:
                found = await asyncio.to_thread(read, arrived.octets, self._recover)
            except Unreadable as fault:
                return await self._aside(addresses, arrived, fault.word, counted="unreadable")
            async with self._lend() as connection:
                outcomes = [each for one in found for each in await self._store(connection, one, reporter)]
        if not any(each in _OURS for each in outcomes):
            return await self._aside(addresses, arrived, outcomes[0])
        return Verdict.TAKEN

    async def _aside(self, to: Sequence[str], arrived: Arrived, why: str, counted: str = "") -> Verdict:
        async with self._lend() as connection:
            if counted:
                await store.count(connection, "letter", counted)
            return await aside.keep(connection, self._keys, self.name, why, arrived, to)

    async def _store(self, connection: Connection, one: Read, reporter: str) -> list[str]:
        """What became of it, for each domain that it is about."""
        outcomes = []
        names = reports_rows.about(one.report)
        now = await gate.now(connection)
        left = len(names) - NAMES
        if left > 0:
            await store.count(connection, _kind(one), "flooded")
        for name in names[:NAMES]:
            if self._suffixes.privatesuffix(name) is None:  # nobody's, or everybody's
                await store.count(connection, _kind(one), "foreign")
                outcomes.append("foreign")
                continue
            id_ = ids.uuid7(now)
            told = reports_rows.told(id_, one.report, name, reporter, one.digest, self._domain)
            outcomes.append(await _keep(connection, one, told, left))
        return outcomes

    def _recover(self, text: str) -> dict[str, Any] | None:
        """A child process, as long as there were few."""
        now = time.monotonic()
        self._recovered = [each for each in self._recovered if now - each < _HOUR]
        if len(self._recovered) >= RECOVERIES:
            return None
        self._recovered.append(now)
        return report_child.recover(text)


def _kind(one: Read) -> str:
    return "dmarc" if isinstance(one.report, AggregateReport) else "tls"


async def _keep(connection: Connection, one: Read, told: store.Told, left: int) -> str:
    """`left`: how many domains more it is about, above zero, of which nothing is kept but this number."""
    report = one.report
    if isinstance(report, AggregateReport):
        rows, left_out = reports_rows.records(report)
        return await store.take_dmarc(connection, told, reports_rows.head(report), left_out, rows)
    mine = reports_rows.of_domain(report, told.domain)
    good, failed = reports_rows.sessions(mine)
    policies, failures = reports_rows.policies(mine, left), reports_rows.failures(mine)
    return await store.take_tls(connection, told, policies, good, failed, failures)
