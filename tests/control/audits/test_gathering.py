"""A bundle as it is made: it verifies far from the house; an empty period is one that the ledger shows to be empty."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from tests.control.audits.conftest import found, written

from troth.control.audits.gathering import Wanted, bundle
from troth.control.audits.ledgers import NoLedger
from troth.control.audits.period import CannotBundle, Period
from troth.ledger.archive import unpack
from troth.ledger.bundle_check import verify
from troth.ledger.verify import Found

HOUR = timedelta(hours=1)


def period(house, hours=2, back=0):
    """Up to the house's own clock."""
    now = house.database.run("SELECT now_v1()")[0][0] - back * HOUR
    return Period(now - hours * HOUR, now)


@pytest.fixture
def made(house, control, keys, programme):
    return bundle(control, keys, Wanted(programme, period(house), sample=4))


def test_it_verifies_with_nothing_but_the_key(house, made):
    judged = verify(made.data, house.signer.vkey, "p-firm")
    sizes = {each.name: (each.size, len(each.drawn)) for each in judged.bundle.populations}
    assert sizes["messages"] == (6, 4)
    assert sizes["changes"][0] > 5
    assert (judged.receipts, judged.tellings) == (4, 2)
    assert judged.bundle.range.start == 0
    assert judged.bundle.entries.others == 0


def test_no_address_is_in_it(made):
    for name, content in {"the file": made.data, **unpack(made.data)}.items():
        assert b"example.org" not in content, name
        assert b"zoe@" not in content, name


def test_it_tells_in_words_what_it_is(made):
    files = unpack(made.data)
    assert b"6 of which 4 drawn" in files["README.txt"]
    assert b"What is not:" in files["README.txt"]


def test_the_same_members_are_drawn_again(house, control, keys, programme):
    """The end of the range is fixed by the period, and so is the draw, however much comes later."""
    asked = Wanted(programme, period(house), sample=3)
    first = bundle(control, keys, asked)
    again = bundle(control, keys, asked)
    assert [each.drawn for each in first.bundle.populations] == [each.drawn for each in again.bundle.populations]


def test_an_empty_period_is_proved_empty(house, control, keys, programme):
    judged = verify(bundle(control, keys, Wanted(programme, period(house, back=24))).data)
    assert all(each.size == 0 for each in judged.bundle.populations)
    assert judged.bundle.entries.shown == judged.tellings == 0
    assert judged.bundle.range.end > 0


@pytest.mark.parametrize(("begins", "ends", "said"), [(0, -1, "before it begins"), (-1, 1, "not over"),
                                                      (-24 * 500, 0, "400 days")])  # fmt: skip
def test_a_period_that_cannot_be_is_refused(house, control, keys, programme, begins, ends, said):
    now = datetime.now(UTC)
    with pytest.raises(CannotBundle, match=said):
        bundle(control, keys, Wanted(programme, Period(now + begins * HOUR, now + ends * HOUR)))


@pytest.mark.parametrize("at", ["at - interval '1 second'", "at - interval '1 hour'"])
def test_a_message_whose_events_were_altered_is_no_part_of_a_bundle(house, control, keys, programme, at):
    """Within a minute it looks like one that waits for its seal; after that it is named."""
    house.database.fill(f"UPDATE event SET at = {at} WHERE message_id = %s", house.messages[0])
    with pytest.raises(CannotBundle if "hour" in at else NoLedger, match=str(house.messages[0])):
        bundle(control, keys, Wanted(programme, period(house), sample=6))


def test_a_message_that_waits_for_its_seal_is_to_be_asked_for_again(house, control, keys, programme):
    house.tell("late@example.org")
    house.database.fill("DELETE FROM email")
    written(house)
    with pytest.raises(NoLedger, match="just now"):
        bundle(control, keys, Wanted(programme, period(house), sample=7))
    house.seal()
    assert verify(bundle(control, keys, Wanted(programme, period(house), sample=7)).data).receipts == 7


def test_one_of_another_programme_is_not_this_one(made):
    with pytest.raises(Found, match="not of other"):
        verify(made.data, None, "other")


def test_a_flipped_bit_anywhere_in_it_is_found(house, made):
    """In each file of it, and in the archive's own words: receipts and all."""
    chance = random.Random(7)
    places = {chance.randrange(len(made.data)) for _ in range(60)}
    places |= {made.data.index(content) + len(content) // 2 for content in unpack(made.data).values() if content}
    for at in places:
        with pytest.raises(Found):
            verify(made.data[:at] + bytes((made.data[at] ^ 1 << at % 8,)) + made.data[at + 1 :], house.signer.vkey)


def test_a_range_that_begins_later_grows_from_the_checkpoint_before(house, control, keys, programme):
    seen = house.database.run("SELECT max(at) FROM ledger_checkpoint")[0][0]
    found(house, "SUP-1", None, "holds")
    house.seal()
    asked = Wanted(programme, Period(seen + timedelta(microseconds=1), house.database.run("SELECT now_v1()")[0][0]))
    judged = verify(bundle(control, keys, asked).data)
    assert judged.bundle.range.start > 0
    assert (judged.tellings, judged.receipts) == (1, 0)


def test_history_that_was_edited_makes_no_bundle(house, control, keys, programme):
    """Reviewers' third: what the row says now is not what its entry has the hash of."""
    house.database.fill("UPDATE claim_history SET evidence = '{}' WHERE claim = 'SUP-1'")
    with pytest.raises(CannotBundle, match="was altered"):
        bundle(control, keys, Wanted(programme, period(house)))


def test_tellings_from_before_the_history_knew_its_entries_are_found_by_what_they_say(house, control, keys, programme):
    house.database.fill("UPDATE claim_history SET entry = NULL, first = NULL, version = NULL")
    assert verify(bundle(control, keys, Wanted(programme, period(house))).data).tellings == 2
    house.database.fill("DELETE FROM claim_history WHERE claim = 'SUP-1'")
    with pytest.raises(CannotBundle, match="not kept any more"):
        bundle(control, keys, Wanted(programme, period(house)))
