"""Mail to whoever reported: only to those whose letter was theirs, or who were written to once; never more than is said."""

import contextlib
from datetime import timedelta

import psycopg
import pytest
from tests.flow.feedback import desk_world
from tests.flow.feedback.desk_world import DOMAIN
from tests.flow.feedback.test_desks import LETTER

from troth.flow.feedback import desks_mail
from troth.flow.gate.accept import StoreAway
from troth.flow.gate.asks import Refusal, Refused
from troth.keys import case_tags, ids, places
from troth.keys.installation import Purpose
from troth.mail.address import parse_address
from troth.mail.letter import decode
from troth.mail.tokens import read_token


@pytest.fixture
async def world(operator):
    made = await desk_world.world(operator)
    yield made
    await desk_world.end(made)


def letters(world):
    """What the gate took for reporters, opened: to whom, and the letter."""
    found = []
    for message, person, wrapped, keyset, sealed in world.rows(
        "SELECT m.id, p.id, p.data_key, t.keyset, b.body_ct FROM message m JOIN person p ON p.id = m.person_id"
        " JOIN tenant t ON t.id = m.tenant_id JOIN message_body b ON b.message_id = m.id WHERE m.tenant_id = %s ORDER BY m.id",
        world.system,
    ):
        key = world.operator.keyring.tenant(world.system, bytes(keyset)).person(bytes(wrapped), person)
        found.append(decode(key.open(bytes(sealed), places.body(message))))
    return found


def session(world):
    return world.operator.sessions[0]


def update(world, case, words="We found it.", hours=None):
    entry = ids.uuid7(world.rows("SELECT now_v1()")[0][0])
    sealed = world.keys.seal(words.encode(), places.case_words(entry))
    world.operator.control.execute(
        "SELECT case_tell_v1(%s, %s, %s, %s, ARRAY(SELECT now_v1() + h * interval '1 hour' FROM unnest(%s::int[]) h), %s)",
        (case, entry, sealed, ["update"] if hours else [], [hours] if hours else [], session(world)))  # fmt: skip


def act(world, case, step, value="", words=b"x"):
    entry = ids.uuid7(world.rows("SELECT now_v1()")[0][0])
    sealed = world.keys.seal(words, places.case_words(entry))
    world.operator.control.execute("SELECT case_step_v1(%s, %s, %s, %s, %s, '{}', '{}', %s)",
                                   (case, step, value, entry, sealed, session(world)))  # fmt: skip


async def test_a_letter_that_is_certainly_its_senders_is_acknowledged_once(world):
    world.aligned = True
    await world.bring(LETTER)
    case = world.case()
    assert await world.mail() == 1, world.rows("SELECT why FROM case_letter")
    assert await world.mail() == 0
    [letter] = letters(world)
    assert letter.forward_path == "ann@example.net"
    [(reference,)] = world.rows("SELECT reference FROM case_file")
    told = letter.variables
    assert (told["reference"], told["what"], told["sender"]) == (reference, "report of abuse", "Troth")
    assert "(Europe/London)" in told["next"]
    assert told["ask"] == "How it stands is on this page:"
    token = told["link"].removeprefix("https://troth.example/report/")
    keys = world.operator.secrets.token_keys(Purpose.CASE)
    assert read_token(keys, "case-reporter-mailed", token, world.rows("SELECT now_v1()")[0][0]) == case.bytes
    assert letter.headers == {
        "Auto-Submitted": "auto-replied",
        "In-Reply-To": "<one@example.net>",
        "References": "<one@example.net>",
    }
    assert letter.reply_to == (f"abuse+{case_tags.tag(keys[0], case)}@{DOMAIN}",)
    assert world.clocks(case)["acknowledge"] is not None
    assert world.rows("SELECT state FROM case_file") == [("acknowledged",)]
    assert [kind for kind, _ in world.opened(case)[0]] == ["open", "letter", "answered"]


async def test_what_anybody_may_have_sent_is_not_answered(world):
    await world.bring(LETTER)
    world.aligned = True
    await world.bring(LETTER.replace("ann@example.net", f"abuse@{DOMAIN}"))
    await world.bring(LETTER.replace("ann@example.net", "abuse@firm.example"))
    await world.bring(LETTER.replace("From: Ann <ann@example.net>", "From: a@b.example, c@d.example"))
    assert len(world.cases()) == 4
    assert await world.mail() == 0
    assert world.rows("SELECT count(*), count(confirmed_at) FROM case_reporter") == [(1, 0)]
    assert letters(world) == []


async def test_an_address_is_written_to_once_a_day(world):
    world.aligned = True
    for n in range(3):
        await world.bring(LETTER + f"{n}")
    assert len(world.cases()) == 3
    assert await world.mail() == 1, world.rows("SELECT why FROM case_letter")
    world.operator.admin.execute("UPDATE installation SET clock_offset = clock_offset + interval '25 hours'")
    await world.bring(LETTER + "tomorrow")
    world.operator.admin.execute(
        "UPDATE domain_state SET ready_until = now_v1() + interval '2 hours',"
        " checked_at = now_v1(), last_good_at = now_v1()"
    )
    assert await world.mail() == 1, world.rows("SELECT why FROM case_letter")


async def test_an_answer_to_our_mail_joins_its_case(world):
    world.aligned = True
    await world.bring(LETTER)
    await world.mail()
    [(message,)] = world.rows("SELECT id FROM message WHERE tenant_id = %s", world.system)
    await world.bring(f"In-Reply-To: <{message.hex}@mail.own.example>\r\n" + LETTER.replace("ann@", "ann.other@"))
    assert len(world.cases()) == 1
    assert world.rows("SELECT news_at IS NOT NULL FROM case_file") == [(True,)]


async def test_a_suppressed_reporter_gets_nothing_and_a_person_sees_it(world):
    world.aligned = True
    index = world.operator.secrets.blind_index().index(parse_address("ann@example.net").normal)
    world.operator.database.open("troth_flow").execute(
        "SELECT suppress_v1(ARRAY[%s::bytea], ARRAY[3::smallint], ARRAY['test'], ARRAY[NULL::uuid], ARRAY[NULL::bytea])", (index,))  # fmt: skip
    await world.bring(LETTER)
    assert await world.mail() == 0
    assert world.rows("SELECT why FROM case_letter") == [("The reporter's address is on the list of suppressions.",)]
    assert [kind for kind, _ in world.opened(world.case())[0]] == ["open", "letter", "mail-unsent"]
    assert world.clocks(world.case())["acknowledge"] is None


async def test_without_approved_correspondence_it_is_told_in_the_case(operator):
    world = await desk_world.world(operator, correspondence=False)
    try:
        world.aligned = True
        await world.bring(LETTER)
        assert await world.mail() == 0
        [(why,)] = world.rows("SELECT why FROM case_letter")
        assert why == "The gate refused it: unknown-template."
    finally:
        await desk_world.end(world)


async def test_without_a_tenant_of_its_own_nobody_writes(world):
    world.aligned = True
    await world.bring(LETTER)
    world.operator.database.fill("UPDATE tenant SET kind = 1 WHERE kind = 2")
    assert await world.mail() == 0
    assert "no programme" in world.rows("SELECT why FROM case_letter")[0][0]


async def test_what_is_away_is_tried_again(world):
    world.aligned = True
    await world.bring(LETTER)
    right = world.deps.submit

    async def away(ask):
        raise StoreAway("no")

    object.__setattr__(world.deps, "submit", away)
    assert await world.mail() == 0
    object.__setattr__(world.deps, "submit", right)
    assert await world.mail() == 0  # a minute later
    world.operator.admin.execute("UPDATE installation SET clock_offset = clock_offset + interval '2 minutes'")
    assert await world.mail() == 1, world.rows("SELECT why FROM case_letter")


async def test_a_refusal_that_passes_is_tried_again(world):
    world.aligned = True
    await world.bring(LETTER)
    world.operator.admin.execute("UPDATE domain_state SET ready_until = 'epoch' WHERE name = 'mail.own.example'")
    assert await world.mail() == 0
    [(why, tried)] = world.rows("SELECT why, tried_at IS NOT NULL FROM case_letter")
    assert tried
    assert why is None or "domain" in why


async def test_an_address_that_does_not_open_is_told(world):
    world.aligned = True
    await world.bring(LETTER)
    world.operator.database.fill("UPDATE case_reporter SET address_ct = '\\x01'::bytea || sha256('x')")
    assert await world.mail() == 0
    assert "opened" in world.rows("SELECT why FROM case_letter")[0][0]


async def test_news_goes_to_who_asked_for_it_alone(world):
    await world.bring(LETTER, to=f"security@{DOMAIN}")
    case = world.case()
    act(world, case, "acknowledge")
    with pytest.raises(Exception, match="nobody asked to be told"):
        update(world, case)
    world.operator.control.execute("SELECT case_reporter_say_v1(%s, 'yes')", (case,))
    update(world, case, "We found it, and mend it by Friday.")
    assert await world.mail() == 1, world.rows("SELECT why FROM case_letter")
    [letter] = letters(world)
    assert letter.variables["words"] == "We found it, and mend it by Friday."
    assert letter.template_code if hasattr(letter, "template_code") else True
    assert letter.reply_to[0].startswith("security+c")
    assert [kind for kind, _ in world.opened(case)[0]][-2:] == ["written", "mailed"]
    for n in range(4):
        update(world, case, f"{n}")
    with pytest.raises(Exception, match="five mails"):
        update(world, case)
    world.operator.control.execute("SELECT case_reporter_say_v1(%s, 'stop')", (case,))
    assert await world.mail() == 0
    with pytest.raises(Exception, match="nobody asked"):
        update(world, case)


async def test_a_reporter_was_told_when_our_mail_was_taken_and_not_before(world):
    await world.bring(LETTER, to=f"security@{DOMAIN}")
    case = world.case()
    act(world, case, "acknowledge")
    assert world.clocks(case)["acknowledge"] is None, "somebody has it; nobody was told"
    world.operator.control.execute("SELECT case_reporter_say_v1(%s, 'yes')", (case,))
    index = world.operator.secrets.blind_index().index(parse_address("ann@example.net").normal)
    [(title,)] = world.rows("SELECT title FROM case_file")
    assert title.endswith(", from example.net"), "letters are told apart in a list"
    update(world, case, "We look into it.", hours=24)
    assert world.clocks(case)["acknowledge"] is None, "written is not told"
    world.operator.admin.execute("UPDATE domain_state SET ready_until = 'epoch' WHERE name = 'mail.own.example'")
    assert await world.mail() == 0
    assert [kind for kind, _ in world.opened(case)[0]][-2:] == ["written", "mail-unsent"]
    assert world.clocks(case)["acknowledge"] is None, "refused is not told"
    world.operator.admin.execute("UPDATE domain_state SET ready_until = now_v1() + interval '1 day'")
    update(world, case, "Once more.", hours=24)
    assert await world.mail() == 1, world.rows("SELECT why FROM case_letter")
    assert world.clocks(case)["acknowledge"] is not None
    [(begun, due, since)] = world.rows(
        "SELECT count(*), max(k.due_at), max(k.started_at) FROM case_clock k WHERE k.name = 'update' AND k.met_at IS NULL"
        " AND k.void_at IS NULL"
    )
    assert (begun, since < due < since + timedelta(hours=25)) == (1, True), "the next word is owed from then"
    world.operator.database.open("troth_flow").execute(
        "SELECT suppress_v1(ARRAY[%s::bytea], ARRAY[3::smallint], ARRAY['test'], ARRAY[NULL::uuid], ARRAY[NULL::bytea])", (index,))  # fmt: skip
    update(world, case, "And again.", hours=48)
    assert await world.mail() == 0
    assert world.rows("SELECT news_at IS NOT NULL FROM case_file") == [(True,)], "a person tells them another way"
    assert world.rows("SELECT max(due_at) FROM case_clock WHERE name = 'update'") == [(due,)]


async def test_without_mail_of_our_own_there_is_nowhere_to_answer(world):
    world.aligned = True
    await world.bring(LETTER)
    object.__setattr__(world.mailer, "domain", "")
    await world.mail()
    assert letters(world)[0].reply_to == ()


async def test_the_sender_of_mail_goes_on_when_the_store_comes_back(world, monkeypatch):
    asked = []

    async def slept(seconds):
        asked.append(seconds)
        if len(asked) == 2:
            raise TimeoutError

    monkeypatch.setattr(desks_mail.asyncio, "sleep", slept)
    lend = world.deps.lend
    calls = iter((OSError("away"), None))

    def failing():
        trouble = next(calls)
        if trouble:
            raise trouble
        return lend()

    object.__setattr__(world.deps, "lend", failing)
    with contextlib.suppress(TimeoutError):
        await desks_mail.run(world.mailer)
    assert asked == [desks_mail.EVERY] * 2


def test_links_last_for_ninety_days():
    assert timedelta(days=90) == desks_mail.LINK_FOR


async def test_what_the_gate_cannot_take_now_is_asked_again(world):
    world.aligned = True
    await world.bring(LETTER)
    refusal = Refusal("store-unavailable", "Come again.")

    async def later(ask):
        return Refused(refusal)

    object.__setattr__(world.deps, "submit", later)
    assert await world.mail() == 0
    assert world.rows("SELECT why, done_at, tried_at IS NOT NULL FROM case_letter") == [(None, None, True)]


async def test_only_a_mail_of_ours_acknowledges_and_a_full_case_is_acknowledged_too(world):
    world.aligned = True
    await world.bring(LETTER)
    case = world.case()
    world.operator.database.fill(
        "INSERT INTO case_entry (case_id, id, at, kind) SELECT %s, gen_random_uuid(), now_v1(), 'letter'"
        " FROM generate_series(1, 1000)", case,
    )  # fmt: skip
    [(letter,)] = world.rows("SELECT id FROM case_letter")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no such mail of ours"):
        world.operator.database.open("troth_flow").execute(
            "SELECT case_letter_done_v1(%s, gen_random_uuid(), NULL)", (letter,)
        )
    assert world.clocks(case)["acknowledge"] is None
    assert await world.mail() == 1, world.rows("SELECT why FROM case_letter")
    assert world.clocks(case)["acknowledge"] is not None
