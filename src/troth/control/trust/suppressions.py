"""Claims: whether the suppression list still holds all that it ever held: against its feed and earlier counts."""

from collections.abc import Mapping
from typing import Any

from troth.control.trust.found import Findings
from troth.control.trust.look import Look

MOST = 150_000  # entries of a part: a check takes seconds, whatever there is; a small list is looked at whole
_PART = "SELECT * FROM suppression_part_v1(%s, %s)"
_DIGEST = "SELECT digest, settled FROM suppression_digest_v1(%s, %s, %s)"
_OPT_OUTS = "SELECT count(*) FROM opt_out"


def kept(findings: Findings, look: Look, claim: str) -> None:
    """Nothing is missing of what `claim`'s earlier checks saw; the list and its feed hold the same entries. Of a long
    list each hour looks at the next part, and at the newest.
    """
    part, parts, listed, _, wrong, newest = look.once("suppressions", lambda: _part(look))
    findings.need(not wrong, f"{wrong} of {listed} suppressions differ from the feed, whose last row is {newest}")
    outs = look.once("opt-outs", lambda: _opt_outs(look))
    before = look.remembered(claim)
    which = "" if parts == 1 else f" of part {part + 1} of {parts}"
    rows = _rows(findings, look, (part, parts), before.get(f"rows{which}", ""))
    counted = {f"suppressions{which}": listed, "feed": newest, "opt_outs": outs}
    for what, now in counted.items():
        findings.need(now >= before.get(what, 0), f"there were {before.get(what)} {_said(what)}, now there are {now}")
    # what was seen when all was well is what later counts are held to; all parts at once are held by no check
    found = before if findings.wrong else {**_parts_of(before, parts), **counted, f"rows{which}": rows}
    findings.seen |= {**found, "entries_now": listed}


def _rows(findings: Findings, look: Look, part: tuple[int, int], before: str) -> str:
    """The feed's rows that were settled at an earlier check are the same; what is to be remembered: `id:digest`."""

    def digest(until: int) -> tuple[str, int]:
        with look.of(None) as connection:
            row = connection.execute(_DIGEST, (*part, until)).fetchone()
        return (str(row[0]), int(row[1])) if row else ("", 0)

    until, _, remembered = before.partition(":")
    settled = digest(0)[1]
    if until:
        same = look.once(("suppression rows", part, until), lambda: digest(int(until)))[0] == remembered
        findings.need(same, f"the first {until} rows of the feed are not those of an earlier check")
    return f"{settled}:{look.once(('suppression rows', part, str(settled)), lambda: digest(settled))[0]}"


def _said(what: str) -> str:
    return {"feed": "rows of the feed", "opt_outs": "opt-outs"}.get(what, what)


def _parts_of(before: Mapping[str, Any], parts: int) -> dict[str, Any]:
    """The earlier counts of parts of that size: a list that grew is in more of them, of which nothing is known yet."""
    return {name: n for name, n in before.items() if name.endswith(f" of {parts}") and parts > 1}


def _part(look: Look) -> tuple[int, ...]:
    with look.of(None) as connection:
        row = connection.execute(_PART, (int(look.now.timestamp()) // 3600, MOST)).fetchone()
    return tuple(row) if row else (0, 1, 0, 0, 0, 0)


def _opt_outs(look: Look) -> int:
    total = 0
    for tenant in look.tenants:
        with look.of(tenant.id) as connection:
            row = connection.execute(_OPT_OUTS).fetchone()
            total += row[0] if row else 0
    return total
