"""Gate check: the message says who sends it: a sender's name and the client's postal address (claims CPL-3, CPL-4).

CAN-SPAM 15 U.S.C. 7704 (a) (5), CASL section 6 (2). Delivery puts both under every message (mail/footer.py), whatever
its class; here is seen that there is something to put.
Way out: a change of the client with its postal address; a version of the category with its sender's name.
"""

from troth.rules.decision import Saw, Verdict, accept, refuse, unknown
from troth.rules.facts import Facts

CHECK = "sender_identified"
CODES = ("sender-unidentified", "store-unavailable")


def check(facts: Facts) -> Verdict:
    tenant, category = facts.tenant, facts.category
    if tenant is None or category is None or tenant.addressed is None or category.named is None:
        return unknown(CHECK, "who sends this")
    saw: Saw = {"named": category.named, "addressed": tenant.addressed}
    if category.named and tenant.addressed:
        return accept(CHECK, "The sender's name and postal address are known.", saw)
    missing = "postal address of the account" if category.named else "name of the category's sender"
    sentence = f"Every message says who sends it, and the {missing} is empty. Propose a change that fills it in."
    return refuse(CHECK, "sender-unidentified", sentence, saw)
