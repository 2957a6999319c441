"""How a test's simulator, and each of its processes, reaches the database and the keys."""

from pathlib import Path
from typing import Any

from troth.control.audit import scope
from troth.keys.keyring import Keyring
from troth.outside.kms import LocalKms


def opened(conninfo: dict[str, Any], kms_path: Path) -> tuple[scope.Connection, Keyring]:
    return scope.connect(conninfo, "simulator"), Keyring(LocalKms(kms_path))
