"""Around the house: doctor's check of the ledger: what is written is sequenced, and events are sealed, in time."""

from datetime import timedelta
from typing import Any

import psycopg
from psycopg import sql

from troth.cli.doctor.finding import Findings, ok, unknown, wrong
from troth.cli.doctor.patient import NotAsked, Patient, there

_LONG = timedelta(seconds=60)
_TABLES = ("ledger_pending", "event_pending", "ledger_checkpoint")


def look(patient: Patient) -> Findings:
    with patient.connection("ledger") as connection:
        for table in _TABLES:
            if not there(connection, table):
                raise NotAsked
        ages = [_age(connection, table) for table in ("ledger_pending", "event_pending")]
    oldest = max((age for age in ages if age is not None), default=timedelta(0))
    if oldest <= _LONG:
        yield ok("the ledger's sequencer keeps up")
    elif patient.supervisor is None:
        yield unknown(f"the ledger: entries wait since {_said(oldest)}, and Troth is stopped", "`troth up` seals them.")
    else:
        yield wrong(f"the ledger is behind: the oldest entry waits since {_said(oldest)}",
                    "See what the sequencer says in the output of `troth up`.")  # fmt: skip


def _age(connection: psycopg.Connection[Any], table: str) -> timedelta | None:
    query = sql.SQL("SELECT now_v1() - min(at) FROM {}").format(sql.Identifier(table))
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def _said(age: timedelta) -> str:
    return f"{int(age.total_seconds())} s" if age < timedelta(minutes=5) else f"{int(age.total_seconds()) // 60} min"
