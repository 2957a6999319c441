"""Reports of others about our mail, typed: each taken in once, or the word that says why it was not."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from troth.store.connection import Connection, tuples
from troth.store.queries import load

_SQL = load("reports")
_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What both kinds say. key: 32 octets that make it this report; reporter: the domain that signed it, "" for none;
    domain: lower case; house: where the installation itself takes mail. Texts within the tables' lengths.
    """

    id: UUID
    key: bytes
    domain: str
    org: str
    report: str
    reporter: str
    begin: datetime
    end: datetime
    digest: bytes
    house: str

    def params(self) -> dict[str, Any]:
        return {
            "id": self.id, "key": self.key, "domain": self.domain, "org": self.org, "report": self.report,
            "reporter": self.reporter, "begin": self.begin, "end": self.end, "digest": self.digest, "house": self.house,
        }  # fmt: skip


async def take_dmarc(connection: Connection, told: Told, head: _Row, left_out: int, records: Sequence[_Row]) -> str:
    """taken, repeated, foreign, untimely or flooded. records: the columns of dmarc_record by name, 500 at most."""
    params = {**told.params(), "head": json.dumps(head), "left_out": left_out, "records": json.dumps(records)}
    outcome: str = (await tuples(connection, _SQL["dmarc_take"], params))[0][0]
    return outcome


async def take_tls(
    connection: Connection, told: Told, policies: Sequence[_Row], sessions: int, failed: int, failures: Sequence[_Row]
) -> str:
    """As take_dmarc. failures: the columns of tls_failure by name, 200 at most."""
    params = {
        **told.params(), "policies": json.dumps(policies), "sessions": sessions, "failed": failed,
        "failures": json.dumps(failures),
    }  # fmt: skip
    outcome: str = (await tuples(connection, _SQL["tls_take"], params))[0][0]
    return outcome


async def count(connection: Connection, kind: str, outcome: str) -> None:
    """One more letter of which nothing else is kept here."""
    await tuples(connection, _SQL["report_count"], {"kind": kind, "outcome": outcome})
