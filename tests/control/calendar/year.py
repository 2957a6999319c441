"""A year of the test's clock: how each duty is done, what is due next, and what the ledger says was done."""

import json
from datetime import UTC, timedelta

from tests.control.trust.complaint_reviews import review as review_complaints
from tests.control.trust.read_reports import signed as review_reports
from tests.support.firm import now

from troth.control.audit import scope
from troth.control.calendar import reading
from troth.control.evidence import acts
from troth.control.evidence.acts import Offered
from troth.control.trust import running, schema
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR
from troth.rules import duties
from troth.rules.evidence_kinds import BY_CODE
from troth.rules.restore_drill import Drill

_DECIDE = "SELECT review_decide_v1(%s, %s, %s, %s, 'confirmed', '')"
_DRILL = json.dumps(Drill(12, 34, verified=True).document()).encode()


class Year:
    """One programme of a world, with a connection and two owners' sessions that last all year."""

    def __init__(self, world, profile, control):
        self.world, self.control, self.firm = world, control, world.firms[profile]
        self.world.operator.control = control
        self.code = world.sql("SELECT code FROM programme WHERE id = %s", self.firm.programme)[0][0]
        self.schema = None
        self.profile, self.sessions = profile, world.operator.sessions
        keyset = world.sql("SELECT operator_keyset FROM installation")[0][0]
        self.keys = world.operator.keyring.tenant(OPERATOR, keyset)
        world.quiet("UPDATE session SET expires_at = expires_at + interval '3 years' WHERE secret_hash = sha256(%s)"
                    " OR secret_hash = sha256(%s)", *self.sessions)  # fmt: skip

    def now(self):
        return reading.clock(self.control)

    def to(self, at) -> None:
        self.world.sql("UPDATE installation SET clock_offset = clock_offset + %s", at - self.now())

    def agenda(self):
        """The programme's, and all that the house owes: its promises hold or fail as one."""
        return [each for each in reading.agenda(self.control) if each.programme in ("", self.code)]

    def promises(self, claim) -> bool:
        return bool(duties.of_claim(claim, self.profile))

    def part(self, claim):
        """What the claim's control finds of this programme, or of the house. Nobody changes the schema in this year."""
        look = self.world.look(self.control)
        self.schema = look.once("schema", lambda: self.schema or schema.read(self.control))
        found = running.check(look, [claim], self.code)[0]
        return found.state, "\n".join(why for part in found.parts for why in part.evidence["why"])

    def do(self, duty):
        if duty.evidence_kind:
            return self._hand_in(duty)
        return {"access-review": self._access, "dmarc-review": self._reports, "complaint-review": self._complaints}[
            duty.code
        ]()

    def _hand_in(self, duty):
        kind, drill = BY_CODE[duty.evidence_kind], duty.evidence_kind == "restore-drill"
        home = None if duty.house else self.firm.programme
        content, name, media = (
            (_DRILL, "drill.json", "application/json") if drill else (b"Done.\n", "a.txt", "text/plain")
        )
        offered = Offered(home, duty.claim, kind.code, duty.title, name, media, self.now().astimezone(UTC).date(),
                          kind.publishes, content)  # fmt: skip
        made = acts.submit(self.control, self.keys, self.sessions[0], offered, now())
        acts.accept(self.control, self.sessions[1], made.id, made.digest)

    def _reports(self):
        review_reports(self.world, self.firm.programme)

    def _complaints(self):
        review_complaints(self.world, self.firm.programme, self.sessions[0])

    def _access(self):
        """Of the client's people and of the staff: each is confirmed by somebody else."""
        for whose in (self.firm.tenant, None):
            query = "SELECT id FROM review WHERE tenant_id IS NOT DISTINCT FROM %s AND closed_at IS NULL"
            found = self.world.sql(query, whose)
            with scope.within(self.control, whose) as control:
                if not found:
                    control.execute("SELECT review_open_v1(%s, %s, %s)", (self.sessions[0], uuid7(now()), whose))
            for (one,) in found or self.world.sql(query, whose):
                self._decide(one, whose)

    def _decide(self, review, whose):
        first = self.world.sql("SELECT human_id FROM account a JOIN session s ON s.account_id = a.id"
                               " WHERE s.secret_hash = sha256(%s)", self.sessions[0])[0][0]  # fmt: skip
        items = self.world.sql("SELECT kind, subject, human_id FROM review_item WHERE review_id = %s", review)
        for kind, subject, human in items:
            who = self.sessions[human == first]
            with scope.within(self.control, whose) as control:
                control.execute(_DECIDE, (who, review, kind, [subject]))

    def ledger(self) -> str:
        """Every sealed entry about evidence and reviews."""
        rows = self.world.sql("SELECT leaf FROM ledger_leaf WHERE kind LIKE 'trust:evidence:accept'"
                              " OR kind LIKE '%%:review:%%'")  # fmt: skip
        return "\n".join(leaf if isinstance(leaf, str) else bytes(leaf).decode() for (leaf,) in rows)


GRACE = timedelta(days=1, hours=1)  # a review that is due on a day is done within it
