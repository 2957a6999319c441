"""Four eyes: the kinds of change, each with whom it concerns and what its artefact must be.

To add a kind, add its file in artefacts/, a line here, and its rights in people/permissions.toml.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from troth.control.approvals.artefacts import (
    api_key,
    category,
    designation,
    domain,
    file_import,
    grant,
    override,
    policy,
    programme,
    release,
    route,
    sign_on,
    template,
    tenant,
    trust_page,
)
from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem


class Of(Enum):
    """Whose a kind is: the installation's, a client's, or either's."""

    OPERATOR = auto()
    CLIENT = auto()
    EITHER = auto()


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    of: Of
    check: Callable[[Asked], list[Problem]]


KINDS = {
    kind.name: kind
    for kind in (
        Kind("programme", Of.OPERATOR, programme.check),
        Kind("tenant", Of.OPERATOR, tenant.check),
        Kind("grant", Of.EITHER, grant.check),
        Kind("designation", Of.CLIENT, designation.check),
        Kind("sign-on", Of.CLIENT, sign_on.check),
        Kind("trust-page", Of.CLIENT, trust_page.check),
        Kind("policy", Of.EITHER, policy.check),
        Kind("domain", Of.CLIENT, domain.check),
        Kind("category", Of.CLIENT, category.check),
        Kind("template", Of.CLIENT, template.check),
        Kind("api-key", Of.CLIENT, api_key.check),
        Kind("override", Of.CLIENT, override.check),
        Kind("release", Of.EITHER, release.check),
        Kind("route", Of.OPERATOR, route.check),
        Kind("import", Of.EITHER, file_import.check),
    )
}


def problems(kind: str, asked: Asked) -> list[Problem]:
    """Everything that speaks against a proposal; Invalid is raised for an artefact of another shape."""
    known = KINDS.get(kind)
    if known is None:
        return [Problem("kind", "unknown", f"The kinds are {', '.join(KINDS)}.")]
    if known.of is Of.OPERATOR and asked.tenant is not None:
        return [Problem("tenant", "misplaced", f"A {kind} belongs to no client: leave the tenant out.")]
    if known.of is Of.CLIENT and asked.tenant is None:
        return [Problem("tenant", "missing", f"Name the client that this {kind} belongs to.")]
    return known.check(asked)
