"""Evidence, counted: are the hourly counts of events that pages and claims show those of the event rows themselves?

Counts only grow. They are read before the event rows and after them: what is counted before is among the rows then,
and what is among the rows is counted after. An hour in which nothing happens meanwhile is compared exactly, and one in
which something does raises no false alarm.
"""

from collections import Counter
from datetime import datetime
from uuid import UUID

from troth.control.ledger.report import Report
from troth.control.ledger.rows import Connection
from troth.ledger.verify import Found

MOST = 500_000  # hours of a kind of a client that are held in memory: about 150 MB

_MANY = "SELECT count(*) FROM (SELECT FROM event_tally LIMIT %s) AS t"
# What is sealed goes from the line into the counts in one transaction, so that one statement sees all once.
_READ = """
SELECT tenant_id, hour, kind, coalesce(sum(n), 0)::bigint FROM (
    SELECT tenant_id, hour, kind, n FROM event_tally UNION ALL
    SELECT u.* FROM event_pending AS p, unnest(p.tally_tenant, p.tally_hour, p.tally_kind, p.tally_n) AS u) AS counted
GROUP BY 1, 2, 3
"""

type _Place = tuple[UUID, datetime, int]  # client, UTC hour, kind


class Counts:
    """One comparison: made before the event rows are read, told each of them, checked after."""

    def __init__(self, connection: Connection) -> None:
        self._seen: Counter[_Place] = Counter()
        self.compared = connection.execute(_MANY, (MOST + 1,)).fetchall()[0][0] <= MOST
        self._before = _read(connection) if self.compared else {}

    def row(self, tenant: UUID, at: datetime, kind: int) -> None:
        """One event row is there."""
        if self.compared:
            self._seen[tenant, at.replace(minute=0, second=0, microsecond=0), kind] += 1

    def check(self, connection: Connection, report: Report) -> None:
        """Raise Found for the first count that is not the rows'."""
        if not self.compared:
            report.said.append("Counts: more than can be held in memory; event_tally was not compared with the events.")
            return
        after = _read(connection)
        for place in self._before.keys() | self._seen.keys() | after.keys():
            low, seen, high = (counted.get(place, 0) for counted in (self._before, self._seen, after))
            if not low <= seen <= high:
                raise Found(_sentence(place, seen, low if low > seen else high))


def _read(connection: Connection) -> dict[_Place, int]:
    return {(tenant, hour, kind): n for tenant, hour, kind, n in connection.execute(_READ).fetchall()}


def _sentence(place: _Place, seen: int, counted: int) -> str:
    tenant, hour, kind = place
    return (
        f"event_tally (and what waits in the line) counts {counted} events of the kind {kind} of the client {tenant} "
        f"in the hour of {hour}, and there are {seen}"
    )
