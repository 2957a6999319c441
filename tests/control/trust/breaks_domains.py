"""What somebody might do to what is kept of sending domains and of the reputation of addresses (see breaks.py)."""

from tests.control.trust.breaking import fences, loud, quiet

_LISTED = (
    "INSERT INTO reputation_look SELECT gen_random_uuid(), NULL, subject, list, now_v1() + interval '1 second', '{}', 'why'"
    " FROM reputation_look WHERE list {} 'reverse-name' LIMIT 1"
)
DOMAINS = [
    *fences("EML-1", "domain_state"),
    loud("EML-1", "a return path may be unknown", "ALTER TABLE domain_state ALTER path_until DROP NOT NULL",
         "ALTER TABLE domain_state ALTER path_until SET NOT NULL"),
    quiet("EML-1", "a domain's own return path is not used", "domain_state", "UPDATE domain_state SET path_until = 'epoch'"),
    quiet("EML-1", "a domain is another's, which shows nothing", "domain_state", "UPDATE domain_state SET name = 'other.' || name"),
    quiet("EML-1", "a policy asks for no SPF", "snapshot",
          "UPDATE snapshot SET artefact = replace(artefact, '\"dmarc-reject\",\"spf\"', '\"dmarc-reject\"') WHERE kind = 'policy'"),
    *fences("EML-5", "reputation_look", "insert_only"),
    quiet("EML-5", "an address is listed", "reputation_look", _LISTED.format("listed", "<>")),
    quiet("EML-5", "a reverse name leads nowhere", "reputation_look", _LISTED.format("unconfirmed", "=")),
]  # fmt: skip
