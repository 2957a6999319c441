"""Gate check: the recipient's address is one that can be sent to.

Way out: correct the address; addresses beyond ASCII need SMTPUTF8, which is not offered yet.
"""

from troth.rules.decision import Verdict, accept, refuse, told, unknown
from troth.rules.facts import Facts

CHECK = "address_syntax"
CODES = ("address-invalid", "smtputf8-unsupported", "store-unavailable")


def check(facts: Facts) -> Verdict:
    if facts.recipient is None:
        return unknown(CHECK, "the recipient")
    problem = facts.recipient.address_problem
    if problem is None:
        return accept(CHECK, "The address is well formed.")
    code = "smtputf8-unsupported" if problem.code.startswith("smtputf8") else "address-invalid"
    return refuse(CHECK, code, problem.hint, {"problems": told((problem,))}, at=facts.recipient.field)
