"""Control of ACC-3: multi-factor authentication where the promise demands it."""

from troth.control.people.permissions import permissions
from troth.control.trust import access, fences
from troth.control.trust.access import ACCEPTED, NO_SESSION
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import weigh

_KEYS = ("api-key:read", "api-key:propose", "api-key:approve")


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    access.rights_stand(findings, look)
    findings.take(fences.tables(look.schema, "mfa_authenticator"))
    findings.take(fences.functions(look.schema, "factor_told", "factor_stays"))
    findings.take(_cells(programme.profile))
    attempts = {"role-may": ACCEPTED, "factor-missing": NO_SESSION, "factor-missing-keys": NO_SESSION}
    access.tried(findings, look, attempts)
    acts = access.facts(look, "acts", programme)
    if not weigh(findings, look, acts, "acts", "acts were done with one factor where two are needed"):
        findings.missing.append("nobody has done anything on the pages yet")
    return findings.done()


def _cells(profile: str) -> list[str]:
    """What this profile promises: staff; managing keys; a client's administrators, but where only advised."""
    wanted = [cell for cell in permissions().values() if cell.scope != "own"]
    wanted += [cell for cell in permissions().values() if cell.profile == profile and cell.action in _KEYS]
    if profile != "retail":
        wanted += [cell for cell in permissions().values() if cell.profile == profile and cell.role == "admin"]
    # where one takes up the factor that the rest asks for
    asked = [cell for cell in wanted if not cell.action.startswith("self:")]
    return [f"{cell.role} may {cell.action} with one factor" for cell in asked if not cell.second]


CONTROL = Control(
    "ACC-3",
    "acc_3",
    HOUR,
    "Somebody of the staff, and a client's administrator at the API keys, try to act in a session that showed one "
    "factor, and must be refused; what was done on the pages is compared with what its session had shown by then.",
    check,
)
