"""The simulator on what a real gate decided: the policy of the day changes nothing, another one what it would have."""

import json
from functools import partial

import pytest
from tests.flow.gate.test_accept import ask, email
from tests.support.firm import make_firm
from tests.support.simulating import opened

from troth.control.audit.scope import within
from troth.control.simulator import candidate, running
from troth.control.simulator.candidate import Candidate
from troth.control.simulator.running import Hearing, Question
from troth.flow.gate.accept import Gate
from troth.flow.gate.asks import Refused, Taken
from troth.store.connection import connect


@pytest.fixture
async def gate(operator):
    made = Gate(
        lambda name: connect(operator.database.conninfo("troth_flow"), name), operator.keyring, operator.secrets
    )
    await made.start()
    yield made
    await made.stop()


def simulated(operator, firm, document, level="tenant", code="", hearing=None, **more):
    tried = Candidate.of(
        level,
        document,
        tenant=firm.tenant if level in ("tenant", "category") else None,
        programme=firm.programme if level == "promise" else None,
        code=code,
    )
    question = Question(tried, **{"processes": 0, "sample": 1_000, **more})
    connect = partial(opened, operator.database.conninfo("troth_control"), operator.kms_path)
    return running.simulate(connect, question, hearing or Hearing())


async def sent(gate, firm, *emails, permissive=False):
    return await gate.submit(ask(firm, *emails, permissive=permissive))


async def traffic(gate, operator, firm):
    """Accepted, suppressed and refused mail, of one recipient and of several, alone and together."""
    for name in ("ann", "ben", "cat"):
        firm.person(f"{name}@example.net")
    query = "SELECT suppress_v1(%s, ARRAY[1]::smallint[], ARRAY['test'], ARRAY[NULL]::uuid[], ARRAY[NULL]::bytea[])"
    operator.admin.execute(query, ([firm.index("cat@example.net")],))
    for _ in range(4):
        assert isinstance(await sent(gate, firm, email("ann@example.net")), Taken)
    assert isinstance(await sent(gate, firm, email(("ann@example.net", "cat@example.net"))), Taken)
    assert isinstance(await sent(gate, firm, email("ann@example.net"), email("stranger@example.net")), Refused)
    assert isinstance(
        await sent(gate, firm, email("ben@example.net"), email("stranger@example.net"), permissive=True), Taken
    )


async def test_the_policy_of_the_day_changes_nothing_and_gives_every_sealed_decision_again(gate, operator, firm):
    await traffic(gate, operator, firm)
    found = simulated(operator, firm, {})
    assert found["messages"] == 10
    assert found["then"] == found["now"] == {"accepted": 6, "slowed": 0, "held": 0, "suppressed": 1, "refused": 3}
    assert not any(found["changes"].values())
    assert found["agreement"] == {"sample": 8, "policy_of_the_day": 8, "this_policy": 8}
    assert found["left_out"] == {"sealed": 0, "test_keys": 0}


async def test_a_limit_refuses_what_a_gate_under_it_would_have_refused(gate, operator, firm):
    await traffic(gate, operator, firm)
    found = simulated(operator, firm, {"limits": {"tenant_hour": 5}})
    # four alone; then two that no longer fit; the refused stay so; then one that fits
    assert found["changes"] == {"refused": 2, "held": 0, "slowed": 0, "suppressed": 0, "accepted": 0}
    assert found["now"]["accepted"] == 5
    assert found["reasons"] == [
        {"client": "firm", "change": "refused", "code": "rate-limited", "check": "rate_tenant_hour", "messages": 2}
    ]
    assert [row["refused"] for row in found["by_client"]] == [2]
    (row,) = found["by_template"]
    assert (row["category"], row["template"], row["messages"], row["refused"]) == ("rent", "reminder", 10, 2)
    assert sum(row["refused"] for row in found["by_hour"]) == 2
    assert {one["change"] for one in found["examples"]} == {"refused"}
    assert all(one["id"].startswith("msg_a_") for one in found["examples"])
    assert found["agreement"]["policy_of_the_day"] == 8
    assert found["agreement"]["this_policy"] < 8


async def test_it_is_what_the_gate_does_once_the_policy_is_in_force(gate, operator, firm):
    """The same requests again under the policy that was tried: the gate's own answers are the simulation's."""
    firm.person("ann@example.net")
    asks = [email(("ann@example.net",) * 1) for _ in range(9)]
    for one in asks:
        await sent(gate, firm, one)
    document = {"limits": {"template_hour": 6, "recipient_template_day": 4}}
    found = simulated(operator, firm, document)
    other = make_firm(operator, "other")
    operator.govern("policy", other.tenant, "tenant", document)
    other.person("ann@example.net")
    answers = [await sent(gate, other, one) for one in asks]
    codes = [answer.refusal.code if isinstance(answer, Refused) else "ok" for answer in answers]
    assert found["changes"]["refused"] == sum(code != "ok" for code in codes) == 5
    assert {row["code"] for row in found["reasons"]} == set(codes) - {"ok"}


async def test_a_looser_limit_lets_through_what_was_refused(gate, operator, firm):
    operator.govern("policy", firm.tenant, "tenant", {"limits": {"tenant_hour": 2}})
    firm.person("ann@example.net")
    for _ in range(5):
        await sent(gate, firm, email("ann@example.net"))
    found = simulated(operator, firm, {"limits": {"tenant_hour": 4}})
    assert found["then"]["refused"] == 3
    assert found["changes"]["accepted"] == 2
    assert all(one["request"] for one in found["examples"])


async def test_a_batch_stands_or_falls_together(gate, operator, firm):
    operator.govern("policy", firm.tenant, "tenant", {"limits": {"tenant_hour": 3}})
    firm.person("ann@example.net")
    one = email("ann@example.net")
    assert isinstance(await sent(gate, firm, one, one, one, one), Refused)
    assert isinstance(await sent(gate, firm, one, one), Taken)
    assert simulated(operator, firm, {"limits": {"tenant_hour": 3}})["changes"]["accepted"] == 0
    found = simulated(operator, firm, {"limits": {"tenant_hour": 5}})
    assert found["changes"] == {"refused": 2, "held": 0, "slowed": 0, "suppressed": 0, "accepted": 4}
    assert simulated(operator, firm, {"limits": {"tenant_hour": 6}})["changes"]["accepted"] == 4


async def test_every_level_can_be_tried(gate, operator, firm):
    firm.person("ann@example.net")
    for _ in range(3):
        await sent(gate, firm, email("ann@example.net"))
    tight = {"limits": {"tenant_hour": 1}}
    for level, document, code in (
        ("operator", tight, ""),
        ("tenant", tight, ""),
        ("category", tight, "rent"),
        ("category", {"name": "Rent", "policy": tight}, "rent"),
    ):
        assert simulated(operator, firm, document, level, code)["changes"]["refused"] == 2, level
    assert simulated(operator, firm, tight, "category", "other")["changes"]["refused"] == 0
    promise = operator.admin.execute("SELECT artefact FROM snapshot WHERE code = 'programme:p-firm'").fetchone()[0]
    promise = json.loads(promise) | {"limits": {**json.loads(promise)["limits"], "tenant_hour": 2}}
    assert simulated(operator, firm, promise, "promise")["changes"]["refused"] == 1


async def test_a_policy_of_the_past_is_read_as_of_its_day(gate, operator, firm):
    firm.person("ann@example.net")
    await sent(gate, firm, email("ann@example.net"))
    operator.govern("policy", firm.tenant, "tenant", {"content": {"variable_bytes": 1}})
    assert isinstance(await sent(gate, firm, email("ann@example.net")), Refused)
    found = simulated(operator, firm, {"content": {"variable_bytes": 1}})
    assert found["then"]["refused"] == 1
    assert found["changes"]["refused"] == 1
    assert found["agreement"]["sample"] == found["agreement"]["policy_of_the_day"] == 2


async def test_an_anomaly_of_its_own_holds_or_slows(gate, operator, firm):
    firm.person("ann@example.net")
    for _ in range(6):
        await sent(gate, firm, email("ann@example.net"))
    holding = {"anomaly": {"first_week_floor": 3, "floor": 3}}
    found = simulated(operator, firm, holding)
    assert found["changes"]["held"] == 3
    assert {row["code"] for row in found["reasons"]} == {"anomaly-review"}


async def test_an_erased_person_and_a_test_key_are_left_out(gate, operator, firm):
    firm.person("ann@example.net")
    firm.person("ben@example.net")
    await sent(gate, firm, email("ann@example.net"))
    await sent(gate, firm, email("ben@example.net"))
    with within(operator.control, firm.tenant):
        operator.control.execute("SELECT troth.erase_person_v1(%s, %s)", (firm.tenant, firm.people["ben@example.net"]))
    found = simulated(operator, firm, {"limits": {"tenant_hour": 0}})
    assert found["left_out"]["sealed"] == 1
    assert found["changes"]["refused"] == 1


async def test_processes_read_what_one_reads_and_tell_how_far_they_are(gate, operator, firm, monkeypatch):
    monkeypatch.setattr("troth.control.simulator.reading.pages.__defaults__", (3,))
    await traffic(gate, operator, firm)
    document, told, seen = {"limits": {"tenant_hour": 5}}, [], []
    hearing = Hearing(lambda done, there: told.append((done, there)), seen.append)
    alone, together = (simulated(operator, firm, document, hearing=hearing, processes=n) for n in (0, 2))
    timeless = dict.fromkeys(("seconds", "from", "to"), "")
    assert {**alone, **timeless} == {**together, **timeless}
    assert told[-1][0] == told[-1][1]
    assert len(told) > 4
    assert len(seen) == 2 * alone["changes"]["refused"]


@pytest.mark.parametrize(
    ("level", "document", "words"),
    [
        ("tenant", {"limits": {"tenant_hour": 2_000_000}}, "it may only lower"),
        ("tenant", {"limits": {"tenant_hour": -1}}, "limits.tenant_hour"),
        ("tenant", {"limit": {}}, "not a section"),
        ("operator", {"bounce": {"soft_window_minutes": 0}}, "soft_window_minutes"),
        ("category", {"policy": {"limits": {"tenant_hour": 2_000_000}}}, "rent"),
        ("promise", {"limits": {}}, "is missing"),
    ],
)
def test_a_policy_that_nobody_could_approve_is_refused_in_words(operator, firm, level, document, words):
    tried = Candidate.of(
        level,
        document,
        tenant=firm.tenant if level in ("tenant", "category") else None,
        programme=firm.programme if level == "promise" else None,
        code="rent" if level == "category" else "",
    )
    with pytest.raises(Exception, match=words):
        candidate.check(operator.control, tried)


def test_a_category_that_is_not_there_is_named(operator, firm):
    with pytest.raises(Exception, match="no category 'rant'; it has: rent"):
        candidate.check(operator.control, Candidate("category", {}, firm.tenant, code="rant"))
    with pytest.raises(Exception, match="no such client"):
        candidate.check(operator.control, Candidate("tenant", {}, firm.programme))
    candidate.check(operator.control, Candidate("operator", {"limits": {"tenant_hour": 5}}))
