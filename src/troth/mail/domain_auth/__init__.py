"""The gate's view of a sending domain: whether SPF, DKIM and an effective DMARC hold, from records handed
in.

Pure: the look-ups are made by `troth.outside.domain_check`, which asks for `walk_names(domain)` and two
names more. A domain sends only while its `Readiness` is ready; each problem is a sentence that says what to
publish.
"""

from troth.mail.domain_auth.dkim_record import dkim
from troth.mail.domain_auth.dmarc_policy import (
    Policy,
    dmarc,
    organizational_domain,
    policy,
    settles,
    stops,
    walk_names,
)
from troth.mail.domain_auth.finding import Finding, Readiness
from troth.mail.domain_auth.near_miss import at_alias, elsewhere, misplaced, nearer
from troth.mail.domain_auth.return_path import return_path
from troth.mail.domain_auth.spf_join import joined
from troth.mail.domain_auth.spf_record import spf
from troth.mail.domain_auth.spf_tree import MAX_ASKED, followed, tree_fault

__all__ = [
    "MAX_ASKED",
    "Finding",
    "Policy",
    "Readiness",
    "at_alias",
    "dkim",
    "dmarc",
    "elsewhere",
    "followed",
    "joined",
    "misplaced",
    "nearer",
    "organizational_domain",
    "policy",
    "return_path",
    "settles",
    "spf",
    "stops",
    "tree_fault",
    "walk_names",
]
