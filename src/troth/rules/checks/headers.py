"""Gate check: the request's header fields and other parts are what they may be, and inject nothing.

The parser found the problems; here they become a refusal.
Way out: the problem names the field and what it may hold.
"""

from troth.rules.decision import Verdict, accept, refuse, told
from troth.rules.facts import Facts

CHECK = "headers"
CODES = ("header-injection", "header-refused")


def check(facts: Facts) -> Verdict:
    problems = facts.email.problems
    if not problems:
        return accept(CHECK, "The header fields are permitted.")
    worst = next((problem for problem in problems if problem.code == "header-injection"), problems[0])
    code = "header-injection" if worst.code == "header-injection" else "header-refused"
    return refuse(CHECK, code, worst.hint, {"problems": told(problems)}, at=worst.field)
