"""Gate check: the category's lawful basis is on record, and is one that its legal class can have (claim CPL-1).

GDPR Article 6 (1). A notice that the law asks for is sent on legal obligation; a transactional message carries out
what was agreed, so that its class says its basis. A relationship message says its own.
Way out: propose a version of the category that says its lawful basis.
"""

from troth.rules.decision import Saw, Verdict, accept, refuse, unknown
from troth.rules.facts import Facts

CHECK = "lawful_basis"
CODES = ("lawful-basis-missing", "store-unavailable")
# which bases a class can have
BASES = {
    "transactional": ("contract", "legal-obligation", "legitimate-interest", "consent"),
    "relationship": ("contract", "legitimate-interest", "consent"),
    "required": ("legal-obligation",),
}


def check(facts: Facts) -> Verdict:
    category = facts.category
    if category is None:
        return unknown(CHECK, "the category")
    saw: Saw = {"legal_class": category.legal_class, "lawful_basis": category.lawful_basis}
    if category.lawful_basis in BASES.get(category.legal_class, ()):
        return accept(CHECK, f"Sent on {category.lawful_basis}.", saw)
    sentence = (
        f"The category {category.code} ({category.legal_class}) has no lawful basis that its class can have; propose a "
        "version that says it."
    )
    return refuse(CHECK, "lawful-basis-missing", sentence, saw)
