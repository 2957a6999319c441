"""People: a desk beside the pages: one thread that does one thing after another, for which no request waits.

When the process ends it is given a few seconds to finish; what is left then is dropped, and said in the log.
"""

import atexit
import logging
import queue
import threading
import time
from collections.abc import Callable

type Work = Callable[[], None]

_LAST_WAIT = 5.0  # seconds
_log = logging.getLogger("troth.people")


class Desk:
    """`most`: how many may wait; more are refused. `after` is called when a piece of work is done, well or not."""

    def __init__(self, name: str, most: int, after: Work) -> None:
        self._name, self._after = name, after
        self._waiting: queue.Queue[Work] = queue.Queue(most)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def put(self, work: Work) -> None:
        """Begin with the first piece, in the process that has it."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
                atexit.register(self._finish)
        try:
            self._waiting.put_nowait(work)
        except queue.Full:
            _log.error("%s: a piece of work was dropped, so many are waiting", self._name)

    def _run(self) -> None:
        while True:
            work = self._waiting.get()
            try:
                work()
            except Exception as trouble:  # noqa: BLE001 - the desk goes on; the words may hold an address
                _log.error("%s: a piece of work failed: %s", self._name, type(trouble).__name__)
            finally:
                self._after()
                self._waiting.task_done()

    def _finish(self) -> None:
        end = time.monotonic() + _LAST_WAIT
        while self._waiting.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.05)
        if self._waiting.unfinished_tasks:
            _log.error("%s: %s pieces of work were dropped at the end", self._name, self._waiting.unfinished_tasks)
