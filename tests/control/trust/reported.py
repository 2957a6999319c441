"""The world's reports: abuse of each firm's mail, and weaknesses of each programme, answered and settled in time; and what
somebody might do to what is known of them.
"""

from tests.control.trust.breaking import fences, function, loud, quiet
from tests.control.trust.breaks_recipients import policy
from tests.support.firm import now

from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR
from troth.rules import cases
from troth.rules.profile import load_profile

_OPEN = "SELECT case_open_v1(%s, %s, 'form', %s, 'A report', '', %s, %s, NULL, NULL, NULL, %s::text[], %s::timestamptz[], NULL)"
_STEP = "SELECT case_step_v1(%s, %s, %s, %s, %s, %s::text[], %s::timestamptz[], %s)"


def reported(world) -> None:
    """One of each kind a programme; a weakness judged high, and mended."""
    for profile, firm in world.firms.items():
        rules = load_profile(profile).policy
        abuse = opened(world, rules, "abuse", firm.tenant, firm.programme)
        step(world, abuse, "acknowledge")
        step(world, abuse, "update")
        step(world, abuse, "resolve", "unfounded")
        weakness = opened(world, rules, "disclosure", None, firm.programme)
        step(world, weakness, "acknowledge")
        step(world, weakness, "update")
        step(world, weakness, "assess", "high", cases.patch_clock("high", rules, clock(world)))
        step(world, weakness, "resolve", "fixed")


def clock(world):
    return world.sql("SELECT now_v1()")[0][0]


def opened(world, rules, kind, tenant, programme):
    case, at = uuid7(now()), clock(world)
    found = cases.clocks(kind, "form", rules, at)
    names, dues = [one.name for one in found], [one.due_at for one in found]
    with world.database.open("troth_flow") as connection:
        connection.execute(_OPEN, (case, kind, str(case), tenant, programme, names, dues))
    return case


def step(world, case, name, value="", clocks=(), session=None):
    keyset = world.sql("SELECT operator_keyset FROM installation")[0][0]
    entry = uuid7(now())
    words = world.operator.keyring.tenant(OPERATOR, keyset).seal(b"Looked into.", places.case_words(entry))
    names, dues = [one.name for one in clocks], [one.due_at for one in clocks]
    with world.database.open("troth_control") as connection:
        connection.execute(_STEP, (case, name, value, entry, words, names, dues, session or world.operator.sessions[0]))


def _of(kind):
    return f"case_id IN (SELECT id FROM case_file WHERE kind = '{kind}')"


REPORTS = [
    *fences("ABU-1", "case_clock", "guard"), *fences("ABU-1", "case_file", "no_delete"),
    *function("ABU-1", "desk_clocks_v1", "desk_clocks_v1(text, timestamptz, integer)"),
    *function("ABU-1", "case_clock_guard", "case_clock_guard()"),
    quiet("ABU-1", "a report was answered too late", "case_clock",
          f"UPDATE case_clock SET met_at = due_at + interval '1 hour' WHERE name = 'acknowledge' AND {_of('abuse')}"),
    quiet("ABU-1", "a report was never settled", "case_clock",
          f"UPDATE case_clock SET met_at = NULL, due_at = started_at + interval '1 second' WHERE name = 'resolve' AND {_of('abuse')}"),
    quiet("ABU-1", "a report was given more time", "case_clock",
          f"UPDATE case_clock SET due_at = due_at + interval '30 days' WHERE {_of('abuse')}"),
    quiet("ABU-1", "a report has no deadline", "case_clock", f"DELETE FROM case_clock WHERE {_of('abuse')} AND name = 'resolve'"),
    *fences("ABU-2", "pause"), *fences("ABU-2", "case_client"), *fences("ABU-2", "case_file", "abuse_confirmed"),
    *function("ABU-2", "abuse_confirmed", "abuse_confirmed()"),
    *function("ABU-2", "abuse_suspends", "abuse_suspends(uuid)"),
    *function("ABU-2", "abuse_attempt_v1", "abuse_attempt_v1(text, text)"),
    policy("ABU-2", "a policy suspends nobody", '"abuse_suspends":true', '"abuse_suspends":false'),
    quiet("ABU-2", "somebody was confirmed and goes on", ("case_file", "case_entry"),
          "UPDATE case_file SET outcome = 'confirmed' WHERE kind = 'abuse'",
          f"UPDATE case_entry SET value = 'confirmed' WHERE kind = 'resolve' AND {_of('abuse')}"),
    *fences("VDP-1", "disclosure_credit"), *fences("VDP-1", "case_entry", "insert_only"),
    *function("VDP-1", "disclosure_thanks_v1", "disclosure_thanks_v1(integer)"),
    loud("VDP-1", "a name needs no consent", "ALTER TABLE disclosure_credit ALTER consented_at DROP NOT NULL, ALTER published_by DROP NOT NULL,"
         " DROP CONSTRAINT disclosure_credit_check",
         "ALTER TABLE disclosure_credit ALTER consented_at SET NOT NULL, ADD CONSTRAINT disclosure_credit_check"
         " CHECK ((published_at IS NULL) = (name IS NULL) AND (published_at IS NULL) = (published_by IS NULL))"),
    quiet("VDP-1", "a weakness was judged too late", "case_clock",
          f"UPDATE case_clock SET met_at = due_at + interval '1 hour' WHERE name = 'assess' AND {_of('disclosure')}"),
    quiet("VDP-1", "a weakness was not answered", "case_clock",
          f"UPDATE case_clock SET met_at = NULL, due_at = started_at + interval '1 second' WHERE name = 'acknowledge' AND {_of('disclosure')}"),
    *fences("VDP-2", "case_clock", "guard"),
    *function("VDP-2", "case_step_v1", "case_step_v1(uuid, text, text, uuid, bytea, text[], timestamptz[], bytea)"),
    quiet("VDP-2", "a weakness was mended too late", "case_clock", "UPDATE case_clock SET met_at = due_at + interval '1 day' WHERE name = 'patch'"),
    quiet("VDP-2", "a weakness was given more time", "case_clock", "UPDATE case_clock SET due_at = due_at + interval '30 days' WHERE name = 'patch'"),
    quiet("VDP-2", "a judged weakness has no clock", ("case_clock", "case_file"), "DELETE FROM case_clock WHERE name = 'patch'",
          "UPDATE case_file SET state = 'assessed', outcome = NULL WHERE kind = 'disclosure'"),
    quiet("ABU-1", "a late answer is dated back", "case_clock",
          f"UPDATE case_clock SET met_at = met_at + interval '10 minutes' WHERE name = 'acknowledge' AND {_of('abuse')}"),
    quiet("ABU-1", "a report is made away with", ("case_file", "case_clock", "case_entry"), f"DELETE FROM case_clock WHERE {_of('abuse')}",
          f"DELETE FROM case_entry WHERE {_of('abuse')}", "DELETE FROM case_file WHERE kind = 'abuse'"),
    quiet("VDP-1", "an entry is written in", "case_entry", "INSERT INTO case_entry (case_id, id, at, kind)"
          " SELECT id, gen_random_uuid(), opened_at, 'acknowledge' FROM case_file WHERE kind = 'disclosure'"),
    quiet("VDP-2", "a weakness was judged less severe, in hindsight", "case_entry",
          "UPDATE case_entry SET value = 'low' WHERE kind = 'assess'"),
    *function("VDP-2", "desk_unsound_v1", "desk_unsound_v1(text, timestamptz, integer)"),
]  # fmt: skip
