"""Gate check: content without a template only where the category's approved policy permits it.

Way out: send with a template, or have raw content approved for the category.
"""

from troth.rules.decision import Saw, Verdict, accept, refuse, told, unknown
from troth.rules.facts import Facts

CHECK = "raw_content"
CODES = ("raw-content-refused", "content-conflict", "content-invalid", "store-unavailable")


def check(facts: Facts) -> Verdict:
    if facts.content_problems:
        first = facts.content_problems[0]
        return refuse(CHECK, "content-invalid", first.hint, {"problems": told(facts.content_problems)}, at=first.field)
    if not facts.email.raw:
        return accept(CHECK, "The content is an approved template's.", {"raw": False})
    if facts.template is not None:
        sentence = "Send either a template or `html` and `text`, not both."
        return refuse(CHECK, "content-conflict", sentence, at="template")
    return _permitted(facts)


def _permitted(facts: Facts) -> Verdict:
    if facts.policy is None or facts.category is None:
        return unknown(CHECK, "the policy on raw content")
    saw: Saw = {"raw": True, "policy": facts.policy.content.raw, "category_allows": facts.category.raw_content_allowed}
    if facts.policy.content.raw and facts.category.raw_content_allowed:
        return accept(CHECK, "The category's approved policy permits content without a template.", saw)
    sentence = f"The category {facts.category.code} sends approved templates only. Use `template` instead of content."
    return refuse(CHECK, "raw-content-refused", sentence, saw, at="html")
