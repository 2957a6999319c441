"""A stop of one category: its mail is refused at the door, and the client's other mail goes on."""

from uuid import uuid4

from tests.flow.gate.test_accept import ask, gate

from troth.flow.gate.asks import Taken

__all__ = ["gate"]


def stop(operator, firm, category):
    query = "SELECT stop_v1(%s, %s, 'stop-new', 'a wrong sum', %s)"
    operator.control.execute(query, (firm.tenant, category, operator.sessions[0]))


async def test_only_the_stopped_category_is_refused(gate, operator, firm):
    firm.person("ann@example.net")
    other = operator.govern("category", firm.tenant, "news", {
        "name": "News", "purpose": "What is new", "sender": {"name": "Firm", "address": f"news@{firm.name}"},
        "legal_class": "transactional", "raw": True, "policy": {}})  # fmt: skip
    stop(operator, firm, other)
    assert isinstance(await gate.submit(ask(firm)), Taken)
    stop(operator, firm, firm.category)
    refused = (await gate.submit(ask(firm))).refusal
    assert refused.code == "tenant-paused"
    assert "category" in refused.sentence


async def test_an_anomaly_of_all_mail_still_holds_beside_a_stop_of_another_category(gate, operator, firm):
    firm.person("ann@example.net")
    operator.admin.execute("SELECT pause_v1(%s, 'stop-new', 'too much', 'anomaly')", ([firm.tenant],))
    operator.database.fill(
        "INSERT INTO pause (id, tenant_id, category_id, effect, reason, started_by, started_at)"
        " VALUES (%s, %s, %s, 'stop-new', 'x', 'somebody', now_v1())", uuid4(), firm.tenant, uuid4(),
    )  # fmt: skip
    assert isinstance(await gate.submit(ask(firm)), Taken)
    assert operator.admin.execute("SELECT state FROM spool").fetchone() == (10,)
