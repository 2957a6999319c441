"""Cases as the flow opens them: once, whoever asks how often, with their clocks, and what comes later is noted once."""

from datetime import timedelta

from tests.support.firm import now

from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR
from troth.rules.cases import Clock
from troth.store import cases


async def test_a_case_is_opened_once_and_noted_once(firm):
    operator = firm.operator
    wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys = operator.keyring.tenant(OPERATOR, bytes(wrapped))
    made, entry, due = uuid7(now()), uuid7(now()), now() + timedelta(hours=4)
    new = cases.NewCase(
        made, "incident", "complaint", "arf:1", "A complaint", tenant=firm.tenant, category=firm.category,
        clocks=(Clock("review", due),), words=keys.seal(b"It came.", places.case_words(made)),
    )  # fmt: skip
    async with await operator.database.connect("test") as connection:
        assert await cases.open_case(connection, new) == made
        again = cases.NewCase(uuid7(now()), "incident", "complaint", "arf:1", "Another title")
        assert await cases.open_case(connection, again) == made
        paper = keys.seal(b"octets", places.case_paper(entry))
        assert await cases.note(connection, made, entry, "letter", None, paper)
        assert not await cases.note(connection, made, entry, "letter", None, paper)
        assert await cases.note(connection, made, uuid7(now()), "recovered")
        assert await cases.duty(connection) > 0
    title, clock, met = operator.admin.execute(
        "SELECT title, due_at, met_at FROM case_file JOIN case_clock ON case_id = id WHERE id = %s", (made,)
    ).fetchone()
    assert (title, clock, met) == ("A complaint", due, None)
    words, programme = operator.admin.execute(
        "SELECT e.words_ct, f.programme_id FROM case_entry e JOIN case_file f ON f.id = e.id WHERE e.id = %s", (made,)
    ).fetchone()
    assert keys.open(bytes(words), places.case_words(made)) == b"It came."
    assert programme == firm.programme
