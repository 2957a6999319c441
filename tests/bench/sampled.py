"""Beside the bench's river: a process of the platform, watched from inside: which stage its main thread works for.

    python -m tests.bench.sampled serve worker

As `python -m troth.cli`, with a timer that goes off each 2 ms of CPU; the main thread's own time since the last look is
put down to the stage whose module it is found in. SIGUSR2 has the sums written as JSON into the var folder.
"""

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from types import FrameType

from troth.cli import main

_EVERY = 0.002  # seconds of CPU
# The innermost module that is named here tells the stage; what no module claims is the loop's.
STAGES = {
    "flow/gate/": "gate", "flow/submission/": "door", "uvicorn/": "door", "starlette/": "door",
    "delivery/claiming": "claim", "delivery/materials": "claim", "delivery/opening": "compose", "mail/": "compose",
    "delivery/compose": "compose", "delivery/marking": "mark", "delivery/smtp": "smtp", "delivery/pool": "smtp",
    "delivery/recording": "settle", "delivery/settling": "settle", "flow/events": "settle", "flow/evidence/": "sequencer",
}  # fmt: skip


class Watch:
    """Seconds of the main thread by stage."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._last = time.thread_time()

    def tell(self, _number: int, _frame: FrameType | None) -> None:
        file = told(Path(os.environ["TROTH_VAR_DIR"]), os.getpid())
        beside = file.with_suffix(".new")
        beside.write_text(json.dumps(self.seconds))
        beside.rename(file)

    def look(self, _number: int, frame: FrameType | None) -> None:
        now = time.thread_time()
        self.seconds[stage(frame)] += now - self._last  # type: ignore[assignment]  # a Counter counts seconds too
        self._last = now


def told(folder: Path, pid: int) -> Path:
    """Where a process writes its sums."""
    return folder / f"stages-{pid}.json"


def stage(frame: FrameType | None) -> str:
    while frame is not None:
        name = frame.f_code.co_filename
        for part, found in STAGES.items():
            if part in name:
                return found
        frame = frame.f_back
    return "loop"


def run() -> int:
    watch = Watch()
    signal.signal(signal.SIGPROF, watch.look)
    signal.signal(signal.SIGUSR2, watch.tell)
    signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
    return main()


if __name__ == "__main__":
    raise SystemExit(run())
