"""Around the house: what a restored installation may not do by itself: send. A message that waited when the backup was
taken may have gone out since, and whoever opted out since is not in the backup.

In the transaction that loads: everything is paused, and what may have been sent is marked as such, so that a worker
tells it as `uncertain` and the category's policy decides. Two people lift the pause.
"""

from dataclasses import dataclass

from troth.cli.backup.catalogue import Connection
from troth.cli.words import CommandError

WAITING = ("policy", "expire")
_STARTED_BY = "command:restore"
_PAUSE = "SELECT (pause_v1(ARRAY[NULL]::uuid[], 'stop-delivery', %s, %s))[1]::text"
# 4 is sending. Not what is due later: nobody has sent that. Not what is held for review, due when its life ends.
_MARK = """
UPDATE spool SET state = 4, token = token + 1, attempts = attempts + (state <> 4)::int,
    due = CASE WHEN %(expire)s THEN lifetime_ends ELSE due END
WHERE state IN (3, 4) OR state IN (2, 7) AND due <= now_v1()
   OR state = 10 AND due <= now_v1() AND lifetime_ends > now_v1()
"""
_LEFT = "SELECT count(*) FROM spool"
_ENTRY = """
SELECT ledger_append_v1(ARRAY['backup:database:restore'], ARRAY[NULL]::uuid[],
    ARRAY[leaf_json(ARRAY['backup', 'pause', 'taken', 'uncertain', 'waiting'], %s::text[])])
"""


@dataclass(frozen=True, slots=True)
class Held:
    """`pause`: its id. `uncertain`: messages that may have been sent; `later`: those that wait for a time to come."""

    pause: str
    uncertain: int
    later: int


def hold(connection: Connection, taken: str, digest: str, waiting: str) -> Held:
    """Pause all, mark the uncertain, and write both into the ledger."""
    reason = f"Restored from the backup of {taken}: what waited then may have been sent since."
    row = connection.execute(_PAUSE, (reason, _STARTED_BY)).fetchone()
    if row is None or row[0] is None:
        raise CommandError("The restored installation could not be paused: nothing was changed.")
    uncertain = connection.execute(_MARK, {"expire": waiting == "expire"}).rowcount
    left = connection.execute(_LEFT).fetchone()
    assert left is not None
    connection.execute(_ENTRY, ([digest, row[0], taken, str(uncertain), waiting],))
    return Held(row[0], uncertain, left[0] - uncertain)
