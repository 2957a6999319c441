"""A delivery worker as a process of its own, for tests that kill it: `python -m tests.support.delivery_process JSON`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import uvloop

from troth.flow.delivery.route import Route
from troth.flow.delivery.worker import Deps, run_worker
from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import Keyring
from troth.outside.kms import LocalKms
from troth.settings import Settings
from troth.store.connection import Connection, connect


def start(database: Any, key: Path, port: int, *, connections: int = 4, **settings: Any) -> "subprocess.Popen[bytes]":
    """Started in the repository's root, so that coverage and imports are those of the suite."""
    told = {"conninfo": database.conninfo(), "key": str(key), "port": port, "connections": connections,
            "settings": settings}  # fmt: skip
    command = [sys.executable, "-m", "tests.support.delivery_process", json.dumps(told)]
    return subprocess.Popen(command, cwd=Path(__file__).resolve().parents[2])


def main() -> None:
    told = json.loads(sys.argv[1])
    kms = LocalKms(Path(told["key"]))
    with psycopg.connect(**told["conninfo"]) as connection:
        (sealed,) = connection.execute("SELECT secrets_ct FROM troth.installation").fetchone()

    async def dial(name: str) -> Connection:
        return await connect(told["conninfo"], name)

    route = Route("relay", "127.0.0.1", told["port"], tls="none", max_connections=told["connections"])
    deps = Deps(dial, Keyring(kms), InstallationSecrets.open(kms, bytes(sealed)), route)
    uvloop.run(run_worker(Settings(return_path_domain="bounce.acme.example", **told["settings"]), deps))


if __name__ == "__main__":
    main()
