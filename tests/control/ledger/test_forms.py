"""What the database writes as a leaf is the one form that the verifier reads, whatever a reason or a name holds."""

import json

from tests.support.firm import make_operator

from troth.ledger.verify import fields_of

ALL = "".join(map(chr, range(1, 0x250))) + "\u2028\u2029\ufeff\ufffd\U0001f600\U0010ffff"


def test_every_character_that_a_column_holds_has_one_form(database):
    operator = make_operator(database)
    given = {"text": ALL, "n": 999_999_999_999_999, "minus": -5, "zero": 0, 'odd "key" \\ /~': "", "empty": ""}
    operator.admin.execute(
        "SELECT ledger_entry(ARRAY['people:session:open'], ARRAY[NULL::uuid], ARRAY[%s])", (json.dumps(given),)
    )
    (leaf,) = operator.admin.execute("SELECT leaf FROM ledger_pending ORDER BY id DESC LIMIT 1").fetchone()
    fields = fields_of(leaf.encode())
    assert {name: fields[name] for name in given} == given
