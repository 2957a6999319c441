"""The simulator, behind the pages: what was asked for is answered, one after the other, by one process at a time."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg

from troth.control.audit.refusals import Refused
from troth.control.audit.scope import Connection
from troth.control.simulator import candidate
from troth.control.simulator.candidate import Candidate
from troth.control.simulator.running import Connect, Hearing, Question, simulate

_PAUSE = 1.0  # seconds between two looks
_TELL = 1.0  # seconds between two words of progress
_log = logging.getLogger("troth.simulator")


class Stopped(Exception):  # noqa: N818 - reads as what happened
    """The process ends; the simulation is begun anew by the next."""


class Worker:
    """`connect` is handed to the simulation's own processes; `stopped` is asked between pages."""

    def __init__(self, connect: Connect, stopped: Callable[[], bool], processes: int = 2) -> None:
        self._connect, self._stopped, self._processes = connect, stopped, processes

    def run(self) -> None:
        """Until `stopped`; a database that is away is waited for."""
        while not self._stopped():
            try:
                connection, _ = self._connect()
                with connection:
                    while not self._stopped():
                        if not self.round(connection):
                            time.sleep(_PAUSE)
            except psycopg.OperationalError as away:
                _log.warning("the database is away: %s", type(away).__name__)
                time.sleep(_PAUSE)

    def round(self, connection: Connection) -> bool:
        """Answer the next one; False when nothing waits."""
        row = connection.execute("SELECT * FROM troth.simulation_next_v1()").fetchone()
        if row is None:
            return False
        one, tenant, level, code, programme, document, days = row
        tried = Candidate.of(
            level, json.loads(document), tenant=tenant, programme=programme, code=code if level == "category" else ""
        )
        try:
            result, why = self._answer(connection, one, Question(tried, days, processes=self._processes)), None
        except Stopped:
            return False
        except psycopg.OperationalError:
            raise
        except Refused as refused:
            result, why = None, refused.sentence
        except Exception as trouble:  # noqa: BLE001 - the others go on; the words may hold what nobody may read
            _log.error("simulation %s failed: %s", one, type(trouble).__name__)
            result, why = None, "It could not be carried out. Ask again; if it fails again, tell the operator."
        connection.execute("SELECT troth.simulation_end_v1(%s, %s, %s)", (one, result, why))
        return True

    def _answer(self, connection: Connection, one: UUID, question: Question) -> str:
        candidate.check(connection, question.candidate)
        said = time.monotonic() - _TELL

        def progress(done: int, there: int) -> None:
            nonlocal said
            if self._stopped():
                raise Stopped
            if time.monotonic() - said >= _TELL:
                said = time.monotonic()
                connection.execute("SELECT troth.simulation_tell_v1(%s, %s, %s)", (one, done, there))

        found: dict[str, Any] = simulate(self._connect, question, Hearing(progress))
        del found["cells"]  # a page shows sums
        return json.dumps(found)
