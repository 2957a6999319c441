"""A house with messages, emails and claims that were looked at, all of it sealed."""

import json

import pytest
from tests.control.ledger.house import House

from troth.control.audit import scope
from troth.control.trust.look import Programme
from troth.keys.keyring import OPERATOR

_EMAILS = """
INSERT INTO email (id, tenant_id, category_id, category_snapshot, template_snapshot, api_key_id, policy_digest, created_at,
                   recipients)
SELECT email_id, tenant_id, category_id, %s, %s, %s, sha256('p'), now_v1(), 1 FROM message
"""
_RECORD = "SELECT claim_record_v2(%s, %s::uuid[], %s, %s, %s)"
CODE = "p-firm"


class Keys:
    """As settings.TROTH_KEYS gives them."""

    def __init__(self, operator):
        self.keyring, self.secrets = operator.keyring, operator.secrets
        wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
        self.operator = operator.keyring.tenant(OPERATOR, wrapped)


@pytest.fixture
def house(firm, tmp_path):
    made = House(firm, tmp_path)
    made.seal()
    for address in ("zoe@example.org", "yan@example.org"):
        made.tell(address, copies=3)
    written(made)
    found(made, "EML-2", firm.programme, "holds")
    found(made, "SUP-1", None, "fails", why=["something"])
    made.seal()
    return made


def written(house):
    """Its messages have emails."""
    firm = house.firm
    versions = (firm.operator.snapshot(firm.category), firm.operator.snapshot(firm.template))
    house.database.fill(_EMAILS, *versions, firm.key)


def found(house, claim, programme, state, why=(), version="ab"):
    """What a check found."""
    evidence = json.dumps({"seen": {}, "why": list(why)})
    with scope.connect(house.database.conninfo("troth_control"), "check") as connection:
        connection.execute(_RECORD, ([claim], [programme], [state], [evidence], version))


@pytest.fixture
def control(house):
    with scope.connect(house.database.conninfo("troth_control"), "page") as connection:
        yield connection


@pytest.fixture
def keys(house):
    return Keys(house.firm.operator)


@pytest.fixture
def programme(house):
    return Programme(house.firm.programme, CODE, "property")
