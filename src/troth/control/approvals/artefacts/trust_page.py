"""Four eyes, kind `trust-page`: whether a client firm shows its part of the trust centre under its own name.

Nobody shows it for the firm: its own administrators propose it. Until they do there is no such page.
"""

import msgspec

from troth.control.approvals.artefacts.programme import certificates
from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem
from troth.control.audit.scope import within

CODE = "trust-page"
_FIRM = "SELECT kind, name FROM troth.tenant WHERE id = %s"
_CLIENT = 1


class TrustPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shown: bool


def check(asked: Asked) -> list[Problem]:
    asked.read(TrustPage)
    if asked.code != CODE:
        return [Problem("code", "unknown", f"The code of a client's own trust page is {CODE}.")]
    with within(asked.connection, asked.tenant):
        found = asked.connection.execute(_FIRM, (asked.tenant,)).fetchone()
    if found is None or found[0] != _CLIENT:
        return [Problem("shown", "misplaced", "The programme's own mail has its promises on the programme's page.")]
    return certificates(found[1], "shown")
