"""One subject is one thing for ever: whoever comes second with it, even with a proposal made earlier, is refused."""

import psycopg
import pytest
from tests.support.firm import make_firm, now

from troth.keys.ids import uuid7


def _propose(operator, kind, tenant, subject, code):
    change = uuid7(now())
    digest = operator.control.execute(
        "SELECT propose_v1(%s,%s,%s,%s,%s,'{}','x',%s)", (change, kind, tenant, subject, code, operator.sessions[0])
    ).fetchone()[0]
    return change, digest


def _approve(operator, change, digest):
    operator.control.execute("SELECT approve_v1(%s,%s,%s)", (change, digest, operator.sessions[1]))


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("other_tenant", [False, True])
def test_two_open_proposals_for_one_subject_cannot_both_be_approved(operator, first, other_tenant):
    firm = make_firm(operator)
    other = make_firm(operator, "other").tenant if other_tenant else firm.tenant
    subject = uuid7(now())
    proposed = [
        _propose(operator, "policy", firm.tenant, subject, "tenant"),
        _propose(operator, "category", other, subject, "mine"),
    ]
    _approve(operator, *proposed[first])
    with pytest.raises(psycopg.Error, match="this subject is another thing"):
        _approve(operator, *proposed[1 - first])
    rows = operator.admin.execute(
        "SELECT g.kind = s.kind AND g.tenant_id = s.tenant_id FROM governed g JOIN snapshot s ON s.id = g.snapshot_id"
        " WHERE g.subject = %s",
        (subject,),
    ).fetchall()
    assert rows == [(True,)]
