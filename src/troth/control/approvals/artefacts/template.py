"""Four eyes, kind `template`: subject, html, text and schema of a category's mail, rendered in a child before anybody
is asked to approve it: whatever it would do to a worker, it does there.
"""

from typing import Any

import msgspec

from troth.control.approvals.artefacts.category import code_problems
from troth.control.approvals.asked import Asked
from troth.control.approvals.standing import standing
from troth.control.audit.refusals import Problem
from troth.mail.render import TemplateSource
from troth.outside.render_child import propose


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    category: str
    subject: str
    schema: dict[str, Any]
    html: str | None = None
    text: str | None = None
    targeting: dict[str, Any] = {}
    retired: bool = False


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Template)
    problems = code_problems(asked.code)
    if not standing(asked.connection, asked.tenant).knows("category", given.category):
        problems.append(Problem("category", "unknown", "There is no such category here: propose it first."))
    if problems or given.retired:
        return problems
    found = propose(TemplateSource(given.subject, given.html, given.text), given.schema, [])
    return [Problem(each.field, each.code, each.hint) for each in found]
