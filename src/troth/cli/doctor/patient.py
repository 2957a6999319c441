"""Around the house: what the doctor's checks look at: the settings, the var folder, and the database if it can be
asked.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg

from troth.cli.doctor.lenient import Read
from troth.cli.doctor.reaching import Reached
from troth.cli.supervise_remains import TOKEN
from troth.outside import processes
from troth.settings import Settings
from troth.settings.declared import declared

_PASSWORD = re.compile(r"://[^/@\s]*:([^@\s]*)@")
_STATEMENT = "3s"


_THERE = """
SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'troth' AND c.relname = %s AND has_schema_privilege(n.oid, 'USAGE')
"""


class NotAsked(Exception):  # noqa: N818 - reads as the finding it becomes
    """The database cannot be asked; the check of the database says why."""


@dataclass(frozen=True, slots=True)
class Patient:
    """One installation. `reached` is what came of connecting, once, before the checks."""

    read: Read
    env: Mapping[str, str]
    reached: Reached = field(default_factory=Reached)

    @property
    def settings(self) -> Settings:
        return self.read.settings

    @property
    def run_dir(self) -> Path:
        return self.settings.var_dir / "run"

    @property
    def supervisor(self) -> processes.Seen | None:
        """The process of `troth up` in this var folder, if it lives."""
        try:
            pid = int((self.run_dir / "supervisor.lock").read_text().strip() or 0)
        except (OSError, ValueError):
            return None
        seen = processes.look(pid)
        return seen if seen and "troth" in seen.command else None

    def is_ours(self, pid: int) -> bool:
        """Whether `troth up` of this var folder started the process."""
        try:
            token = (self.run_dir / "token").read_text()
        except OSError:
            return False
        return processes.carries(pid, TOKEN, token)

    @contextmanager
    def connection(self, role: str) -> Iterator[psycopg.Connection[Any]]:
        """A short, read-only connection of 'control', 'flow' or 'ledger'; raise NotAsked."""
        where = self.reached.roles.get(role)
        if where is None:
            raise NotAsked
        try:
            with psycopg.connect(**where, autocommit=True) as connection:
                connection.execute(f"SET statement_timeout = '{_STATEMENT}'")
                connection.execute("SET default_transaction_read_only = on")
                connection.execute("SET search_path = troth")
                yield connection
        except psycopg.OperationalError as trouble:
            raise NotAsked(str(trouble)) from trouble

    def scrub(self, text: str) -> str:
        """The text in one line, without any secret of the settings."""
        for secret in self._secrets():
            text = text.replace(secret, "(not shown)")
        return " ".join(text.split())

    def _secrets(self) -> Iterator[str]:
        for name, (about, _) in declared().items():
            value = getattr(self.settings, name) if about.secret else None
            for each in _parts(value or ""):
                if len(each) > 3:
                    yield each


def _parts(secret: str) -> list[str]:
    """An address's secret is the password in it, as written and as meant; anything else is secret as a whole."""
    if "://" not in secret:
        return [secret]
    return [form for found in _PASSWORD.findall(secret) for form in (found, unquote(found))]


def there(connection: psycopg.Connection[Any], table: str) -> bool:
    """Whether our schema has the table and this role may look into the schema."""
    return connection.execute(_THERE, (table,)).fetchone() is not None
