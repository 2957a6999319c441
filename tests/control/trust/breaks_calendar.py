"""The world's restore drill; and what somebody might do to what the claim about it stands on (see breaks.py)."""

import json
from datetime import UTC, timedelta

from tests.control.trust.breaking import fences, function, quiet
from tests.control.trust.breaks_attested import spoilt
from tests.control.trust.breaks_recipients import policy

from troth.control.audit import scope
from troth.control.evidence import acts
from troth.control.evidence.acts import Offered
from troth.keys import places
from troth.keys.keyring import OPERATOR
from troth.rules.restore_drill import Drill


def drill(world, open_session, measured=Drill(12, 34, verified=True), days=1, content=None):
    """One owner brings what was measured so many days ago, the other accepts it."""
    keyset = world.sql("SELECT operator_keyset FROM installation")[0][0]
    keys = world.operator.keyring.tenant(OPERATOR, keyset)
    owners = world.sql("SELECT id FROM account WHERE tenant_id IS NULL AND role = 'owner' ORDER BY id LIMIT 2")
    one, other = (open_session(world, account, keys.seal(b"{}", places.access("detail"))) for (account,) in owners)
    now = world.sql("SELECT now_v1()")[0][0]
    done = now.astimezone(UTC).date() - timedelta(days=days)
    with scope.connect(world.database.conninfo("troth_control"), "drill test") as connection:
        told = content if content is not None else json.dumps(measured.document()).encode()
        offered = Offered(None, "INF-9", "restore-drill", "Restore drill", "drill.json", "application/json", done, False,
                          told)  # fmt: skip
        made = acts.submit(connection, keys, one, offered, now)
        acts.accept(connection, other, made.id, made.digest)


DRILLS = [
    *spoilt("INF-9"),
    policy("INF-9", "a disaster may lose a day", '"rpo_minutes":240', '"rpo_minutes":1440'),
    policy("INF-9", "a disaster may take a day", '"rto_minutes":120', '"rto_minutes":1440'),
    policy("INF-9", "no promise says how much may be lost", '"hosting":', '"hosted":'),
    quiet("INF-9", "the drill is of no programme's", "evidence",
          "UPDATE evidence SET claim = 'INC-6' WHERE kind = 'restore-drill'"),
    *fences("INF-9", "evidence", "accepted_once"),
    *function("INF-9", "evidence_digest", "evidence_digest(evidence)"),
]  # fmt: skip
