"""The lie test: what is changed through the only door there is, the page says at once; what is changed behind the
database's back is found by its control at its next look, and by `troth verify` where it is in the data.
"""

import psycopg
import pytest
from tests.support.firm import now

from troth.control.audit import scope
from troth.control.ledger import rows
from troth.control.ledger.verification import Asked, verify
from troth.control.trust import promised
from troth.control.trust.standing import programmes
from troth.keys.ids import uuid7
from troth.ledger.canonical import canonical_document
from troth.ledger.verify import Found

# claim, what the operator tightens, and what its sentence says then
TIGHTER = (
    ("BNC-2", {"bounce": {"soft_window_minutes": 1440, "soft_retry_minutes": [30, 180, 1080]}}, "18 h", "18"),
    ("EML-2", {"domain": {"dkim_bits": 3072}}, "at least 3072 bits", "3072"),
    ("VDP-1", {"cases": {"disclosure_acknowledged": "20 h"}}, "acknowledged within 20", "20"),
    ("ABU-1", {"cases": {"abuse_acknowledged": "3 h"}}, "3", "3"),
)


def said(connection, claim, code=None):
    """The sentence, and its numbers, of the first programme that promises it."""
    for programme in programmes(connection):
        for each in promised.promised(connection, programme):
            if each.claim.id == claim and code in (None, programme.code):
                return each.sentence, each.numbers
    raise AssertionError(claim)


@pytest.mark.parametrize(
    ("claim", "change", "words", "number"), TIGHTER, ids=[f"{each[0]} {each[1]}" for each in TIGHTER]
)
def test_a_value_changed_through_the_door_is_on_the_page_in_the_same_transaction(firm, claim, change, words, number):
    operator = firm.operator
    given, text = uuid7(now()), canonical_document(change).decode()
    digest = operator.control.execute(
        "SELECT propose_v1(%s, 'policy', NULL, %s, 'operator', %s, 'tighter', %s)",
        (given, uuid7(now()), text, operator.sessions[0]),
    ).fetchone()[0]
    with (
        scope.connect(operator.database.conninfo("troth_control"), "approver") as approver,
        scope.connect(operator.database.conninfo("troth_control"), "reader") as reader,
    ):
        before, _ = said(reader, claim)
        assert words not in before
        with approver.transaction():
            approver.execute("SELECT approve_v1(%s, %s, %s)", (given, digest, operator.sessions[1]))
            sentence, numbers = said(approver, claim)
            assert words in sentence.replace("\N{NO-BREAK SPACE}", " "), sentence
            assert any(number in each for each in numbers) or number in sentence
            assert said(reader, claim)[0] == before  # nobody else sees what is not yet so
        assert said(reader, claim)[0] == sentence


def test_no_value_is_changed_by_one_person_or_past_the_door(firm):
    operator = firm.operator
    with pytest.raises(psycopg.Error):
        operator.control.execute(
            "UPDATE snapshot SET artefact = '{}' WHERE kind = 'policy' AND tenant_id IS NULL"
        )  # no role that runs may
    given = uuid7(now())
    digest = operator.control.execute(
        "SELECT propose_v1(%s, 'policy', NULL, %s, 'operator', '{\"domain\":{\"dkim_bits\":3072}}', 'alone', %s)",
        (given, uuid7(now()), operator.sessions[0]),
    ).fetchone()[0]
    with pytest.raises(psycopg.Error):
        operator.control.execute("SELECT approve_v1(%s, %s, %s)", (given, digest, operator.sessions[0]))


# ---- behind its back: the claim whose control sees it, and what a superuser does

_RECORDER = (
    "CREATE OR REPLACE FUNCTION claim_record_v2(p_claims text[], p_programmes uuid[], p_states text[], p_evidence text[],"
    " p_version text) RETURNS timestamptz LANGUAGE sql SECURITY DEFINER AS 'SELECT troth.now_v1()'"
)
SCHEMA = (
    ("SUP-3", "ALTER TABLE suppression DISABLE TRIGGER insert_only"),
    ("SUP-1", "DROP TRIGGER insert_only ON suppression"),
    ("LOG-6", "DROP TRIGGER insert_only ON claim_history"),
    ("LOG-6", "ALTER TABLE claim_state DISABLE TRIGGER as_told"),
    ("LOG-6", _RECORDER),
    ("LOG-1", "ALTER TABLE event DISABLE ROW LEVEL SECURITY"),
    ("ENC-5", "ALTER TABLE person DROP CONSTRAINT person_address_ct_check"),
    ("CHG-6", "ALTER TABLE snapshot DISABLE TRIGGER insert_only"),
)  # fmt: skip


@pytest.mark.parametrize(("claim", "lie"), SCHEMA, ids=[f"{claim}: {lie[:60]}" for claim, lie in SCHEMA])
def test_what_a_promise_stands_on_is_broken_by_a_superuser_and_its_control_fails(world, claim, lie):
    assert world.state(claim) == "holds", world.why(claim)
    verified(world)
    world.sql(lie)
    assert world.state(claim) == "fails"
    if lie != _RECORDER:  # which keeps nothing: its control alone says so
        assert f"These claims FAIL, and the ledger says so: {claim} " in "\n".join(verified(world).lines())


DATA = (
    ("CHG-6", "UPDATE snapshot SET artefact = replace(artefact, '2880', '9999') WHERE code = 'programme:p-homes'"),
    ("CHG-6", "UPDATE snapshot SET digest = sha256('x') WHERE code = 'programme:p-homes'"),
    ("LOG-6", "UPDATE ledger_leaf SET leaf = replace(leaf, 'holds', 'fails'), leaf_hash = sha256('x') WHERE index = 3"),
    ("LOG-6", "DELETE FROM ledger_leaf WHERE index = 2"),
    ("LOG-1", "DELETE FROM event WHERE message_id = (SELECT message_id FROM event WHERE kind = 1 LIMIT 1)"),
    ("LOG-6", "UPDATE ledger_checkpoint SET root = sha256('x') WHERE size = (SELECT max(size) FROM ledger_checkpoint)"),
)


@pytest.mark.parametrize(("claim", "lie"), DATA, ids=[f"{claim}: {lie[:60]}" for claim, lie in DATA])
def test_data_that_a_superuser_edits_fails_its_control_and_verify_says_so(world, claim, lie):
    assert world.state(claim) == "holds", world.why(claim)
    verified(world)
    loosened(world, lie.split()[1] if lie.startswith("UPDATE") else lie.split()[2])
    world.quiet(lie)
    assert world.state(claim) == "fails"
    with pytest.raises(Found):
        verified(world)


def test_what_a_claim_stands_at_is_edited_and_verify_says_so_until_the_next_look_says_what_is(world):
    world.check("SUP-3")
    world.sql("GRANT DELETE ON suppression TO troth_control")
    assert world.state("SUP-3") == "fails"
    verified(world)
    world.quiet("UPDATE claim_state SET state = 'holds' WHERE claim = 'SUP-3'")
    with pytest.raises(Found, match="SUP-3 stands at is not what the newest row"):
        verified(world)
    assert world.state("SUP-3") == "fails"  # the look finds what is, whatever the row says
    verified(world)
    world.quiet("UPDATE claim_history SET state = 'holds' WHERE claim = 'SUP-3' AND state = 'fails'")
    with pytest.raises(Found, match="is not what its entry says: its state differs"):
        verified(world)


def test_a_policy_edited_behind_the_back_changes_no_sentence_that_anybody_approved(world):
    """The page reads the policy in force; CHG-6 and verify say that it is not what two people approved."""
    with scope.connect(world.database.conninfo("troth_control"), "reader") as reader:
        before = said(reader, "EML-2", "p-homes")[0]
        loosened(world, "snapshot")
        world.quiet("UPDATE snapshot SET artefact = replace(artefact, '2048', '4096') WHERE code = 'programme:p-homes'")
        after = said(reader, "EML-2", "p-homes")[0]
    assert before != after
    assert world.state("CHG-6") == "fails"
    with pytest.raises(Found, match="artefact differs"):
        verified(world)


def verified(world):
    with (
        rows.connect(world.database.conninfo("troth_ledger"), "verify") as connection,
        rows.connect(world.database.conninfo("troth_flow"), "verify") as reader,
    ):
        return verify(connection, reader, Asked(open_tenant=world.operator.keyring.tenant))


def loosened(world, table):
    """Constraints would stop some of it: an intruder drops them."""
    for name, kind in world.sql(
        "SELECT conname, contype::text FROM pg_constraint WHERE conrelid = %s::regclass", table
    ):
        if kind == "c":
            world.sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
