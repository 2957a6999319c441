"""The world's complaints: a loop that two owners' house believes, three recipients of each firm who complain, and the
people who look into it in time; the last one's review is not due yet.
"""

from datetime import date

from tests.control.trust.breaking import fences, function, loud, quiet
from tests.control.trust.breaks_recipients import policy
from tests.support.firm import now

from troth.flow.feedback.complaining import Report, complain
from troth.flow.feedback.deps import Deps
from troth.flow.submission.connections import Connections
from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR
from troth.store import complaints as store

COMPLAINERS = ("dot", "eve", "fay")
_MESSAGE = "SELECT id FROM message WHERE tenant_id = %s AND blind_index = %s"
_OPEN = "SELECT id, tenant_id FROM case_file WHERE cause = 'complaint' AND state IN ('open', 'acknowledged')"
_TOLD = "SELECT 1 FROM case_clock WHERE case_id = %s AND name = 'told' AND met_at IS NULL"


def enrol(world) -> None:
    add = "SELECT feedback_loop_add_v1(%s, 'provider', 'Provider', %s, 'fbl@provider.example', 'all of their mailboxes', 30, %s, %s, %s)"
    given = uuid7(now()), ["provider.example"], date(2026, 1, 5), bytes(32), world.operator.sessions[0]
    world.operator.control.execute(add, given)


async def complaint(world, address, local) -> None:
    """Of this person of each firm, through the enrolled loop; `address`: world.at."""
    operator = world.operator
    keyset = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    connections = Connections(world.database.connect)
    deps = Deps(
        connections.lend, operator.keyring, operator.secrets, operator=operator.keyring.tenant(OPERATOR, keyset)
    )
    try:
        async with connections.lend() as connection:
            [loop] = await store.loops(connection)
            for firm in world.firms.values():
                message = world.sql(_MESSAGE, firm.tenant, firm.index(address(firm, local)))[0][0]
                came = world.sql("SELECT now_v1() - interval '2 seconds'")[0][0]
                detail = {"via": "fbl", "loop": loop.name, "feedback_type": "abuse"}
                assert await complain(
                    deps, connection, message, f"fbl:{loop.id}", detail, Report(loop, came, b"a letter")
                )
                await store.told(connection, loop.id, "abuse", new=True)
    finally:
        await connections.close()


def reviewed(world, open_session) -> None:
    """Client success is told, and each open incident of a complaint is resolved, by an owner who signs in for it."""
    keyset = world.operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys = world.operator.keyring.tenant(OPERATOR, keyset)
    owner = world.sql("SELECT id FROM account WHERE tenant_id IS NULL AND role = 'owner' ORDER BY id LIMIT 1")[0][0]
    session = open_session(world, owner, keys.seal(b"{}", places.access("detail")))
    for case, _ in world.sql(_OPEN):
        steps = [("tell", "")] if world.sql(_TOLD, case) else []
        for step, value in (*steps, ("resolve", "fixed")):
            entry = uuid7(now())
            world.operator.control.execute(
                "SELECT case_step_v1(%s, %s, %s, %s, %s, '{}', '{}', %s)",
                (case, step, value, entry, keys.seal(b"Looked into.", places.case_words(entry)), session),
            )  # fmt: skip


COMPLAINTS = [
    *fences("CMP-1", "complaint", "guard"), *fences("CMP-1", "case_clock", "guard"),
    *function("CMP-1", "complaint_v1", "complaint_v1(uuid, uuid, text, uuid, uuid, text, text, timestamptz)"),
    *function("CMP-1", "complaint_fact_v1", "complaint_fact_v1(text, timestamptz)"),
    *function("CMP-1", "complaint_guard", "complaint_guard()"),
    quiet("CMP-1", "a complaint is forgotten", "complaint", "DELETE FROM complaint"),
    quiet("CMP-1", "a complaint was never told", "event", "DELETE FROM event WHERE kind = 14"),
    quiet("CMP-1", "who complained is not suppressed", "suppression", "DELETE FROM suppression WHERE reason IN (2, 4)"),
    quiet("CMP-1", "who complained was suppressed later", "suppression",
          "UPDATE suppression SET created_at = created_at + interval '1 hour' WHERE reason IN (2, 4)"),
    quiet("CMP-1", "an incident has no deadline", "case_clock", "DELETE FROM case_clock"),
    quiet("CMP-1", "a deadline is not the promise's", "case_clock", "UPDATE case_clock SET due_at = due_at + interval '9 days'"),
    quiet("CMP-1", "a review came too late", "case_clock", "UPDATE case_clock SET due_at = started_at + interval '1 second'"),
    quiet("CMP-1", "nothing is known of the recipient", "case_entry", "UPDATE case_entry SET words_ct = NULL"),
    *fences("CMP-2", "pause", "complaints_looked_into"), *fences("CMP-2", "complaint", "insert_only"),
    *function("CMP-2", "complaint_pattern_v1", "complaint_pattern_v1(uuid, integer)"),
    *function("CMP-2", "complaints_looked_into", "complaints_looked_into()"),
    quiet("CMP-2", "a pattern stopped nobody", "complaint",
          "UPDATE complaint SET at = (SELECT max(at) FROM complaint)"),
    policy("CMP-2", "a policy stops nobody", '"complaint_suspends":true', '"complaint_suspends":false'),
    policy("CMP-2", "a policy sees no pattern", '"complaint_pattern":3', '"complaint_pattern":300'),
    quiet("CMP-2", "mail went out while it was stopped", "pause",
          "INSERT INTO pause (id, tenant_id, effect, reason, started_by, started_at) SELECT gen_random_uuid(), id,"
          " 'stop-delivery', 'too many', 'complaints', now_v1() - interval '60 days' FROM tenant WHERE kind = 1"),
    *fences("CMP-3", "template_flag", "guard"), *fences("CMP-3", "complaint", "flags"),
    *function("CMP-3", "complaint_flags", "complaint_flags()"),
    quiet("CMP-3", "a mark is gone", "template_flag", "DELETE FROM template_flag"),
    quiet("CMP-3", "a mark was cleared before", "template_flag",
          "UPDATE template_flag SET cleared_at = since, cleared_by = (SELECT id FROM account LIMIT 1), cleared_why = 'x'"),
    quiet("CMP-3", "another version was marked", "complaint", "UPDATE complaint SET template_snapshot = NULL"),
    *fences("FBL-2", "complaint", "insert_only"), *fences("FBL-2", "feedback_loop", "guard"),
    *function("FBL-2", "complaint_times_v1", "complaint_times_v1(uuid, interval, timestamptz)"),
    quiet("FBL-2", "reports wait for hours", "complaint", "UPDATE complaint SET came_at = came_at - interval '3 hours'"),
    quiet("FBL-2", "who complained is not suppressed", "suppression", "DELETE FROM suppression WHERE reason IN (2, 4)"),
    loud("FBL-2", "who takes reports may write the record", "GRANT INSERT ON complaint TO troth_flow",
         "REVOKE INSERT ON complaint FROM troth_flow"),
]  # fmt: skip
