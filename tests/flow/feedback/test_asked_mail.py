"""Mail to whoever asked something of a trust centre: one letter that asks to confirm it, without a word of what was typed; and
the answer.
"""

from datetime import timedelta
from hashlib import sha256

import pytest
from tests.flow.feedback import desk_world
from tests.flow.feedback.test_desks_mail import letters

from troth.cli.demo import packs
from troth.flow.feedback import asked_mail
from troth.flow.gate.accept import StoreAway
from troth.flow.gate.asks import Refusal, Refused
from troth.keys import ids, places
from troth.keys.installation import Purpose
from troth.mail.tokens import read_token

WORDS = b'{"name": "Ada", "firm": "F", "words": "Buy pills at https://evil.example"}'


@pytest.fixture
async def world(operator):
    made = await desk_world.world(operator)
    for pack in ("asked-confirm", "asked-answer"):
        code, artefact = packs.template(f"system/{pack}")
        operator.govern("template", made.system, code, artefact)
    yield made
    await desk_world.end(made)


def asked(world, address="ada@example.net"):
    [(now,)] = world.rows("SELECT now_v1()")
    one, letter = ids.uuid7(now), ids.uuid7(now)
    sealed = [
        world.keys.seal(text, places.asked(one, what))
        for what, text in (("address", address.encode()), ("words", WORDS))
    ]
    index = world.operator.secrets.blind_index().index(address)
    world.operator.control.execute(
        "SELECT asked_file_v1(%s, %s, %s, 'question', NULL, %s, %s, %s, %s, '{}', NULL)",
        (one, letter, world.firm.programme, sha256(address.encode()).digest(), index, *sealed))  # fmt: skip
    return one


def answered(world, one, words=b"For 30 days."):
    control = world.operator.control
    control.execute("SELECT asked_confirm_v1(%s, now_v1() + interval '7 days')", (one,))
    [(now,)] = world.rows("SELECT now_v1()")
    sealed = world.keys.seal(words, places.asked(one, "answer"))
    control.execute("SELECT asked_decide_v1(%s, %s, 'answered', %s, NULL, %s)",
                    (one, ids.uuid7(now), sealed, world.operator.sessions[0]))  # fmt: skip


async def mail(world):
    async with world.deps.lend() as connection:
        return await asked_mail.tell_all(connection, world.mailer)


def why(world):
    return world.rows("SELECT why FROM asked_letter WHERE done_at IS NOT NULL")


async def test_one_letter_asks_to_confirm_and_carries_no_word_of_it(world):
    one = asked(world)
    assert (await mail(world), await mail(world)) == (1, 0), why(world)
    [letter] = letters(world)
    assert letter.forward_path == "ada@example.net"
    assert "evil.example" not in str(letter)
    assert "Ada" not in str(letter)
    token = letter.variables["link"].rpartition("/")[2]
    [(now,)] = world.rows("SELECT now_v1()")
    keys = world.operator.secrets.token_keys(Purpose.CASE)
    assert read_token(keys, "asked-confirm", token, now) == one.bytes
    assert read_token(keys, "asked-confirm", token, now + timedelta(hours=47)) == one.bytes


async def test_the_answer_is_what_staff_wrote(world):
    one = asked(world)
    await mail(world)
    answered(world, one)
    assert await mail(world) == 1, why(world)
    told = letters(world)[1].variables
    assert told["words"] == "For 30 days."
    assert told["reference"].startswith("ASK-")
    assert "/asked/" in told["link"]


async def test_a_suppressed_address_gets_none_of_it(world):
    index = world.operator.secrets.blind_index().index("ada@example.net")
    world.operator.database.run(
        "SELECT suppress_v1(ARRAY[%s::bytea], ARRAY[5::smallint], ARRAY['staff'], ARRAY[%s::uuid], ARRAY[NULL::bytea])",
        index, world.firm.tenant)  # fmt: skip
    asked(world)
    assert await mail(world) == 0
    assert why(world) == [("The asker's address is on the list of suppressions.",)]


async def test_what_cannot_be_opened_or_is_refused_is_told_and_a_store_that_is_away_is_tried_again(world, monkeypatch):
    one = asked(world)

    async def away(_):
        raise StoreAway

    async def refused(_):
        return Refused(Refusal("suspended", "No."))

    real = world.deps.submit
    object.__setattr__(world.mailer.deps, "submit", away)
    assert await mail(world) == 0
    assert world.rows("SELECT tried_at IS NOT NULL, done_at FROM asked_letter") == [(True, None)]
    object.__setattr__(world.mailer.deps, "submit", real)
    world.operator.database.fill("UPDATE asked SET address_ct = '\\x0102' WHERE id = %s", one)
    world.operator.database.fill("UPDATE asked_letter SET tried_at = NULL")
    assert await mail(world) == 0
    assert "cannot be opened" in why(world)[0][0]


async def test_without_a_tenant_of_its_own_nobody_is_written_to(world):
    asked(world)
    world.operator.database.fill("UPDATE tenant SET state = 2 WHERE kind = 2")
    assert await mail(world) == 0
    assert "no programme with a tenant" in why(world)[0][0]
