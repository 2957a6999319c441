"""An installation with a client firm of each profile, and evidence that two people bring and accept for it."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.support.firm import Firm, Operator, make_firm, now

from troth.control.calendar import reading
from troth.control.evidence import acts
from troth.control.evidence.acts import Offered
from troth.keys.keyring import OPERATOR

CODES = {"property": "homes", "construction": "sites", "retail": "shops"}
PAPER = Offered(
    None, "APP-6", "penetration-test", "What was done", "done.txt", "text/plain", date(2026, 1, 1), False, b"done\n"
)


@dataclass
class Cast:
    operator: Operator
    firms: dict[str, Firm]

    def now(self) -> datetime:
        return self.operator.control.execute("SELECT now_v1()").fetchone()[0]

    def move(self, **by) -> None:
        """The clock goes on; the sessions are open for as long."""
        self.operator.admin.execute("UPDATE installation SET clock_offset = clock_offset + %s", (timedelta(**by),))
        self.operator.admin.execute("SELECT make_partitions_v1()")
        for secret in self.operator.sessions:
            self.operator.database.fill(
                "UPDATE session SET expires_at = expires_at + %s WHERE secret_hash = sha256(%s)",
                timedelta(**by), secret,
            )  # fmt: skip

    def hand_in(self, claim: str, kind: str, profile: str | None = None, **other):
        """Brought by one owner, accepted by the other."""
        control, today = self.operator.control, self.now().astimezone(UTC).date()
        keyset = self.operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
        keys = self.operator.keyring.tenant(OPERATOR, keyset)
        home = self.firms[profile].programme if profile else None
        offered = replace(PAPER, programme=home, claim=claim, kind=kind, **{"performed_on": today, **other})
        made = acts.submit(control, keys, self.operator.sessions[0], offered, now())
        acts.accept(control, self.operator.sessions[1], made.id, made.digest)
        return made

    def agenda(self, programme: str | None = None) -> dict[str, reading.Due]:
        return {each.key: each for each in reading.agenda(self.operator.control, programme)}


@pytest.fixture
def cast(operator):
    return Cast(operator, {profile: make_firm(operator, code, profile) for profile, code in CODES.items()})
