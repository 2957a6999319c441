"""Gate check: `from` is the category's approved sender, and nobody else.

Way out: leave `from` out where a template is used, or write the category's sender.
"""

from troth.rules.decision import Verdict, accept, refuse, unknown
from troth.rules.facts import Facts

CHECK = "sender_matches"
CODES = ("sender-mismatch", "store-unavailable")


def check(facts: Facts) -> Verdict:
    category, asked = facts.category, facts.email.from_asked
    if category is None or not _within(category.sender_addr, category.sender_domain):
        return unknown(CHECK, "the category's sender")
    if asked is None or asked.casefold() == category.sender_addr.casefold():
        return accept(
            CHECK, "The sender is the category's.", {"given": asked is not None, "domain": category.sender_domain}
        )
    sentence = f"`from` must be {category.sender_addr}, the approved sender of the category {category.code}."
    return refuse(CHECK, "sender-mismatch", sentence, {"category": category.code}, at="from")


def _within(address: str, domain: str) -> bool:
    return bool(domain) and address.rpartition("@")[2].casefold() == domain.casefold()
