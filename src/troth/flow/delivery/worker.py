"""Delivery: the worker. From the spool to the next hop and back into the tables: claim, compose, mark, send, record.

    claiming -> [compose, in threads] -> desk.ready -> marking -> pool -> recording -> events
                                            timekeeper: leases

Each part has a connection of its own, none has a transaction open while the network is waited for. The store may go
away and come back at any time: nothing is sent meanwhile, and what is already known is written when it is back.
"""

import asyncio
import signal
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from troth.flow.delivery.claiming import Claimer, Pace
from troth.flow.delivery.compose import Stamp
from troth.flow.delivery.counters import Counters
from troth.flow.delivery.desk import Desk, pause
from troth.flow.delivery.leases import Timekeeper
from troth.flow.delivery.line import Away, Connect, Line
from troth.flow.delivery.marking import Marker
from troth.flow.delivery.materials import Materials
from troth.flow.delivery.policies import Policies
from troth.flow.delivery.pool import Pool
from troth.flow.delivery.recording import Recorder
from troth.flow.delivery.route import Route
from troth.flow.delivery.suspects import Suspects
from troth.keys import places
from troth.keys.errors import KeyringError, KmsUnavailable
from troth.keys.installation import InstallationSecrets, Purpose
from troth.keys.keyring import OPERATOR, Keyring, PersonKey, TenantKeys
from troth.mail.relay_header import RelayHeader
from troth.outside import meters
from troth.settings import Settings
from troth.store import duties

SIGNERS = 2  # threads: RSA lets go of the GIL, so two cores sign
FINISH_SENDING = 20.0  # seconds that messages on the wire may take when the worker stops
FINISH_WRITING = 10.0  # seconds for their outcomes
REPORT_EVERY = 60.0  # seconds between two lines of figures in the log

log = structlog.get_logger("troth.delivery")


@dataclass(frozen=True, slots=True)
class Deps:
    """What the composition root hands in. `connect` opens a connection of role troth_flow; its argument names it."""

    connect: Connect
    keyring: Keyring
    secrets: InstallationSecrets
    route: Route


async def run_worker(settings: Settings, deps: Deps) -> None:
    """Deliver until SIGTERM or SIGINT; returns when what was on the wire is on record."""
    worker = Worker(settings, deps)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    try:
        await worker.run()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@dataclass(slots=True)
class Worker:
    """One process's worth of delivery; `stop` may be called from a signal handler of the loop."""

    settings: Settings
    deps: Deps
    desk: Desk = field(init=False)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _closed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.desk = Desk(timedelta(seconds=self.settings.lease_seconds))

    @property
    def counters(self) -> Counters:
        return self.desk.counters

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        operator = await self._operator_keys()
        if operator is None:
            return  # told to stop before the store ever answered
        with ExitStack() as stack:
            threads = stack.enter_context(ThreadPoolExecutor(SIGNERS, "troth-compose"))
            cell = stack.enter_context(ThreadPoolExecutor(1, "troth-suspects"))
            suspects = Suspects()
            stack.callback(suspects.close)
            pool = Pool(self.deps.route)
            stack.callback(meters.watch(lambda: self._told(pool)))
            recorder = self._recorder(operator)
            marker = Marker(self._line("mark"), self.desk, recorder, pool, self.settings.mark_group)
            claimer = self._claimer(recorder, pool, suspects, threads, cell)
            keeper = Timekeeper(self._line("leases"), self.desk, recorder, self._closed)
            await self._work(claimer, marker, recorder, keeper, pool)

    async def _work(self, claimer: Claimer, marker: Marker, recorder: Recorder, keeper: Timekeeper, pool: Pool) -> None:
        """Runs the parts; if one breaks by a fault of ours, the others end in order and the fault is raised."""
        record = self._start(recorder.run())
        keep = self._start(keeper.run())
        source = [self._start(claimer.run()), self._start(marker.run())]
        figures = self._start(self._figures())
        await self._stop.wait()
        self.desk.stopping = True
        self.desk.ring()
        await asyncio.wait(source)
        marker.relieve()  # only now: the claimer's last messages are composed
        await asyncio.wait([self._start(marker.sent())], timeout=FINISH_SENDING)
        await pool.close(limit=2.0)
        await asyncio.sleep(0)  # the pool's last answers are called in the loop's next turn
        recorder.finish()
        await asyncio.wait([record], timeout=FINISH_WRITING)
        self._closed.set()
        for task in (record, figures):
            task.cancel()
        results = await asyncio.gather(record, keep, figures, *source, return_exceptions=True)
        log.info("delivery.stopped", unwritten=len(self.desk.hand), **self.counters.as_dict())
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _start(self, part: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(part)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A part that breaks takes the worker down in order, so that its supervisor starts a fresh one."""
        if not task.cancelled() and task.exception() is not None:
            log.error("delivery.part-broken", why=type(task.exception()).__name__)
            self.stop()

    def _told(self, pool: Pool) -> dict[str, dict[str, float]]:
        self.counters.waiting, self.counters.sending = self.desk.waiting, self.desk.sending
        return self.counters.told(pool.health)

    async def _figures(self) -> None:
        while True:
            await asyncio.sleep(REPORT_EVERY)
            self.counters.waiting, self.counters.sending = self.desk.waiting, self.desk.sending
            log.info("delivery.figures", **self.counters.as_dict())

    async def _operator_keys(self) -> TenantKeys | None:
        """The operator's keyset, under which suppressed addresses go; waits for the store and the KMS."""
        line = self._line("start")
        while not self._stop.is_set():
            try:
                async with line.visit() as connection:
                    found = await duties.installation(connection)
                if found is not None:
                    return self.deps.keyring.tenant(OPERATOR, found.operator_keyset)
                log.warning("delivery.not-installed")
                line.failures += 1
            except (*Away, KmsUnavailable) as trouble:
                self.counters.away += 1
                log.warning("delivery.store-away", part="start", why=type(trouble).__name__)
            finally:
                await line.close()
            await pause(self._stop, line.wait)
        return None

    def _line(self, part: str) -> Line:
        return Line(self.deps.connect, f"worker {part}")

    def _recorder(self, operator: TenantKeys) -> Recorder:
        def seal(address: bytes, index: bytes) -> bytes:
            return operator.seal(address, places.suppression(index))

        plenty = max(1, self.deps.route.max_connections // 2)
        return Recorder(self._line("record"), self.desk, Policies(), seal, self._open_key, plenty, self.deps.route.name)

    def _open_key(self, tenant_id: UUID, keyset: bytes, data_key: bytes | None, person_id: UUID) -> PersonKey | None:
        """For late answers; without the key the event keeps its leaf hash alone."""
        try:
            return self.deps.keyring.tenant(tenant_id, keyset).person(data_key, person_id) if data_key else None
        except KeyringError:
            return None

    def _claimer(
        self,
        recorder: Recorder,
        pool: Pool,
        suspects: Suspects,
        threads: ThreadPoolExecutor,
        cell: ThreadPoolExecutor,
    ) -> Claimer:
        settings, deps = self.settings, self.deps
        stamp = Stamp(
            settings.cell,
            settings.public_url.rstrip("/"),
            settings.return_path_domain,
            deps.secrets.token_keys(Purpose.VERP)[0],
            deps.secrets.token_keys(Purpose.UNSUBSCRIBE)[0],
            settings.return_path_domain if settings.inbound_port else None,
            RelayHeader(settings.relay_kind, settings.ses_configuration_set),
        )
        least = min(settings.claim_batch, 2 * deps.route.max_connections)
        return Claimer(
            self._line("claim"),
            self.desk,
            recorder,
            pool,
            deps.keyring,
            Materials(deps.keyring),
            recorder.policies,
            suspects,
            threads,
            cell,
            stamp,
            Pace(least, max(settings.claim_batch, least)),
        )
