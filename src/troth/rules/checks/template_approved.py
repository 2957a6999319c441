"""Gate check: the template's version is approved, and is still the artefact that was approved (claim CHG-6).

Way out: name a template that exists; have the version approved by a second person; propose an altered one anew.
"""

from troth.rules.decision import Saw, Verdict, accept, refuse, unknown
from troth.rules.facts import Facts

CHECK = "template_approved"
CODES = ("unknown-template", "template-unapproved", "template-altered", "store-unavailable")


def check(facts: Facts) -> Verdict:
    template = facts.template
    if template is None:
        return _without(facts)
    saw: Saw = {"template": template.code, "version": template.version, "snapshot": template.snapshot_id}
    if not template.approved:
        sentence = f"The template {template.code} has no approved version. A second person must approve it."
        return refuse(CHECK, "template-unapproved", sentence, saw, at="template.id")
    if template.digest_matches is None:
        return unknown(CHECK, "the template's digest")
    if not template.digest_matches:
        sentence = f"The template {template.code} is not what was approved, so it is not sent. Propose it anew."
        return refuse(CHECK, "template-altered", sentence, saw, at="template.id")
    return accept(CHECK, f"{template.code} version {template.version} is approved.", saw)


def _without(facts: Facts) -> Verdict:
    if facts.email.raw:
        return accept(CHECK, "Content came with the request; no template is used.", {"raw": True})
    sentence = "There is no such template. Use the id of one of this account's templates."
    return refuse(CHECK, "unknown-template", sentence, at="template.id")
