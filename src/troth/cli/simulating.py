"""Around the house: the simulator, composed: how each of its processes reaches the database and the keys."""

from collections.abc import Callable
from functools import partial

from troth.cli import wiring
from troth.control.audit import scope
from troth.control.simulator.running import Connect
from troth.control.simulator.working import Worker
from troth.keys.keyring import Keyring
from troth.settings import Settings


def connect(settings: Settings) -> Connect:
    """What a process of the simulator begins with; can be handed to another process."""
    return partial(_opened, settings)


def work(settings: Settings, stopped: Callable[[], bool]) -> None:
    """Answer what the pages ask for, until `stopped`."""
    Worker(connect(settings), stopped).run()


def _opened(settings: Settings) -> tuple[scope.Connection, Keyring]:
    connection = scope.connect(wiring.conninfo(settings, "control"), "simulator")
    return connection, wiring.control_keys(settings, connection).keyring
