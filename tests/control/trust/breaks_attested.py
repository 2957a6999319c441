"""What people handed in, for the claims that rest on it; and what somebody might do to it (see breaks.py)."""

from datetime import UTC, timedelta

from tests.control.trust.breaking import fences, function, loud, quiet, right

from troth.control.audit import scope
from troth.control.evidence import acts
from troth.control.evidence.acts import Offered
from troth.keys import places
from troth.keys.keyring import OPERATOR
from troth.rules.evidence_kinds import BY_CLAIM, BY_CODE

CLAIMS = ("APP-1", "APP-6", "INC-6", "CPL-5", "CPL-7", "VDP-3")
TEXT = b"What was done, by whom, and what came of it.\n"


def bring(world, open_session, claims=CLAIMS, days=1):
    """Everything that these claims rest on, done so many days ago: one owner brings it, the other accepts it."""
    keyset = world.sql("SELECT operator_keyset FROM installation")[0][0]
    keys = world.operator.keyring.tenant(OPERATOR, keyset)
    owners = world.sql("SELECT id FROM account WHERE tenant_id IS NULL AND role = 'owner' ORDER BY id LIMIT 2")
    one, other = (open_session(world, account, keys.seal(b"{}", places.access("detail"))) for (account,) in owners)
    now = world.sql("SELECT now_v1()")[0][0]
    done = now.astimezone(UTC).date() - timedelta(days=days)
    with scope.connect(world.database.conninfo("troth_control"), "evidence test") as connection:
        for claim, kind in ((claim, BY_CODE[kind]) for claim in claims for kind in BY_CLAIM[claim].kinds):
            offered = Offered(None, claim, kind.code, f"{kind.name} of the test", f"{kind.code}.txt", "text/plain", done,
                              kind.publishes, TEXT)  # fmt: skip
            made = acts.submit(connection, keys, one, offered, now)
            acts.accept(connection, other, made.id, made.digest)


def spoilt(claim):
    """Each of what makes a piece count, spoilt behind the house's back."""
    where = f"WHERE claim = '{claim}'"
    for name, change in (
        ("is of another day", "performed_on = performed_on - 400, valid_until = valid_until - 400"),
        ("is good for longer", "valid_until = valid_until + 1"),
        (
            "was accepted by whoever brought it",
            "accepted_human = submitted_human, accepted_account = submitted_account",
        ),
        ("was never accepted", "accepted_at = NULL, accepted_human = NULL, accepted_account = NULL"),
        ("has another file", "file_ct = (SELECT f.file_ct FROM evidence f WHERE f.claim <> evidence.claim LIMIT 1)"),
        ("has another hash", "sha256 = sha256('x')"),
        ("has another title", "title = 'Another'"),
    ):
        yield quiet(claim, f"evidence {name}", "evidence", f"UPDATE evidence SET {change} {where}")
    yield quiet(claim, "evidence is gone", "evidence", f"DELETE FROM evidence {where}")
    yield quiet(claim, "evidence is another claim's", "evidence", f"UPDATE evidence SET claim = 'ENC-1' {where}")
    yield quiet(claim, "the ledger does not tell of it", "ledger_leaf",
                "DELETE FROM ledger_leaf WHERE kind = 'trust:evidence:accept'")  # fmt: skip


ATTESTED = [
    *(case for claim in CLAIMS for case in spoilt(claim)),
    *(quiet(claim, "what is to be published is not", "evidence", f"UPDATE evidence SET public = false WHERE claim = '{claim}'")
      for claim in ("CPL-7", "VDP-3")),
    *fences("APP-6", "evidence", "insert_only"), *fences("CPL-5", "evidence", "guard"), *right("INC-6", "evidence:accept"),
    *function("APP-1", "evidence_told_v1", "evidence_told_v1()"),
    *function("CPL-7", "evidence_days_v1", "evidence_days_v1(uuid, text)"),
    *function("VDP-3", "evidence_accept_v1", "evidence_accept_v1(uuid, bytea, bytea)"),
    loud("APP-6", "one person is enough", "ALTER TABLE evidence DROP CONSTRAINT second_person",
         "ALTER TABLE evidence ADD CONSTRAINT second_person CHECK (accepted_human <> submitted_human)"),
]  # fmt: skip
