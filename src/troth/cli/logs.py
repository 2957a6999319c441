"""Around the river: how every process writes its log: one line an event, JSON where the settings say so."""

import logging
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO, cast

import structlog

from troth.settings import Settings

_REMOVE = structlog.stdlib.ProcessorFormatter.remove_processors_meta


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Lasting:
    """A stream whose reader may go away: a killed supervisor takes the pipe along, and its orphans still have work."""

    stream: TextIO

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self.stream.flush()


def configure(settings: Settings) -> None:
    """For structlog and the standard library alike; nothing goes anywhere but standard output."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    # plain traces: a pretty one prints local variables, and with them secrets and people's data
    console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    last = structlog.processors.JSONRenderer() if settings.log_json else console
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    traces: list[structlog.typing.Processor] = [structlog.processors.format_exc_info] if settings.log_json else []
    structlog.configure(
        processors=[*shared, *traces, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", Lasting(sys.stdout))),
        cache_logger_on_first_use=False,  # lines are rare, and a test may configure anew
    )
    formatter = structlog.stdlib.ProcessorFormatter(processors=[_REMOVE, *traces, last], foreign_pre_chain=shared)
    handler = logging.StreamHandler(Lasting(sys.stdout))
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
