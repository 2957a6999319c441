"""Letters to privacy@: kept for a person; those that are certainly their senders' are owed an answer."""

import pytest
from tests.flow.feedback import desk_world
from tests.flow.feedback.desk_world import DOMAIN
from tests.flow.feedback.test_desks import LETTER

from troth.flow.feedback.privacy import PrivacyDesk
from troth.mail.arrived import Arrived, Verdict


@pytest.fixture
async def world(operator):
    made = await desk_world.world(operator)
    made.desk = PrivacyDesk(made.deps, made.keys, DOMAIN, made.signed)
    yield made
    await desk_world.end(made)


async def bring(world, text=LETTER):
    return await world.desk.take([f"privacy@{DOMAIN}"], Arrived("192.0.2.7", "ann@example.net", text.encode()))


def kept(world):
    return world.rows("SELECT desk, reason FROM inbound_letter ORDER BY at, id")


async def test_it_knows_its_own_address_at_our_domain_and_each_programmes(world):
    for address in (f"privacy@{DOMAIN}", f"Privacy+x@{DOMAIN.upper()}", "privacy@firm.example"):
        assert await world.desk.knows(address), address
    for address in (f"abuse@{DOMAIN}", "privacy@elsewhere.example"):
        assert not await world.desk.knows(address), address


async def test_only_a_letter_that_is_its_senders_is_owed(world):
    assert await bring(world) is Verdict.TAKEN
    assert kept(world) == [("privacy", "letter")]
    assert await bring(world) is Verdict.TAKEN  # the same again
    world.aligned = True
    assert await bring(world, LETTER.replace("Subject: ", "Subject: Again ")) is Verdict.TAKEN
    assert kept(world) == [("privacy", "letter"), ("privacy", "own-data")]
    assert await bring(world, f"Auto-Submitted: auto-replied\r\n{LETTER}") is Verdict.AUTOMATIC
    assert len(kept(world)) == 2
