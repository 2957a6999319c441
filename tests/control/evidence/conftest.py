"""An installation with two owners and one programme, and what a person hands in."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from uuid import UUID

import pytest
from tests.support.firm import make_firm, now

from troth.control.evidence import acts, reading, told
from troth.control.evidence.acts import Offered
from troth.keys.keyring import OPERATOR, TenantKeys

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\nxref\n0 1\ntrailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"


@dataclass
class Room:
    """`sql`: what an attacker with the superuser's password does; triggers off."""

    operator: object
    firm: object
    keys: TenantKeys

    @property
    def programme(self) -> UUID:
        return self.firm.programme

    def today(self) -> date:
        return self.operator.control.execute("SELECT now_v1()").fetchone()[0].astimezone(UTC).date()

    def offered(self, **other) -> Offered:
        made = Offered(None, "APP-6", "penetration-test", "Test by Ash & Co", "report.pdf", "application/pdf",
                       self.today() - timedelta(days=3), False, PDF)  # fmt: skip
        return replace(made, **other)

    def submit(self, who: int = 0, **other):
        control = self.operator.control
        return acts.submit(control, self.keys, self.operator.sessions[who], self.offered(**other), now())

    def accept(self, made, who: int = 1) -> None:
        acts.accept(self.operator.control, self.operator.sessions[who], made.id, made.digest)

    def withdraw(self, made, why: str = "It was of another year", who: int = 1) -> None:
        acts.withdraw(self.operator.control, self.operator.sessions[who], made.id, why)

    def kept(self, **other):
        made = self.submit(**other)
        self.accept(made)
        return made

    def one(self, made):
        return reading.one(self.operator.control, made.id)[0]

    def sql(self, statement: str, *values) -> None:
        self.operator.database.fill(statement, *values)

    def move(self, days: int) -> None:
        """The clock goes on; the sessions are opened for as long."""
        self.operator.admin.execute(
            "UPDATE installation SET clock_offset = clock_offset + make_interval(days => %s)", (days,)
        )
        self.sql("UPDATE session SET expires_at = expires_at + make_interval(days => %s)", days)

    def wrong(self) -> list[str]:
        """What a comparison with the ledger finds."""
        control = self.operator.control
        comparison = told.Told(control)
        for kind, leaf in control.execute(told.TOLD).fetchall():
            comparison.entry(kind, leaf)
        return [sentence for _, sentence in comparison.wrong(control)]

    def entries(self) -> list[dict]:
        query = "SELECT leaf FROM ledger_pending WHERE kind LIKE 'trust:evidence:%' ORDER BY id"
        return [json.loads(leaf) for (leaf,) in self.operator.admin.execute(query).fetchall()]


@pytest.fixture
def room(operator):
    firm = make_firm(operator)
    keyset = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    return Room(operator, firm, operator.keyring.tenant(OPERATOR, keyset))
