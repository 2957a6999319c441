"""What a complaint sets in motion is one transaction, whoever tells it; a pattern of them stops a client until looked into."""

import json
from datetime import UTC, datetime

import psycopg
import pytest
from tests.flow.feedback.complained import ANN, arf, desk, dns
from tests.flow.feedback.telling import together

from troth.flow.feedback.complaining import complain
from troth.flow.feedback.complaining_words import Reported, kind_of, words
from troth.flow.feedback.outcome import Deps
from troth.keys import places
from troth.keys.ids import uuid7
from troth.rules.states import Kind, State
from troth.store.complaints import About

__all__ = ["desk", "dns"]
WHO = [f"who{n}@home.example" for n in range(4)]


async def told(desk, message, key="mailgun:1", **detail):
    async with desk.connections.lend() as connection:
        return await complain(desk.deps, connection, message, key, {"via": "mailgun", **detail})


async def test_a_relays_word_is_a_complaint_without_a_loop(desk):
    (message,) = await desk.sent()
    assert await told(desk, message)
    assert not await told(desk, message)
    assert await told(desk, message, key="ses:2", feedback_type="fraud")
    assert desk.river.suppressed(ANN) == [(2, f"complaint:{message}")]
    assert desk.query("SELECT loop_id, via, kind FROM complaint ORDER BY id") == [
        (None, "mailgun", "abuse"), (None, "mailgun", "fraud"),
    ]  # fmt: skip
    entries = desk.query("SELECT id, kind, words_ct FROM case_entry ORDER BY at, id")
    assert [kind for _, kind, _ in entries] == ["open", "report"]
    again = desk.operator.open(bytes(entries[1][2]), places.case_words(entries[1][0])).decode()
    assert again.startswith("The same message was complained about once more. Told by the relay (mailgun)")


async def test_a_message_that_is_not_there_has_no_complaint(desk):
    assert not await told(desk, uuid7(datetime.now(UTC)))


async def test_without_the_operators_keyset_all_else_happens(desk):
    (message,) = await desk.sent()
    desk.deps = Deps(desk.connections.lend, desk.river.keyring, desk.river.secrets)
    assert await told(desk, message)
    assert desk.query("SELECT reason, address_ct FROM suppression") == [(2, None)]
    assert desk.query("SELECT count(*), count(words_ct) FROM case_entry") == [(1, 0)]


async def test_an_address_that_cannot_be_opened_is_suppressed_by_index(desk):
    (message,) = await desk.sent()
    desk.river.database.fill("UPDATE person SET address_ct = '\\x02ff'")
    assert await told(desk, message)
    assert desk.query("SELECT reason, address_ct FROM suppression") == [(2, None)]


async def test_what_fails_leaves_nothing(desk):
    """One transaction: when its record is refused, nobody is suppressed and nothing was told."""
    (message,) = await desk.sent()
    desk.river.database.run("DROP TRIGGER flags ON complaint")
    desk.river.database.run("ALTER TABLE complaint ADD CHECK (via <> 'mailgun')")
    with pytest.raises(psycopg.errors.CheckViolation):
        await told(desk, message)
    assert desk.nothing_happened()
    assert desk.river.told(message) == [Kind.SENT]


async def test_a_pattern_stops_the_client_and_is_an_incident_of_its_own(desk):
    messages = await desk.sent(*WHO)
    desk.loop()
    for number in range(3):
        await desk.take(arf(desk.returned(number)))
    [(pause, effect, by, reason)] = desk.query("SELECT id, effect, started_by, reason FROM pause")
    assert (effect, by) == ("stop-delivery", "complaints")
    assert reason == "3 messages were complained about within 24 hours: the policy stops the client."
    assert desk.query("SELECT cause, key, severity, title FROM case_file WHERE cause <> 'complaint'") == [
        ("complaint-pattern", f"complaints:{pause}", "high", "3 messages were complained about within 24 hours")
    ]
    await desk.take(arf(desk.returned(3)))  # it is stopped already
    assert desk.query("SELECT count(*) FROM pause") == [(1,)]
    (late,) = desk.river.queue("late@home.example")
    await desk.work(lambda: desk.river.spooled(late)["attempts"] >= 0)
    assert desk.river.state(late) is not State.SENT
    assert len(messages) == 4


async def test_those_of_one_moment_count_one_another(desk):
    """Each counts those before it: three at once are a pattern, whichever is the last."""
    await desk.sent(*WHO[:3])
    desk.loop()
    await together(*(desk.take(arf(desk.returned(n))) for n in range(3)))
    assert desk.query("SELECT count(*) FROM pause") == [(1,)]


async def test_it_is_let_go_when_somebody_looked_into_it(desk):
    await desk.sent(*WHO[:3])
    desk.loop()
    for number in range(3):
        await desk.take(arf(desk.returned(number)))
    lift = "UPDATE pause SET released_at = now_v1(), release_change = (SELECT id FROM change LIMIT 1)"
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="look into the complaints first"):
        desk.query(lift)
    desk.query("UPDATE case_file SET state = 'resolved', outcome = 'fixed' WHERE cause = 'complaint-pattern'")
    desk.query(lift)
    (fourth,) = await desk.sent("fourth@home.example")
    assert await told(desk, fourth)
    assert desk.query("SELECT count(*) FROM pause WHERE released_at IS NULL") == [(0,)]  # what was looked into is over


async def test_old_complaints_make_no_pattern(desk):
    await desk.sent(*WHO[:3])
    desk.loop()
    await desk.take(arf(desk.returned(0)))
    await desk.take(arf(desk.returned(1)))
    desk.later(hours=25)
    await desk.take(arf(desk.returned(2)))
    assert desk.query("SELECT count(*) FROM pause") == [(0,)]


async def test_where_the_policy_does_not_stop_a_pattern_is_one_incident_a_day(desk):
    [(text,)] = desk.query("SELECT artefact FROM snapshot WHERE code = 'programme:homes'")
    document = json.loads(text)
    document["cases"] |= {"complaint_suspends": False, "complaint_pattern": 2, "complaint_told": "1 h"}
    desk.river.approve("policy", desk.river.programme, "programme:homes", document, tenant=None)
    messages = await desk.sent(*WHO)
    for message in messages:
        await told(desk, message)
    assert desk.query("SELECT count(*) FROM pause") == [(0,)]
    assert desk.query("SELECT count(*) FROM case_file WHERE cause = 'complaint-pattern'") == [(1,)]
    assert desk.query("SELECT count(*) FROM case_clock WHERE name = 'told'") == [(5,)]


async def test_a_programmes_own_mail_is_not_stopped_by_it(desk):
    messages = await desk.sent(*WHO)
    desk.river.database.fill("UPDATE tenant SET kind = 2")
    for message in messages:
        await told(desk, message)
    assert desk.query("SELECT count(*) FROM pause") == [(0,)]
    assert desk.query("SELECT count(*) FROM suppression") == [(4,)]
    assert desk.query("SELECT count(*) FROM case_file WHERE cause = 'complaint-pattern'") == [(1,)]


async def test_without_a_policy_that_can_be_combined_the_profile_counts(desk):
    (message,) = await desk.sent()
    desk.river.database.fill("UPDATE governed SET code = 'programme:other' WHERE code = 'programme:homes'")
    assert await told(desk, message)
    assert desk.query("SELECT name FROM case_clock") == [("review",)]


async def test_content_of_its_own_has_no_template_to_mark(desk):
    (message,) = await desk.sent(subject="Hello", text="Your rent.")
    assert await told(desk, message)
    assert desk.query("SELECT title FROM case_file") == [("A recipient complained: category “rent-reminder”",)]
    assert desk.query("SELECT count(*) FROM template_flag") == [(0,)]


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, "abuse"), ({"feedback_type": "PHISHING"}, "fraud"), ({"feedback_type": "???"}, "abuse"),
     ({"feedback_type": "strange"}, "other")],
)  # fmt: skip
def test_kinds_are_closed_words(given, said):
    assert kind_of(given) == said


def test_a_recipient_who_never_verified_is_told_as_one():
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    about = About(at, None, None, None, None, 1, 1, None, None, None, at, None)
    text = words(Reported(None, "ses", "abuse", at), uuid7(at), about, [])
    assert "category unknown, content of its own" in text
    assert "never verified" in text
    assert "No consent is on record" in text


def administrator(desk, role="admin"):
    account = uuid7(datetime.now(UTC))
    desk.river.database.fill(
        "INSERT INTO account (id, human_id, tenant_id, role, name_ct, address_ct, address_index, created_at)"
        " VALUES (%s, %s, %s, %s, '\\x01ff', '\\x01ff', %s, now())",
        account, desk.river.humans[role == "viewer"], desk.river.tenant, role, account.bytes * 2,
    )  # fmt: skip
    return account


async def test_the_clients_administrators_are_told_once_an_hour_and_of_a_stop_always(desk):
    admin = administrator(desk)
    administrator(desk, "viewer")
    messages = await desk.sent(*WHO)
    await told(desk, messages[0])
    await told(desk, messages[1])
    query = "SELECT account_id, variables::jsonb FROM access_notice ORDER BY at"
    [(who, first)] = desk.query(query)
    [case] = desk.query("SELECT id::text, reference FROM case_file ORDER BY opened_at LIMIT 1")
    assert (who, first["cases"], first["case"]) == (admin, 1, case[0])
    assert first["lines"] == f"{case[1]}: a recipient complained about a message"
    await told(desk, messages[2])  # the pattern
    notices = desk.query(query)
    assert len(notices) == 2
    assert notices[1][1]["lines"].startswith("Nothing more is sent for you: 3 messages were complained about")
    desk.later(hours=2)
    await told(desk, messages[3])
    assert len(desk.query(query)) == 3
