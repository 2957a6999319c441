"""Claims: rows against what the ledger was told of them: none forged, emptied or moved without a word (row_fact_v1)."""

from datetime import timedelta
from typing import LiteralString

from troth.control.trust.found import Findings
from troth.control.trust.look import LOG, Look, Programme
from troth.control.trust.measures import weigh

COUNTED = timedelta(days=6)  # counters are kept 8 days; the oldest ones' messages are not asked for
_FACT: LiteralString = "SELECT * FROM row_fact_v1(%s, %s)"
_WORDS = {
    "overrides": "overrides of the list are not what two people approved",
    "releases": "stops or held messages were let go by no two people",
    "pauses told": "stops that the ledger was told of are not there",
    "revocations": "stopped versions are not those that the ledger was told of",
    "comments": "comments on changes are not those that the ledger was told of",
    "decisions": "proposals, approvals or what is in force are by others, or of another time, than the ledger was told",
    "anomalies told": "anomalies that the ledger was told of are not there as they were",
    "consents told": "consents or withdrawals are not those that the ledger was told of",
    "opt-ins told": "opt-outs were taken back, and the ledger was not told",
    "sessions told": "sessions began at another time than the ledger was told, or lack entries that it counted",
    "claims told": "states of claims are not what the ledger was told",
    "clients": "clients are of another programme, plan, kind or time zone than was approved",
    "links": "links were used after their end, or confirmed without what their way asks for",
    "keys": "keys may do another thing than was approved",
    "clients counted": "accepted messages were counted for no client",
    "keys counted": "accepted messages were counted for no key",
    "templates counted": "accepted messages were counted for no template",
}


def as_told(findings: Findings, look: Look, programme: Programme | None, *facts: str) -> None:
    """Each difference is a finding."""
    for fact in facts:
        window = COUNTED if fact.endswith(" counted") else LOG
        weigh(findings, look, look.counted(fact, _FACT, programme, window), fact, _WORDS[fact])
