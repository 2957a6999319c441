"""Under the house: how a database cluster is made (initdb) and with which options it runs.

Options go on the command line, not into files: root writes nothing into a folder that belongs to another account.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from troth.outside.postgres_account import Account
from troth.outside.postgres_binaries import Binaries
from troth.outside.postgres_errors import CannotPrepare

_TUNED = {
    "max_connections": "120",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "wal_compression": "pglz",
    "wal_buffers": "16MB",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "timezone": "UTC",
}
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
_HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# No statement, parameter, detail or error text reaches the log: any of them may hold personal data. Level "log" leaves
# out ERROR ('invalid input syntax ...: "jane@..."') and keeps LOG, FATAL and PANIC.
_DISCREET = {
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_duration": "off",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_timezone": "UTC",
}
_LOG_FILES = {  # one a weekday, overwritten a week later
    "logging_collector": "on",
    "log_destination": "stderr",
    "log_filename": "postgres-%u.log",
    "log_file_mode": "0600",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
}


def options(*, socket_dir: Path, log_dir: Path, mark: str, durable: bool) -> dict[str, str]:
    """Every setting that the server is started with; `mark` is shown in the title of each of its processes."""
    quoted = str(socket_dir).replace('"', '""')
    places = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": f'"{quoted}"',
        "unix_socket_permissions": "0700",
        "cluster_name": mark,
        "log_directory": str(log_dir),
    }
    return _TUNED | (_DURABLE if durable else _HASTY) | _DISCREET | _LOG_FILES | places


def initdb_flags(major: int, *, durable: bool, platform: str = sys.platform) -> list[str]:
    """PostgreSQL's own C.UTF-8 from 17 on, the C library's before; macOS's library has none, so there only "C"."""
    libc = "C" if platform == "darwin" else "C.UTF-8"
    locale = [f"--locale={libc}"]
    if major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    flags = [
        "-U",
        "postgres",
        "-E",
        "UTF8",
        *locale,
        "--auth-local=trust",
        "--auth-host=scram-sha-256",
        "--data-checksums",
    ]
    return flags if durable else [*flags, "--no-sync"]


def make(binaries: Binaries, cluster: Path, account: Account, *, durable: bool) -> None:
    """Initdb beside the place and move it there when whole, so that a killed initdb leaves nothing half made."""
    new = cluster.with_name(cluster.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(0o700)
    account.own(new)
    command = [str(binaries.initdb), "-D", str(new), *initdb_flags(binaries.major, durable=durable)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **account.popen())  # noqa: S603 - our own words
    if done.returncode:
        raise CannotPrepare(
            f"initdb could not make a database in {cluster}: {done.stderr.strip() or done.stdout.strip()}"
        )
    new.rename(cluster)
    _sync(cluster.parent)


def check_version(binaries: Binaries, cluster: Path) -> None:
    """A cluster is run by the major version that made it and by no other."""
    try:
        made_by = (cluster / "PG_VERSION").read_text().strip()
    except OSError as trouble:
        raise CannotPrepare(f"{cluster} is not a PostgreSQL database ({trouble.strerror}): move it away.") from trouble
    if made_by != str(binaries.major):
        raise CannotPrepare(
            f"The database in {cluster} was made by PostgreSQL {made_by}, and {binaries.folder} holds {binaries.major}:"
            f" set TROTH_PG_BIN to a PostgreSQL {made_by}, or dump it there and restore it here."
        )


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
