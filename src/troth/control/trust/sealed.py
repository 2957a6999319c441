"""Claims: what was sealed still has its row: the newest batches' event hashes, and a stretch of older ones in turn.

Whoever deletes a message with its events and lowers the counts has left their hashes in a batch that the ledger seals.
A stretch in which something is gone is looked at again until it is there.
"""

from datetime import datetime

from troth.control.trust.found import Findings
from troth.control.trust.look import Look

_MOST = 40_000  # hashes of a stretch
_NEWEST = """
SELECT index, hashes, first_at, last_at FROM ledger_batch WHERE log_id = 1 ORDER BY index DESC LIMIT 500
"""
_FROM = """
SELECT index, hashes, first_at, last_at FROM ledger_batch WHERE log_id = 1 AND index >= %s ORDER BY index LIMIT 500
"""
_GONE = "SELECT count(*) FROM events_gone_v1(%s, %s, %s)"

type _Batch = tuple[int, bytes, datetime, datetime]


def rows(findings: Findings, look: Look, claim: str) -> None:
    """Adds what is gone; in what was seen, `sealed_from`: where the next check's stretch begins."""
    newest = _stretch(look, _NEWEST)
    gone = look.once("sealed newest", lambda: _gone(look, newest))
    start = int(look.remembered(claim).get("sealed_from", 0))
    older = [] if newest and newest[-1][0] <= _first(look) else _stretch(look, _FROM, start)
    lost = look.once(("sealed", start), lambda: _gone(look, older)) if older else 0
    findings.need(not gone + lost, f"{gone + lost} events that were sealed have no row any more, or another one")
    turned = not older or newest[-1][0] <= older[-1][0]
    findings.seen["sealed_from"] = start if lost else 0 if turned else older[-1][0] + 1


def _first(look: Look) -> int:
    with look.of(None) as connection:
        row = connection.execute("SELECT coalesce(min(index), 0) FROM ledger_batch WHERE log_id = 1").fetchone()
    return int(row[0]) if row else 0


def _stretch(look: Look, query: str, *given: int) -> list[_Batch]:
    """Batches up to a bound of hashes, one at least."""
    with look.of(None) as connection:
        found: list[_Batch] = connection.execute(query, given).fetchall()
    taken: list[_Batch] = []
    n = 0
    for one in found:
        if taken and n + len(one[1]) // 32 > _MOST:
            break
        taken.append(one)
        n += len(one[1]) // 32
    return taken


def _gone(look: Look, batches: list[_Batch]) -> int:
    if not batches:
        return 0
    hashes = [bytes(one[1][at : at + 32]) for one in batches for at in range(0, len(one[1]), 32)]
    between = min(one[2] for one in batches), max(one[3] for one in batches)
    with look.of(None) as connection:
        row = connection.execute(_GONE, (hashes, *between)).fetchone()
    return int(row[0]) if row else len(hashes)
