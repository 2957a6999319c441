"""What somebody might do to the registration of recipients, and how it is mended (see breaks.py)."""

from tests.control.trust.breaking import constraint, fences, function, loud, quiet


def policy(claim, name, was, becomes):
    """What is in force says another thing than the promise."""
    return quiet(
        claim,
        name,
        "snapshot",
        f"UPDATE snapshot SET artefact = replace(artefact, '{was}', '{becomes}') WHERE kind = 'policy'",
    )


UNREAD = "UPDATE person SET address_ct = '\\x02'::bytea || sha256('x')"
RECIPIENTS = [
    *fences("RCP-1", "person"), *fences("RCP-1", "confirmation"), *fences("RCP-1", "person_event", "insert_only"),
    *constraint("RCP-1", "confirmation", "confirmation_check", "(pathway = 'vendor-agreement') = (agreement IS NOT NULL)"),
    *constraint("RCP-1", "confirmation", "confirmation_check1", "pathway <> 'multi-step' OR code_hash IS NOT NULL"),
    *function("RCP-1", "verify_person_v1", "verify_person_v1(bytea, text)"),
    *function("RCP-1", "recipient_fact_v1", "recipient_fact_v1(text, timestamptz)"),
    loud("RCP-1", "the pages may verify", "GRANT UPDATE (status) ON person TO troth_control", "REVOKE UPDATE (status) ON person FROM troth_control"),
    quiet("RCP-1", "nobody confirmed", "confirmation", "DELETE FROM confirmation"),
    quiet("RCP-1", "somebody came another way", "person", "UPDATE person SET pathway = 'employer-invitation'"),
    quiet("RCP-1", "somebody came no way", "person", "UPDATE person SET pathway = NULL, status = 1"),
    quiet("RCP-1", "whoever was written to is not there", "person", "DELETE FROM person"),
    policy("RCP-1", "a policy accepts another way", '"confirmation-link","system"', '"confirmation-link","employer-invitation","system"'),
    policy("RCP-2", "a policy takes disposable addresses", '"disposable":"refuse"', '"disposable":"take"'),
    quiet("RCP-2", "an address cannot be read", "person", UNREAD),
    *fences("RCP-2", "person"),
    policy("RCP-3", "a policy takes roles", '"roles":"refuse"', '"roles":"take"'),
    quiet("RCP-3", "an address cannot be read", "person", UNREAD),
    *fences("RCP-3", "person"),
]  # fmt: skip
