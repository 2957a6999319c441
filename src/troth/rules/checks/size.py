"""Gate check: no more recipients and bytes than the policy takes.

Way out: several emails for several recipients; a link in place of a large file.
"""

from troth.rules.decision import Verdict, accept, refuse, unknown
from troth.rules.facts import Facts

CHECK = "size"
CODES = ("too-many-recipients", "no-recipient", "message-too-large", "store-unavailable")


def check(facts: Facts) -> Verdict:
    if facts.policy is None:
        return unknown(CHECK, "the policy on size")
    content, count, size = facts.policy.content, facts.email.recipient_count, facts.email.total_bytes
    if count < 1:
        return refuse(CHECK, "no-recipient", "The email names no recipient. Put at least one in `to`.", at="to")
    if count > content.max_recipients:
        sentence = f"The email has {count} recipients; at most {content.max_recipients} are taken. Send several emails."
        return refuse(CHECK, "too-many-recipients", sentence, {"count": count, "cap": content.max_recipients}, at="to")
    if size > content.message_bytes:
        sentence = (
            f"The message would be {size} bytes; at most {content.message_bytes} are taken. Send less, or a link."
        )
        return refuse(CHECK, "message-too-large", sentence, {"bytes": size, "cap": content.message_bytes})
    return accept(CHECK, "The email is within its size.", {"recipients": count, "bytes": size})
