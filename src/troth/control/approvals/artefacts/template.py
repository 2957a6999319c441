"""Four eyes, kind `template`: subject, html, text and schema of a category's mail, tried in a child before anybody
is asked to approve it: whatever it would do to a worker, it does there.

With a `source` (MJML or HTML as a person wrote it) the html and the text are what the source makes, to the last byte:
they are filled in before the digest is taken, and other ones are refused. So the digest covers what was written and
what is sent, the client's layout included, and a worker builds nothing.
"""

from dataclasses import replace
from typing import Any

import msgspec

from troth.control.approvals.artefacts.category import code_problems, pathway_problems
from troth.control.approvals.asked import Asked
from troth.control.approvals.standing import Standing, conflicts, standing
from troth.control.audit.refusals import Problem
from troth.mail.building import Built, Source
from troth.mail.render import TemplateSource
from troth.mail.trying import Try
from troth.outside.render_child import propose
from troth.outside.template_child import try_in_child


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`targeting`: {"pathways": [...]}, the ways in which a recipient's address must have been verified."""

    category: str
    subject: str
    schema: dict[str, Any]
    html: str | None = None
    text: str | None = None
    targeting: dict[str, Any] = {}
    retired: bool = False
    source: Source | None = None
    samples: list[dict[str, Any]] = []


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Template)
    problems = code_problems(asked.code)
    here = standing(asked.connection, asked.tenant)
    if not given.category:
        problems.append(Problem("category", "empty", "Choose the category that this mail belongs to."))
    elif not here.knows("category", given.category):
        problems.append(Problem("category", "unknown", "There is no such category here: propose it first."))
    if problems or given.retired:
        return problems
    problems = _targeting(given, here)
    return problems or (_written(asked, given, given.source) if given.source else _ready(given))


def _ready(given: Template) -> list[Problem]:
    """HTML and text as they are sent."""
    found = propose(TemplateSource(given.subject, given.html, given.text), given.schema, given.samples)
    return [Problem(each.field, each.code, each.hint) for each in found]


def _written(asked: Asked, given: Template, source: Source) -> list[Problem]:
    seen = try_in_child(Try(given.subject, source, given.schema, given.samples))
    problems = [Problem(each.field, each.code, each.hint) for each in seen.problems]
    if problems or seen.built is None:
        return problems
    return _filled(asked.artefact, seen.built)


def _filled(artefact: dict[str, Any], built: Built) -> list[Problem]:
    """Put in what the source makes; whatever else stands there was not what the approver would look at."""
    problems = []
    for name, made in (("html", built.html), ("text", built.text)):
        if artefact.get(name, made) != made:
            hint = f"This is not what the source makes: leave {name} out, and it is made from the source."
            problems.append(Problem(name, "built", hint))
        artefact[name] = made
    return problems


def _targeting(given: Template, here: Standing) -> list[Problem]:
    """As strict as the category and everything above it, or stricter."""
    problems = pathway_problems("targeting", given.targeting)
    pathways = given.targeting.get("pathways")
    if problems or not pathways:
        return problems
    category = here.categories.get(given.category, {})
    document = category.get("policy", {})
    own = document.get("recipients", {}).get("pathways", pathways)
    if set(pathways) - set(own):
        return [Problem("targeting.pathways", "looser", f"The category {given.category} takes {', '.join(own)} alone.")]
    aimed = {**category, "policy": {"recipients": {"pathways": pathways}}}
    looser = conflicts(replace(here, categories={given.category: aimed}, keys={}))
    return [Problem("targeting.pathways", each.code, each.hint) for each in looser if each.field.endswith("pathways")]
