"""Claims: whether the suppression list still holds all that it ever held: against its feed and earlier counts."""

from troth.control.trust.found import Findings
from troth.control.trust.look import Look
from troth.control.trust.measures import count

_OPT_OUTS = "SELECT count(*) FROM opt_out"


def kept(findings: Findings, look: Look, claim: str) -> None:
    """Nothing is missing of what `claim`'s last check saw; the list and its feed hold the same entries."""
    entries = count(findings, look, "suppressions", None, "suppressions differ from the feed")
    fed = int(next((row.example for row in look.facts("suppressions")), None) or 0)
    outs = look.once("opt-outs", lambda: _opt_outs(look))
    before = look.remembered(claim)
    for name, now, what in (("suppressions", entries, "suppressions"), ("feed", fed, "rows of the feed"),
                            ("opt_outs", outs, "opt-outs")):  # fmt: skip
        findings.need(now >= before.get(name, 0), f"there were {before.get(name)} {what}, now there are {now}")
    # what was seen when all was well is what later counts are held to
    counted = {"suppressions": entries, "feed": fed, "opt_outs": outs}
    findings.seen |= {**counted, "entries_now": entries} if not findings.wrong else {**before, "entries_now": entries}


def _opt_outs(look: Look) -> int:
    total = 0
    for tenant in look.tenants:
        with look.of(tenant.id) as connection:
            row = connection.execute(_OPT_OUTS).fetchone()
            total += row[0] if row else 0
    return total
