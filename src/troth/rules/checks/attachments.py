"""Gate check: attachments are few, small and of a permitted type.

Way out: fewer, smaller, or as PDF; or a link.
"""

from troth.rules.decision import Verdict, accept, refuse, unknown
from troth.rules.facts import Facts
from troth.rules.policy import Content

CHECK = "attachments"
CODES = ("too-many-attachments", "attachments-too-large", "attachment-type-refused", "store-unavailable")


def check(facts: Facts) -> Verdict:
    if facts.policy is None:
        return unknown(CHECK, "the policy on attachments")
    content, files = facts.policy.content, facts.email.attachments
    count, size = len(files), sum(file.size for file in files)
    if count > content.attachment_count:
        sentence = f"The email has {count} attachments; at most {content.attachment_count} are taken."
        return refuse(CHECK, "too-many-attachments", sentence, {"count": count}, at="attachments")
    if size > content.attachment_bytes:
        sentence = f"The attachments are {size} bytes; at most {content.attachment_bytes} are taken. Send a link."
        return refuse(CHECK, "attachments-too-large", sentence, {"bytes": size}, at="attachments")
    return _types(facts, content)


def _types(facts: Facts, content: Content) -> Verdict:
    for index, file in enumerate(facts.email.attachments):
        if file.content_type not in content.attachment_types:
            allowed = ", ".join(content.attachment_types) or "none"
            sentence = f"Attachment {index + 1} is of a type that is not taken. These are: {allowed}."
            return refuse(CHECK, "attachment-type-refused", sentence, {"index": index}, at=f"attachments[{index}]")
    return accept(CHECK, "The attachments are permitted.", {"count": len(facts.email.attachments)})
