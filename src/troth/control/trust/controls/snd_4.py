"""Control of SND-4: administrative access to the sending pipeline requires a second factor."""

from troth.control import roles
from troth.control.trust import fences, governance, sending
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme

_KINDS = ("policy", "category", "template", "domain", "api-key", "release", "override")
_NO_FACTOR = "28000"
_FUNCTIONS = ("allowed", "session_open_now", "session_account", "page_session_open_v1", "page_session_prove_v1",
              "propose_v1", "approve_v1", "revoke_v1")  # fmt: skip
# whoever has one of these administers sending, in whatever role
_ALWAYS = tuple(f"{kind}:{act}" for kind in ("policy", "api-key", "release") for act in ("propose", "approve"))


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    sending.stands(findings, look, *_FUNCTIONS)
    findings.take(fences.tables(look.schema, "permission", "session"))
    findings.take(governance.rights(look))
    for profile, action, scope, role, second, _ in sorted(roles.permission_rows()):
        administers = action in _ALWAYS or (scope != "own" and not action.startswith("self:"))
        if profile == programme.profile and administers:
            findings.need(second, f"the role {role} may {action} ({scope}) with a password alone")
    sending.tried(findings, look, {f"one factor {kind}": _NO_FACTOR for kind in _KINDS})
    return findings.done()


CONTROL = Control(
    "SND-4",
    "snd_4",
    HOUR,
    "For every kind of thing that rules sending, somebody who showed a password alone proposes one, and must be "
    "refused by the database; every right of the operator's staff must ask for a second factor.",
    check,
)
