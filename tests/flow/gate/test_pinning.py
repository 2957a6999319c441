"""A request may name a template's version: it gets that one, as long as it is approved, not stopped and not retired."""

import pytest
from tests.flow.gate.test_accept import ask, email, gate
from tests.support.firm import TEMPLATE, make_firm

from troth.flow.gate.asks import Refused, Taken
from troth.flow.gate.world import pin_of

__all__ = ["gate"]


@pytest.fixture
def versions(operator, firm):
    """`reminder` has three versions, the third in force."""
    firm.person("ann@example.net")
    for n in (2, 3):
        operator.govern("template", firm.tenant, "reminder", {**TEMPLATE, "subject": f"Rent {n}"}, firm.template)
    return firm


def used(operator):
    query = "SELECT s.version FROM email e JOIN snapshot s ON s.id = e.template_snapshot ORDER BY e.id"
    return [version for (version,) in operator.admin.execute(query).fetchall()]


async def test_a_version_that_is_named_is_used_and_else_the_one_in_force(gate, operator, versions):
    for template in ("reminder@1", "reminder", "reminder@2", "reminder@3"):
        assert isinstance(await gate.submit(ask(versions, email(template=template))), Taken)
    assert used(operator) == [1, 3, 2, 3]


@pytest.mark.parametrize(
    "named", ["reminder@4", "reminder@0", "reminder@", "reminder@01", "reminder@x", "other@1", "@1"]
)
async def test_what_is_no_version_is_no_template(gate, operator, versions, named):
    refused = await gate.submit(ask(versions, email(template=named)))
    assert isinstance(refused, Refused)
    assert refused.refusal.code == "unknown-template"
    assert used(operator) == []


async def test_a_stopped_version_is_refused_and_its_neighbours_are_not(gate, operator, versions):
    first = operator.admin.execute("SELECT id FROM snapshot WHERE subject = %s AND version = 1", (versions.template,))
    operator.control.execute("SELECT revoke_v1(%s, 'wrong', %s)", (first.fetchone()[0], operator.sessions[0]))
    refused = await gate.submit(ask(versions, email(template="reminder@1")))
    assert refused.refusal.code == "template-unapproved"
    assert isinstance(await gate.submit(ask(versions, email(template="reminder@2"))), Taken)
    operator.revoke(versions.template)
    assert (await gate.submit(ask(versions, email()))).refusal.code == "template-unapproved"
    assert isinstance(await gate.submit(ask(versions, email(template="reminder@2"))), Taken)


async def test_no_version_of_a_retired_template_is_sent(gate, operator, versions):
    operator.govern("template", versions.tenant, "reminder", {**TEMPLATE, "retired": True}, versions.template)
    for named in ("reminder@1", "reminder@4", "reminder"):
        assert (await gate.submit(ask(versions, email(template=named)))).refusal.code == "template-unapproved"


async def test_another_firms_versions_are_not_there(gate, operator, versions):
    other = make_firm(operator, "other")
    other.person("ann@example.net")
    operator.govern("template", other.tenant, "reminder", {**TEMPLATE, "subject": "Theirs"}, other.template)
    assert (await gate.submit(ask(other, email(template="reminder@3")))).refusal.code == "unknown-template"
    assert isinstance(await gate.submit(ask(other, email(template="reminder@2"))), Taken)


async def test_a_template_goes_only_to_whom_it_is_aimed_at(gate, operator, firm):
    aimed = {**TEMPLATE, "targeting": {"pathways": ["system"]}}
    operator.govern("template", firm.tenant, "reminder", aimed, firm.template)
    firm.person("ann@example.net")
    refused = await gate.submit(ask(firm))
    assert isinstance(refused, Refused)
    assert refused.refusal.code == "pathway-not-accepted"


def test_pins_are_read_from_their_form_alone():
    assert pin_of("rent-due@3") == ("rent-due", 3)
    assert pin_of("rent-due") is None
    assert pin_of("rent-due@9999999999") is None
