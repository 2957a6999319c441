"""Gate check: the variables are what the template's approved schema asks for, and small enough.

Way out: the problem names each field and what it must be.
"""

from troth.rules.decision import Verdict, accept, plain_field, refuse, told, unknown
from troth.rules.facts import Facts, Template

CHECK = "variables_fit"
CODES = ("variables-do-not-fit", "variables-too-large", "store-unavailable")


def check(facts: Facts) -> Verdict:
    if facts.policy is None:
        return unknown(CHECK, "the policy on variables")
    size, cap = facts.email.variable_bytes, facts.policy.content.variable_bytes
    if size > cap:
        sentence = f"The variables are {size} bytes; at most {cap} are taken. Send less, or link to it."
        return refuse(CHECK, "variables-too-large", sentence, {"bytes": size, "cap": cap}, at="template.variables")
    if facts.template is not None and facts.template.variable_problems:
        return _misfit(facts.template)
    return accept(CHECK, "The variables fit.", {"bytes": size, "cap": cap})


def _misfit(template: Template) -> Verdict:
    problems = template.variable_problems
    first = f"{plain_field(problems[0].field)}: {problems[0].hint}"  # Resend's clients show their user nothing else
    sentence = f"The variables do not fit the template {template.code}. {first}"
    more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
    return refuse(CHECK, "variables-do-not-fit", sentence + more, {"problems": told(problems)}, at=problems[0].field)
