"""Audits: what the ledger was told of promises within a period, each telling with what its control saw then.

The entry holds the hash of what was seen; the words are kept beside the ledger. Words that were altered or are not kept
any more, make no evidence: that is said, and nothing is handed out in their place.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from troth.control.audit.scope import Connection
from troth.control.audits.ledgers import rows
from troth.control.audits.period import CannotBundle, Entries, Period
from troth.control.trust.look import Programme
from troth.ledger.trust_check import TOLD

_SEEN = "SELECT entry, evidence FROM troth.claim_history WHERE entry = ANY(%s)"
# from before each row of the history knew its entry
_EARLIER = """
SELECT claim, programme_id, evidence FROM troth.claim_history
WHERE entry IS NULL AND checked_at >= %s AND checked_at < %s
"""

type Telling = dict[str, Any]
type Told = tuple[int, str, Mapping[str, str]]  # index, leaf, its fields


def history(connection: Connection, programme: Programme, period: Period, found: Entries) -> list[Telling]:
    """Of this programme's promises and the installation's, in their order; raise CannotBundle."""
    told = _told(programme, found)
    hashed = {index: sha256(b"\x00" + leaf.encode()).digest() for index, leaf, _ in told}
    seen = {bytes(entry): evidence for entry, evidence in rows(connection, _SEEN, list(hashed.values()))}
    earlier = _earlier(connection, period) if len(seen) < len(told) else {}
    return [_telling(index, each, seen.get(hashed[index], earlier.get(_name(each)))) for index, _, each in told]


def _told(programme: Programme, found: Entries) -> list[Told]:
    named = ((index, leaf, json.loads(leaf)) for index, leaf in found.shown if f'"{TOLD}"' in leaf)
    owners = ("", str(programme.id))
    return [each for each in named if each[2]["kind"] == TOLD and each[2]["programme"] in owners]


def _earlier(connection: Connection, period: Period) -> dict[tuple[str, ...], str]:
    found = rows(connection, _EARLIER, period.begins, period.ends)
    return {(claim, str(owner or ""), _hash(evidence)): evidence for claim, owner, evidence in found}


def _name(fields: Mapping[str, str]) -> tuple[str, ...]:
    return fields["claim"], fields["programme"], fields["evidence"]


def _telling(index: int, fields: Mapping[str, str], evidence: str | None) -> Telling:
    what = f"What was seen at the entry {index}, of {fields['claim']},"
    if evidence is None:
        raise CannotBundle(f"{what} is not kept any more: ask for a later period.")
    if _hash(evidence) != fields["evidence"]:
        raise CannotBundle(f"{what} was altered: `troth verify` says more.")
    return {"entry": index, "at": fields["at"], "claim": fields["claim"], "programme": fields["programme"],
            "state": fields["state"], "evidence": evidence}  # fmt: skip


def _hash(evidence: str) -> str:
    return sha256(evidence.encode()).hexdigest()
