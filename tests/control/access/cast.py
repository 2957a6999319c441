"""People for the tests of access, with sessions of their own, and a clock that moves."""

import hashlib
import os
from uuid import UUID

from tests.support.firm import Operator
from tests.support.pages import Somebody, join


def session(operator: Operator, account: UUID, *, second: bool = True) -> bytes:
    """The secret of a session of the pages, opened as the sign-in does it."""
    secret = os.urandom(32)
    operator.database.open("troth_signin").execute(
        "SELECT * FROM page_session_open_v1(%s, %s, %s, %s, %s, NULL, NULL)",
        (account, hashlib.sha256(secret).digest(), ["password"], second, os.urandom(32)),
    )
    return secret


def member(operator: Operator, name: str, role: str, tenant: UUID | None) -> Somebody:
    return join(operator, f"{name} <{name.lower()}@firm.test>", role, tenant, password="", second=False)


def later(operator: Operator, days: float) -> None:
    """The database's clock goes on, and the duties' partitions with it."""
    operator.database.fill(
        "UPDATE installation SET clock_offset = clock_offset + make_interval(secs => %s)", days * 86_400
    )
    operator.database.open("troth_flow").execute("SELECT make_partitions_v1()")


def duty(operator: Operator) -> int:
    return operator.database.open("troth_flow").execute("SELECT access_duty_v1()").fetchone()[0]


def state(operator: Operator, account: UUID) -> tuple[bool, str | None]:
    return operator.admin.execute(
        "SELECT disabled_at IS NULL, disabled_why FROM account WHERE id = %s", (account,)
    ).fetchone()


def entries(operator: Operator, kind: str) -> list[dict]:
    found = operator.admin.execute("SELECT leaf::jsonb FROM ledger_pending WHERE kind = %s ORDER BY id", (kind,))
    return [leaf for (leaf,) in found]
