"""Gate check: the API key may send this category (claim SND-2).

Way out: a key whose scope names the category.
"""

from troth.rules.decision import Verdict, accept, refuse, unknown
from troth.rules.facts import Facts

CHECK = "key_scope"
CODES = ("key-scope", "store-unavailable")


def check(facts: Facts) -> Verdict:
    if facts.key is None or facts.category is None:
        return unknown(CHECK, "this API key's scope")
    code, allowed = facts.category.code, facts.key.categories
    if allowed is None or code in allowed:
        return accept(
            CHECK, f"The key may send {code}.", {"key": facts.key.id, "category": code, "scoped": allowed is not None}
        )
    sentence = f"This API key may not send the category {code}. Use a key whose scope names it."
    return refuse(
        CHECK, "key-scope", sentence, {"key": facts.key.id, "category": code, "scope": tuple(sorted(allowed))}
    )
