"""Four eyes, pictures: what each kind of change shows a person, one file a kind; others are shown field by field."""

from collections.abc import Callable

from troth.control.approvals.pictures import (
    api_key,
    category,
    designation,
    domain,
    file_import,
    firm,
    grant,
    override,
    plain,
    policy,
    release,
    route,
    sign_on,
    template,
    trust_page,
)
from troth.control.approvals.pictures.picture import Picture
from troth.control.approvals.reading import Seen, looking
from troth.control.people.actor import Actor

OF: dict[str, Callable[[Actor, Seen], Picture]] = {
    "api-key": api_key.picture,
    "category": category.picture,
    "designation": designation.picture,
    "domain": domain.picture,
    "grant": grant.picture,
    "import": file_import.picture,
    "override": override.picture,
    "policy": policy.picture,
    "programme": firm.programme,
    "release": release.picture,
    "route": route.picture,
    "sign-on": sign_on.picture,
    "template": template.picture,
    "tenant": firm.tenant,
    "trust-page": trust_page.picture,
}


def drawn(actor: Actor, seen: Seen) -> Picture:
    """What is proposed was checked; what was proposed before a kind had its shape of now is shown field by field."""
    with looking(actor, seen.tenant):
        try:
            return OF.get(seen.kind, plain.picture)(actor, seen)
        except (AttributeError, KeyError, TypeError, ValueError):
            return plain.picture(actor, seen)
