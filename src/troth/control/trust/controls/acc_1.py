"""Control of ACC-1: role-based access for staff and clients, by job function, on every surface."""

from troth.control.people.permissions import CLIENT_ROLES, OPERATOR_ROLES
from troth.control.trust import access, fences, governance
from troth.control.trust.access import ACCEPTED
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import BROKEN, DENIED, weigh

_STAFF, _MEMBERS = (f"role IN ({', '.join(map(repr, roles))})" for roles in (OPERATOR_ROLES, CLIENT_ROLES))


def check(look: Look, programme: Programme | None) -> Found:
    findings = Findings()
    access.rights_stand(findings, look)
    access.tried(
        findings,
        look,
        {"role-may": ACCEPTED, "role-may-not": DENIED, "member-elsewhere": DENIED, "role-unknown": BROKEN},
    )
    for table in ("change", "message", "governed", "account"):
        for tenant, n in governance.strangers(look, table).items():
            findings.need(not n, f"{n} rows of {table} of others are seen by {tenant}")
    accounts = governance.facts(look, "grants", programme)
    if not weigh(findings, look, accounts, "accounts", "accounts have another role than two people approved"):
        findings.missing.append("there is nobody yet")
    findings.take(fences.functions(look.schema, "acts", "approvers_of"))
    findings.take(
        fences.checks(look.schema, "account", f"CASE WHEN tenant_id IS NULL THEN {_STAFF} ELSE {_MEMBERS} END")
    )
    return findings.done()


CONTROL = Control(
    "ACC-1",
    "acc_1",
    HOUR,
    "The table of rights is compared with what was shipped; somebody with the right role, with another, and of "
    "another client try the same act; every account's role is compared with the grant that two people approved.",
    check,
)
