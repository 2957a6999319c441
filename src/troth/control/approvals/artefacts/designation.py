"""Four eyes, kind `designation`: the two named individuals who alone may write a client's templates and rules.

A profile decides whether it matters (CHG-7: construction); the accounts are the client's own, or the operator's.
"""

from uuid import UUID

import msgspec

from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem
from troth.control.audit.scope import within

_MOST = 2
_OPEN = "SELECT id FROM troth.account WHERE id = ANY(%s) AND disabled_at IS NULL"


class Designation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    accounts: list[UUID]


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Designation)
    if not 1 <= len(given.accounts) <= _MOST or len(set(given.accounts)) != len(given.accounts):
        return [Problem("accounts", "count", "Name one or two people, each once.")]
    if asked.code != "designation":
        return [Problem("code", "unknown", "The code of a client's designation is designation.")]
    with within(asked.connection, asked.tenant):
        there = {row[0] for row in asked.connection.execute(_OPEN, (given.accounts,)).fetchall()}
    return [
        Problem("accounts", "unknown", f"There is no open account {one} of this client or of the operator.")
        for one in given.accounts
        if one not in there
    ]
