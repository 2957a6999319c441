"""Gate check: the message belongs to one approved notification category (claim EML-13). No row, no send.

Way out: name the category by a template, the tag `category`, or a key with only one; or have it approved by a second
person.
"""

from troth.rules.decision import Saw, Verdict, accept, refuse
from troth.rules.facts import Facts

CHECK = "category_approved"
CODES = ("category-unknown", "category-unapproved", "category-retired", "unknown-template", "template-unapproved")


def check(facts: Facts) -> Verdict:
    category = facts.category
    if category is None:
        return _nameless(facts)
    saw: Saw = {"category": category.code, "version": category.version, "snapshot": category.snapshot_id}
    if not category.approved:
        sentence = f"The category {category.code} is not approved. A second person must approve it before it sends."
        return refuse(CHECK, "category-unapproved", sentence, saw)
    if category.retired:
        return refuse(CHECK, "category-retired", f"The category {category.code} was retired; use another.", saw)
    return accept(CHECK, f"{category.code} version {category.version} is approved.", saw)


def _nameless(facts: Facts) -> Verdict:
    """A template would have named the category; where one was asked for, its own fault is the answer that helps."""
    if facts.template is not None and not facts.template.approved:
        sentence = f"The template {facts.template.code} has no approved version. A second person must approve it."
        return refuse(CHECK, "template-unapproved", sentence, at="template.id")
    if facts.template is None and not facts.email.raw:
        sentence = "There is no such template. Use the id of one of this account's templates."
        return refuse(CHECK, "unknown-template", sentence, at="template.id")
    sentence = (
        "No approved category is known for this email. Send with a template, or name the category in the tag "
        '"category", or use a key that has only one.'
    )
    return refuse(CHECK, "category-unknown", sentence, at="tags")
