"""Suppression wins over a notice that the law asks for, and then a task opens, with its clock, for the client firm."""

from datetime import timedelta

import pytest
from tests.flow.gate.test_accept import ask, email, gate
from tests.support.firm import TEMPLATE

from troth.flow.gate.asks import Taken

__all__ = ["gate"]
ROWS = "SELECT message_id, tenant_id, person_id, category_id, opened_at, due, done_at FROM serve_otherwise"


@pytest.fixture
def notice(operator, firm):
    """The firm's only category becomes a required notice, whose lifetime is two hours."""
    firm.person("ann@example.net")
    operator.govern("category", firm.tenant, "rent", {
        "name": "Rent", "purpose": "Arrears", "legal_class": "required", "lawful_basis": "legal-obligation",
        "sender": {"name": "Firm", "address": f"rent@{firm.name}"}, "policy": {"delivery": {"lifetime_minutes": 120}}},
        firm.category)  # fmt: skip
    operator.govern("template", firm.tenant, "reminder", TEMPLATE, firm.template)
    return firm


def opt_out(operator, firm):
    index = firm.index("ann@example.net")
    operator.admin.execute("SELECT opt_out_v1(%s,%s,%s,'test')", (firm.tenant, index, firm.category))


async def test_at_the_gate_it_opens_with_the_message_that_is_suppressed(gate, operator, notice):
    await gate.submit(ask(notice))
    assert operator.database.run(ROWS) == []
    opt_out(operator, notice)
    assert isinstance(await gate.submit(ask(notice)), Taken)
    [(message, tenant, person, category, opened, due, done)] = operator.database.run(ROWS)
    assert operator.database.run("SELECT state FROM message WHERE id = %s", message) == [(11,)]
    assert (tenant, person, category, done) == (notice.tenant, notice.people["ann@example.net"], notice.category, None)
    assert due - opened == timedelta(hours=2)
    told = operator.database.run(
        "SELECT leaf::jsonb ->> 'message' FROM ledger_pending WHERE kind = 'privacy:service:open'"
    )
    assert told == [(str(message),)]


async def test_at_the_mark_it_opens_with_the_event_whoever_writes_it(gate, operator, notice):
    await gate.submit(ask(notice))
    [(message, tenant)] = operator.database.run("SELECT id, tenant_id FROM message")
    flow = operator.database.open("troth_flow")
    for kind in (8, 5, 5):
        flow.execute(
            "INSERT INTO event (message_id, kind, source_key, tenant_id, at, leaf_hash)"
            " VALUES (%s, %s, 'attempt:1', %s, now_v1(), sha256('x')) ON CONFLICT DO NOTHING", (message, kind, tenant),
        )  # fmt: skip
    assert [row[0] for row in operator.database.run(ROWS)] == [message]


async def test_another_class_opens_none(gate, operator, firm):
    firm.person("ann@example.net")
    opt_out(operator, firm)
    await gate.submit(ask(firm, email()))
    assert operator.database.run("SELECT state FROM message") == [(11,)]
    assert operator.database.run(ROWS) == []


async def test_it_is_done_once_by_somebody_who_may_with_a_reason_where_one_is_needed(gate, operator, notice):
    opt_out(operator, notice)
    await gate.submit(ask(notice))
    message = operator.database.run(ROWS)[0][0]
    done = "SELECT serve_otherwise_v1(%s, %s, %s, %s)"
    words = b"\x02" + b"sealed for the person"
    for how, note, session in (("pigeon", None, 0), ("other", None, 0), ("post", None, None), ("post", b"Open", 0)):
        secret = b"x" * 32 if session is None else operator.sessions[0]
        with pytest.raises(Exception, match=r"check constraint|sign in|say which way"):
            operator.control.execute(done, (message, how, note, secret))
    operator.control.execute(done, (message, "post", words, operator.sessions[0]))
    with pytest.raises(Exception, match="waits for nobody"):
        operator.control.execute(done, (message, "post", None, operator.sessions[0]))
    [leaf] = operator.database.run("SELECT leaf::jsonb FROM ledger_pending WHERE kind = 'privacy:service:done'")
    assert (leaf[0]["how"], leaf[0]["late"]) == ("post", "no")
