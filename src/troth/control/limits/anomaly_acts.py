"""Around the river: a person's look at what the watch found, which is the review that the policy's clock asks for."""

from uuid import UUID

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection, within

LONGEST = 2000  # characters of what somebody writes
_LOOK = "SELECT anomaly_look_v1(%s, %s, %s)"


def look(connection: Connection, session: bytes, tenant: UUID, anomaly: UUID, words: str) -> None:
    """Record it, with its entry of the ledger. Raise Refused without words, a right to, or an open anomaly."""
    if len(words) > LONGEST:
        raise Refused(f"That is {len(words):,} characters; {LONGEST:,} are the most.")
    with refusals(), within(connection, tenant):
        connection.execute(_LOOK, (anomaly, words.strip(), session))
