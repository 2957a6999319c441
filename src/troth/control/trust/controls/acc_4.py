"""Control of ACC-4: single sign-on for client firms, by SAML 2.0 and OpenID Connect."""

from troth.control.people.sign_on.connection import OpenId, Saml
from troth.control.trust import access, fences, governance
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import weigh

_TABLES = ("sign_on_domain", "sign_on_proof", "sign_on_attempt", "arrival")
_FUNCTIONS = ("sign_on_of_tenant_v1", "apply_sign_on")


def check(look: Look, programme: Programme | None) -> Found:
    """Offered to every client: both protocols are there, and what is in force binds domains that were proved."""
    findings = Findings()
    governance.four_eyes(findings, look, programme, "sign-on")
    findings.take(fences.tables(look.schema, *_TABLES))
    findings.take(fences.functions(look.schema, *_FUNCTIONS))
    findings.take(governance.rights(look, "sign-on:propose", "sign-on:approve", "sign-on:read"))
    findings.seen["protocols"] = [each.__name__ for each in (OpenId, Saml)]
    weigh(
        findings,
        look,
        access.facts(look, "sign-ons", programme),
        "connections",
        "connections are of domains that nobody proved",
    )
    return findings.done()


CONTROL = Control(
    "ACC-4",
    "acc_4",
    HOUR,
    "A connection is proposed for the attempt: one person alone must not bring it into force; each one in force is "
    "compared with its approvals and with the domains that its client proved to be its own.",
    check,
)
