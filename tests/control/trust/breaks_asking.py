"""The world's contacts, and what strangers asked of its trust centres, each answered in time; and what somebody might do to
what is known of them, or to what is shown.
"""

import os
from hashlib import sha256

from tests.control.trust.breaking import fences, function, loud, quiet
from tests.support.firm import now

from troth.control.asking import agreement
from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR

_FILE = "SELECT asked_file_v1(%s, %s, %s, %s, NULL, %s, %s, %s, %s, %s::text[], %s)"
_CONTACTS = {
    "security": "security@{}", "privacy": "privacy@{}", "abuse": "abuse@{}", "postal": "1 Pledge Street\nLeeds",
    "telephone": "+44 113 496 0000",
}  # fmt: skip


def asking(world) -> None:
    """Each programme has its contacts; one question of each was answered, and one request refused."""
    for profile, firm in world.firms.items():
        code = firm.name.split(".")[-2]
        contacts = {kind: value.format(f"{code}.example") for kind, value in _CONTACTS.items()}
        world.operator.govern("programme", None, f"p-{code}", {
            "name": "P", "profile": profile, "domain": f"{code}.example", "contacts": contacts}, firm.programme)  # fmt: skip
        decide(world, confirm(world, asked(world, firm.programme)), "answered")
        decide(world, confirm(world, asked(world, firm.programme, "documents")), "refused")


def asked(world, programme, kind="question"):
    """Typed into the form, by somebody new."""
    one, keys, who = uuid7(now()), _keys(world), os.urandom(8)
    wants, agreed = (["penetration-test"], agreement.digest()) if kind == "documents" else ([], None)
    address, words = (
        keys.seal(b"a@b.example", places.asked(one, "address")),
        keys.seal(b"{}", places.asked(one, "words")),
    )
    with world.database.open("troth_control") as connection:
        values = (
            one,
            uuid7(now()),
            programme,
            kind,
            sha256(who).digest(),
            sha256(who).digest(),
            address,
            words,
            wants,
            agreed,
        )
        assert connection.execute(_FILE, values).fetchone() == ("kept",)
    return one


def confirm(world, one, days=7):
    with world.database.open("troth_control") as connection:
        query = "SELECT asked_confirm_v1(%s, now_v1() + make_interval(days => %s))"
        assert connection.execute(query, (one, days)).fetchone() == ("confirmed",)
    return one


def decide(world, one, outcome, session=None, *, mailed=True):
    """Answered, and the answer mailed, or (`mailed` None) still to be mailed, or refused by the gate."""
    sealed, letter = _keys(world).seal(b"Said.", places.asked(one, "answer")), uuid7(now())
    values = one, letter, outcome, sealed, session or world.operator.sessions[0]
    with world.database.open("troth_control") as connection:
        connection.execute("SELECT asked_decide_v1(%s, %s, %s, %s, NULL, %s)", values)
    if mailed is not None:
        with world.database.open("troth_flow") as connection:
            sent = (letter, uuid7(now()), None) if mailed else (letter, None, "The gate refused it: unapproved")
            connection.execute("SELECT asked_letter_done_v1(%s, %s, %s)", sent)


def _keys(world):
    return world.operator.keyring.tenant(OPERATOR, world.sql("SELECT operator_keyset FROM installation")[0][0])


def _web(name, what):
    return loud("TRC-2", name, f"-- web {what}", "-- web")


def _contact(kind, value):
    changed = f"jsonb_set(artefact::jsonb, '{{contacts,{kind}}}', '\"{value}\"')::text"
    return quiet("TRC-2", f"another {kind} was approved than is shown", "snapshot",
                 f"UPDATE snapshot SET artefact = {changed}, digest = sha256(convert_to({changed}, 'UTF8'))"
                 " WHERE kind = 'programme'")  # fmt: skip


ASKING = [
    *fences("TRC-2", "asked", "guard"), *fences("TRC-2", "asked_taken", "insert_only"),
    *function("TRC-2", "asked_guard", "asked_guard()"),
    *function("TRC-2", "asked_facts_v1", "asked_facts_v1(uuid, timestamptz, integer)"),
    *function("TRC-2", "asked_unsound_v1", "asked_unsound_v1(uuid, timestamptz, integer)"),
    quiet("TRC-2", "a question was answered too late", "asked", "UPDATE asked SET decided_at = due_at + interval '1 hour'"),
    quiet("TRC-2", "a question was never answered", "asked",
          "UPDATE asked SET decided_at = NULL, decided_by = NULL, outcome = NULL, due_at = confirmed_at + interval '1 microsecond'"),
    quiet("TRC-2", "a question was given more time", "asked", "UPDATE asked SET due_at = due_at + interval '30 days'"),
    quiet("TRC-2", "an answer was never mailed", "asked_letter",
          "UPDATE asked_letter SET email_id = NULL, why = 'The gate refused it' WHERE kind = 'answer'"),
    quiet("TRC-2", "a question is gone", "asked", "DELETE FROM asked WHERE kind = 'question'"),
    quiet("TRC-2", "a question was never confirmed", "asked",
          "UPDATE asked SET decided_at = NULL, decided_by = NULL, outcome = NULL, answer_ct = NULL, due_at = NULL,"
          " confirmed_at = NULL, reference = NULL WHERE kind = 'question'"),
    quiet("TRC-2", "a question has another outcome", "asked", "UPDATE asked SET outcome = 'put-aside'"),
    _contact("security", "other@elsewhere.example"), _contact("abuse", "other@elsewhere.example"),
    _web("the security contact is not shown", 'changes /trust/p-homes/contacts data-contact="security" -> data-was="security"'),
    _web("the postal address is another", "changes /trust/p-sites/contacts 1 Pledge Street -> 2 Pledge Street"),
    _web("the telephone is gone", 'changes /trust/p-sites/contacts data-contact="telephone" -> data-x="telephone"'),
    _web("security.txt names nobody", "changes /.well-known/security.txt Contact: -> Nobody:"),
    _web("security.txt is past its end", "changes /.well-known/security.txt Expires: 20 -> Expires: 19"),
]  # fmt: skip
