"""What strangers asked ends by itself: unconfirmed after 48 hours, all of it; 90 days after the answer, all but the facts."""

from datetime import timedelta

import psycopg
import pytest
from tests.flow.feedback import desk_world
from tests.flow.feedback.test_asked_mail import answered, asked, mail

from troth.cli.demo import packs
from troth.flow.duties.sending import Sending
from troth.flow.duties.standard import standard
from troth.outside.dns import Resolver
from troth.store.duties import make_partitions


@pytest.fixture
async def world(operator):
    made = await desk_world.world(operator)
    for pack in ("asked-confirm", "asked-answer"):
        code, artefact = packs.template(f"system/{pack}")
        operator.govern("template", made.system, code, artefact)
    yield made
    await desk_world.end(made)


async def sweep(world):
    """As the duties' process does."""
    [duty] = [each for each in standard(Sending(Resolver(), "")) if each.name == "what strangers asked"]
    async with world.deps.lend() as connection:
        return await duty.run(connection)


def move(world, **by):
    world.operator.database.fill("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(**by))


def people(world):
    """Of strangers, in the system tenant: those whose address can still be opened."""
    return world.rows("SELECT count(*) FROM person WHERE tenant_id = %s AND status <> 4", world.system)[0][0]


async def test_what_nobody_confirmed_is_gone_after_two_days_with_whom_it_named(world):
    asked(world)
    await mail(world)
    assert people(world) == 1
    move(world, hours=47)
    assert await sweep(world) == 0
    move(world, hours=2)
    assert await sweep(world) == 1
    assert world.rows("SELECT (SELECT count(*) FROM asked), (SELECT count(*) FROM asked_letter)") == [(0, 0)]
    assert people(world) == 0
    assert await sweep(world) == 0


async def test_what_was_answered_is_shredded_after_90_days_and_its_facts_stay(world):
    one = asked(world)
    await mail(world)
    answered(world, one)
    await mail(world)
    move(world, days=89)
    assert await sweep(world) == 0
    move(world, days=2)
    assert await sweep(world) == 1
    assert world.rows(
        "SELECT outcome, decided_at IS NOT NULL, reference IS NOT NULL, address_ct, words_ct, answer_ct, address_index, mailbox"
        " FROM asked"
    ) == [("answered", True, True, None, None, None, None, None)]
    assert people(world) == 0
    assert world.rows("SELECT count(*) FROM ledger_pending WHERE kind = 'trust:asking:shred'") == [(1,)]
    assert await sweep(world) == 0
    async with world.deps.lend() as connection:
        await make_partitions(connection)
    world.operator.database.fill(
        "UPDATE domain_state SET ready_until = now_v1() + interval '1 hour', checked_at = now_v1()"
    )
    asked(world)  # the same address begins anew
    assert await mail(world) == 1


async def test_what_waits_for_an_answer_is_kept_however_old(world):
    one = asked(world)
    world.operator.control.execute("SELECT asked_confirm_v1(%s, now_v1() + interval '7 days')", (one,))
    move(world, days=200)
    assert await sweep(world) == 0
    assert world.rows("SELECT count(*) FROM asked WHERE words_ct IS NOT NULL") == [(1,)]


async def test_an_address_that_somebody_else_needs_stays(world):
    asked(world, "ann@example.net")  # the firm's own recipient
    await mail(world)
    move(world, hours=49)
    assert await sweep(world) == 1
    assert people(world) == 1


async def test_nobody_deletes_or_edits_what_was_confirmed(world):
    one = asked(world)
    world.operator.control.execute("SELECT asked_confirm_v1(%s, now_v1() + interval '7 days')", (one,))
    for statement in ("DELETE FROM asked", "UPDATE asked SET due_at = due_at + interval '1 day'",
                      "UPDATE asked SET confirmed_at = NULL, due_at = NULL, reference = NULL",
                      "UPDATE asked SET words_ct = '\\x01ff'", "TRUNCATE asked CASCADE"):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            world.operator.admin.execute(statement)
