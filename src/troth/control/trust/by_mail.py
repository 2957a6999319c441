"""Claims: an opt-out by mail that a message offers is taken: the server of that domain gives signs of life."""

import re
from collections import Counter
from collections.abc import Iterator

from troth.control.trust import headers, sample
from troth.control.trust.found import Findings
from troth.control.trust.look import Look, Programme

_MAILTO = re.compile(r"<mailto:[^<>\s@]+@([^<>\s?]+)")
# silent: neither by the house's clock, which a demo moves, nor by the machine's, since the duties last moved theirs
_ALIVE = """
SELECT domain FROM inbound_beat WHERE seen > clock_timestamp() - interval '5 minutes'
OR at > (SELECT max(high_water) FROM clock_mark) - interval '5 minutes'
"""


def answered(findings: Findings, look: Look, programme: Programme) -> None:
    """Each domain that sent messages name for an opt-out by mail."""
    offered = Counter(_offered(look, programme))
    silent = sorted(offered.keys() - _alive(look))
    findings.wrong += [
        f"{offered[domain]} sent messages offer an opt-out by mail to {domain}, and no server takes mail there"
        for domain in silent
    ]
    findings.seen["opt_outs_by_mail_offered"] = offered.total()


def _offered(look: Look, programme: Programme) -> Iterator[str]:
    for event in sample.sent(look, programme):
        header = headers.block((event.detail or {}).get("headers"))
        found = _MAILTO.search(header.text(b"list-unsubscribe")) if header else None
        if found:
            yield found[1].lower()


def _alive(look: Look) -> set[str]:
    def read() -> set[str]:
        with look.of(None) as connection:
            return {domain for (domain,) in connection.execute(_ALIVE).fetchall()}

    alive: set[str] = look.once("inbound", read)
    return alive
