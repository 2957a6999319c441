"""The trust document as it is made: what is proved is claimed, what fails is withdrawn, what nobody looks at says so."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.control.audits.conftest import CODE, Keys, found

from troth.control.audit import scope
from troth.control.audits.ledgers import NoLedger
from troth.control.audits.papers import paper
from troth.control.trust.look import Programme
from troth.ledger.trust_check import Asked, verify
from troth.ledger.verify import Found


def soon(**later):
    return Asked(datetime.now(UTC) + timedelta(seconds=5, **later))


def claims(made):
    return {each.id: each for each in verify(made, soon()).trust.claims}


def test_what_is_made_verifies_and_says_what_was_found(house, control, keys, programme):
    made = paper(control, keys, programme)
    judged = verify(made, Asked(soon().at, house.signer.vkey, programme=programme.code, host="firm.example"))
    assert [level.level for level in judged.trust.policy] == ["programme:p-firm"]
    told = claims(made)
    assert (told["EML-2"].shown, told["EML-2"].state) == ("claimed", "holds")
    assert told["EML-2"].sentence
    assert told["EML-2"].told
    assert (told["SUP-1"].state, told["SUP-1"].sentence is None) == ("fails", told["SUP-1"].shown == "withdrawn")
    assert "no control yet" in {each.state for each in told.values()} or len(told) > 1
    assert all(each.shown != "claimed" or each.told for each in told.values())


def test_what_is_not_sealed_yet_is_not_claimed(house, control, keys, programme):
    found(house, "SUP-2", None, "holds")
    assert claims(paper(control, keys, programme))["SUP-2"].state == "no data yet"
    house.seal()
    assert claims(paper(control, keys, programme))["SUP-2"].shown == "claimed"


@pytest.mark.parametrize("edit", ["state = 'holds'", "evidence = '{}'"])
def test_what_was_edited_behind_the_ledgers_back_is_not_claimed(house, control, keys, programme, edit):
    """By whoever may do anything: the state and its history alike."""
    house.database.fill(f"UPDATE claim_history SET {edit} WHERE claim = 'SUP-1'")
    house.database.fill("UPDATE claim_state SET state = 'holds' WHERE claim = 'SUP-1'")
    told = claims(paper(control, keys, programme))["SUP-1"]
    assert (told.state, told.shown) == ("no data yet", "said")


def test_it_ends(house, control, keys, programme):
    made = paper(control, keys, programme)
    with pytest.raises(Found, match="expired"):
        verify(made, soon(days=100))


def test_the_transaction_sees_afterwards_what_it_saw_before(house, control, keys, programme):
    with control.transaction():
        control.execute("SELECT set_config('troth.tenant', %s, true)", (str(house.firm.tenant),))
        paper(control, keys, programme)
        assert control.execute("SELECT current_setting('troth.tenant')").fetchone()[0] == str(house.firm.tenant)


def test_before_the_first_checkpoint_there_is_none(firm):
    programme = Programme(firm.programme, CODE, "property")
    with scope.connect(firm.operator.database.conninfo("troth_control"), "page") as connection:
        with pytest.raises(NoLedger, match="no checkpoint"):
            paper(connection, Keys(firm.operator), programme)
