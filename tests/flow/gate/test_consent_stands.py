"""The mark's reading of the consent ledger is the gate's: whatever was said and taken back, in whatever order."""

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from troth.rules.consent import EXPRESS, IMPLIED, WITHDRAWN, Entry, standing

T0 = datetime(2026, 1, 31, 12, tzinfo=UTC)
WORDS = {"held": "held", "withdrawn": "withdrawn", "expired": "none", "none": "none"}


def entries(dice, own, other):
    """A few words of one person, close together, so that they meet."""
    for _ in range(dice.randint(0, 6)):
        kind, at = dice.choice([EXPRESS, IMPLIED, WITHDRAWN]), T0 + timedelta(days=dice.randint(0, 6))
        ends = at + timedelta(days=dice.randint(1, 6))
        until = {EXPRESS: dice.choice([None, ends]), IMPLIED: ends, WITHDRAWN: None}[kind]
        yield Entry(dice.choice([None, str(own), str(own), str(other)]), kind, "inquiry", at, until)


def test_both_read_the_same(operator, firm):
    dice, own, other = random.Random(7), firm.category, uuid4()
    people = {uuid4(): list(entries(dice, own, other)) for _ in range(400)}
    with operator.database.filler() as connection, connection.transaction(), connection.cursor() as cursor:
        columns = "id, tenant_id, person_id, category_id, kind, basis, at, expires_at, detail_ct"
        with cursor.copy(f"COPY consent ({columns}) FROM STDIN") as copy:
            for person, told in people.items():
                for e in told:
                    copy.write_row((uuid4(), firm.tenant, person, e.category, e.kind, e.basis, e.at, e.until, b"\x02x"))
    seen = set()
    for day in (0, 2, 4, 7):
        moment = T0 + timedelta(days=day)
        found = operator.admin.execute(
            "SELECT p, consent_stands_v1(%s, p, %s, %s) FROM unnest(%s::uuid[]) AS u(p)",
            (firm.tenant, own, moment, list(people)),
        ).fetchall()
        for person, said in found:
            assert said == WORDS[standing(people[person], str(own), moment).state], (people[person], moment)
            seen.add(said)
    assert seen == {"held", "withdrawn", "none"}


def test_another_clients_words_count_for_nothing(operator, firm):
    person = uuid4()
    operator.database.fill(
        "INSERT INTO consent (id, tenant_id, person_id, kind, basis, at, detail_ct)"
        " VALUES (gen_random_uuid(), %s, %s, 1, 'recipient', %s, '\\x02')", firm.tenant, person, T0,
    )  # fmt: skip
    query = "SELECT consent_stands_v1(%s, %s, %s, %s)"
    later = T0 + timedelta(days=1)
    assert operator.admin.execute(query, (firm.tenant, person, firm.category, later)).fetchone() == ("held",)
    assert operator.admin.execute(query, (firm.programme, person, firm.category, later)).fetchone() == ("none",)
