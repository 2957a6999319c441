"""Four eyes, kind `policy`: the document of one level: a programme's promise, the operator's or a client's own.

programme:<code>   complete, subject = the programme's id, never looser than its profile
operator           partial, subject = the installation's id
tenant             partial, of one client
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from troth.control.approvals.asked import Asked
from troth.control.approvals.shown import shown
from troth.control.approvals.spent import below_spent
from troth.control.approvals.standing import Standing, below, conflicts, document_problems, standing
from troth.control.audit.refusals import Problem
from troth.control.tenants.clients import programmes
from troth.rules.policy import from_document, looser_fields
from troth.rules.profile import load_profile
from troth.rules.unshown import unshown

type Change = tuple[Standing, Standing]  # a client as it stands, and as it is to stand


def check(asked: Asked) -> list[Problem]:
    promise = asked.code.startswith("programme:") and asked.tenant is None
    if problems := document_problems(asked.artefact, complete=promise) or _code(asked) or list(_unshown(asked)):
        return problems
    if promise:
        return _promise(asked)
    changed = list(_with_own(asked) if asked.tenant else _with_operator(asked))
    return _all_conflicts(changed) or below_spent(asked.connection, changed)


def _code(asked: Asked) -> list[Problem]:
    """Whether there is a level of that name: what a document may say depends on whose it is."""
    if asked.tenant is None and asked.code.startswith("programme:"):
        found = [f"programme:{each.code}" for each in programmes(asked.connection)]
        hint = f"The programmes' codes are {', '.join(found) or 'none yet'}."
    else:
        found = ["tenant" if asked.tenant else "operator"]
        hint = "The codes are programme:<code> and operator, and tenant for a client's own."
    return [] if asked.code in found else [Problem("code", "unknown", hint)]


def _unshown(asked: Asked) -> Iterator[Problem]:
    """What says more than a control can show, each field once; of the operator's level, by every profile in use."""
    here = standing(asked.connection, asked.tenant).profile
    own = {each.profile for each in programmes(asked.connection) if asked.code == f"programme:{each.code}"}
    everyone = {each.profile for each in programmes(asked.connection)}
    told: dict[str, Problem] = {}
    for profile in {here} if here else own or everyone:
        for one in unshown(asked.artefact, load_profile(profile).policy, shown()):
            told.setdefault(one.path, Problem(f"policy.{one.path}", "unshown", one.hint))
    yield from told.values()


def _promise(asked: Asked) -> list[Problem]:
    found = {f"programme:{each.code}": each.id for each in programmes(asked.connection)}
    here = standing(asked.connection, None, found[asked.code])
    assert here.profile is not None
    profile = load_profile(here.profile).policy
    if loose := looser_fields(profile, from_document(asked.artefact)):
        words = f"permits what the profile {here.profile} does not promise"
        return [Problem(f"policy.{path}", "looser", words) for path in loose]
    clients = below(asked.connection, here.programme)
    changed = [(one, replace(one, promise=asked.artefact)) for one in (here, *clients)]
    return _all_conflicts(changed) or below_spent(asked.connection, changed)


def _with_operator(asked: Asked) -> Iterator[Change]:
    for one in below(asked.connection, None):
        yield one, replace(one, operator=asked.artefact)


def _with_own(asked: Asked) -> Iterator[Change]:
    here = standing(asked.connection, asked.tenant)
    yield here, replace(here, policy=asked.artefact)


def _all_conflicts(changed: Iterable[Change]) -> list[Problem]:
    return [problem for _, after in changed for problem in conflicts(after)]
