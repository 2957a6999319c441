"""Along the bench's river: the rows beside the plain one: what a long snapshot and two million suppressions cost.

Each is measured as the plain row is, in bursts at full speed that take turns with plain ones on the same platform.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

import psycopg
from tests.bench.ground import Ground
from tests.bench.measure import Run, drained, ours

OLD = 120.0  # seconds that the snapshot is open before its first burst
PACE = 0.5  # of the plain rate, while it grows old
_FILL = """
INSERT INTO suppression (blind_index, reason, source, created_at)
SELECT sha256(convert_to('bench ' || n, 'UTF8')) AS made, 1, 'bench', now() FROM generate_series(1, %s) AS n ORDER BY made
"""


@dataclass(frozen=True, slots=True)
class Row:
    """Messages a second, medians, and the one by the other. `bursts`: every figure, plain ones first."""

    plain_per_s: float
    row_per_s: float
    bursts: tuple[tuple[float, ...], tuple[float, ...]]

    @property
    def ratio(self) -> float:
        return self.row_per_s / self.plain_per_s


def row(plain: list[Run], special: list[Run]) -> Row:
    figures = tuple(run.per_s for run in plain), tuple(run.per_s for run in special)
    return Row(median(figures[0]), median(figures[1]), figures)


def snapshot(ground: Ground, count: int, rounds: int, say: Callable[[str], None], old: float = OLD) -> Row:
    """Bursts with a REPEATABLE READ transaction open for `old` seconds, in which mail went on at a steady pace."""
    plain = [ours(ground, "2k", count) for _ in range(rounds)]
    pace = median(run.per_s for run in plain) * PACE
    with _open_snapshot(ground) as opened:
        say(f"A snapshot is open; for {old:g} s mail goes on at {pace:.0f} messages a second.")
        steady = ours(ground, "2k", max(1, int(pace * old)), pace)
        time.sleep(max(0.0, opened + old - time.monotonic()))
        say(f"It is {time.monotonic() - opened:.0f} s old; the pace was kept at {steady.per_s:.0f} a second.")
        special = [ours(ground, "2k", count) for _ in range(rounds)]
        say(f"It was open for {time.monotonic() - opened:.0f} s.")
    plain += [ours(ground, "2k", count) for _ in range(rounds)]
    return row(plain, special)


@contextmanager
def _open_snapshot(ground: Ground) -> Iterator[float]:
    """Yields when it was taken; it must still be open at the end, else the row would mean nothing."""
    with psycopg.connect(**ground.conninfo(), options="-c search_path=troth") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        before = connection.execute("SELECT count(*) FROM spool").fetchone()
        yield time.monotonic()
        assert connection.execute("SELECT count(*) FROM spool").fetchone() == before


def suppressions(ground: Ground, count: int, rounds: int, say: Callable[[str], None], many: int = 2_000_000) -> Row:
    """Bursts with so many suppressions on the list, in turn with bursts without."""
    plain, special = [], []
    for _ in range(rounds):
        plain.append(ours(ground, "2k", count))
        _fill(ground, many)
        say(f"{ground.one('SELECT count(*) FROM suppression'):,} addresses are suppressed.")
        special.append(ours(ground, "2k", count))
        _empty(ground)
    return row(plain, special)


def _fill(ground: Ground, many: int) -> None:
    """Put in past the triggers: each real one is fed to other cells too, which is not what is measured here."""
    drained(ground)
    with ground.admin() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(_FILL, (many,))
        connection.execute("VACUUM ANALYZE suppression")
        connection.execute("CHECKPOINT")


def _empty(ground: Ground) -> None:
    with ground.admin() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("TRUNCATE suppression")
        connection.execute("ANALYZE suppression")
        connection.execute("CHECKPOINT")
