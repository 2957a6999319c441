"""The six races, each so many times with several worker processes: `make races` (ROUNDS=10000 WORKERS=4 ONLY=pause).

Prints what came of each, and ends with 0 only if nothing went wrong and each was a race: both sides won now and then.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.races import doors, marks, moves
from tests.races.ground import Ground, claimed, ground, people

MARKS: tuple[marks.Race, ...] = ("suppression", "pause", "cancel")
DOORS: tuple[doors.Race, ...] = ("limit", "idempotency", "moves")
SAYS = {
    "suppression": "sent, though suppressed before the mark began",
    "limit": "recipients who got one more than the limit, or fewer than there was room for",
    "idempotency": "keys that made more or less than one email",
    "moves": "recipients with one more than the limit in a day, or a day whose count is not its messages",
    "pause": "sent, though paused before the mark began",
    "cancel": "both sent and cancelled, or neither",
}
_DEAR = {"moves": 10}  # a round of it is some twenty transactions, so there are fewer
_SPAWN = multiprocessing.get_context("spawn")
_LONGEST = 3600.0  # seconds for one race


@dataclass(frozen=True)
class Line:
    race: str
    rounds: int
    workers: int
    seconds: float
    told: str
    wrong: int
    raced: bool

    def __str__(self) -> str:
        verdict = "ok" if not self.wrong and self.raced else "NOT A RACE" if not self.wrong else "WRONG"
        return (
            f"{self.race:<12} {self.rounds:>7,} rounds  {self.workers} processes  {self.seconds:>7.1f} s  {verdict:<10} "
            f"{self.wrong} {SAYS[self.race]}; {self.told}"
        )


def main(words: list[str]) -> int:
    """0: all is well; 1: something went wrong; 2: the two sides did not meet, so that nothing was shown."""
    asked = argparse.ArgumentParser(prog="make races")
    asked.add_argument("--rounds", type=int, default=10_000)
    asked.add_argument("--workers", type=int, default=4)
    asked.add_argument("--only", choices=SAYS, action="append")
    asked.add_argument("--break", dest="broken", choices=MARKS, help="take away what the mark sees: must be found")
    given = asked.parse_args(words)
    chosen = given.only or list(SAYS)
    lines = []
    with ground() as at:
        if given.broken:
            _break(at, given.broken)
        for race in chosen:
            lines.append(_run(at, race, given.rounds, given.workers))
            print(lines[-1], flush=True)
    if any(line.wrong for line in lines):
        return 1
    return 0 if all(line.raced for line in lines) else 2


def _run(at: Ground, race: str, rounds: int, workers: int) -> Line:
    began = time.monotonic()
    rounds = max(1, rounds // _DEAR.get(race, 1))
    made: Any = _marks(at, race, rounds, workers) if race in MARKS else _doors(at, race, rounds, workers)
    seconds = time.monotonic() - began
    if isinstance(made, marks.Outcome):
        raced = made.overlapped > 0 and 0 < made.sent < made.rounds
        told = f"{made.sent:,} sent, {made.stopped:,} stopped, {made.overlapped:,} overlapped"
    else:
        raced = made.refused > 0
        told = f"{made.asked:,} asked at once, {made.taken:,} taken, {made.refused:,} not"
    return Line(race, made.rounds, _pairs(workers) * 2 if race in MARKS else workers, seconds, told, made.wrong, raced)


def _pairs(workers: int) -> int:
    return max(1, workers // 2)


def _marks(at: Ground, race: Any, rounds: int, workers: int) -> marks.Outcome:
    """Each pair has a client of its own: one's pause is not another's."""
    pairs = _pairs(workers)
    seen: list[marks.Seen] = []
    changed: list[marks.Seen] = []
    jobs, told = [], _SPAWN.Queue()
    for n in range(pairs):
        firm = at.firm(f"{race}{n}")
        mine = [marks.Round(m, e, i, firm.tenant) for m, e, i in claimed(at, firm, _share(rounds, pairs, n))]
        barrier = _SPAWN.Barrier(2)
        for which in ("mark", "change"):
            args = (race, f"{which} {n}", at.database.conninfo(), mine, barrier, told)
            jobs.append((f"{which} {n}", args))
    for name, answers in sorted(_together(marks.side, jobs, told), key=lambda one: one[0]):  # pair by pair
        (seen if name.startswith("mark") else changed).extend(answers)
    return marks.judge(race, seen, changed)


def _share(rounds: int, parts: int, n: int) -> int:
    return rounds // parts + (n < rounds % parts)


def _doors(at: Ground, race: Any, rounds: int, workers: int) -> doors.Outcome:
    limits = {} if race == "idempotency" else {"recipient_template_day": doors.LIMIT}
    firm = at.firm(f"{race}", **limits)
    addresses = people(at, firm, rounds)
    (sealed,) = at.operator.admin.execute("SELECT secrets_ct FROM installation").fetchone()
    told = doors.Told(at.database.conninfo(), str(at.operator.kms_path), firm.key_hash, bytes(sealed))
    barrier, answers = _SPAWN.Barrier(workers), _SPAWN.Queue()
    jobs = [(n, (race, n, told, addresses, barrier, answers)) for n in range(workers)]
    side = moves.door if race == "moves" else doors.door
    given = [each for _, each in sorted(_together(side, jobs, answers), key=lambda one: one[0])]
    indexes = [firm.index(address) for address in addresses]
    if race == "moves":
        return moves.judge(given, moves.on_disk(at.database.conninfo(), firm, indexes))
    return doors.judge(race, given, doors.on_disk(at.database.conninfo(), firm.tenant, indexes))


def _together(target: Callable[..., None], jobs: list[Any], told: Any) -> Iterator[tuple[Any, Any]]:
    """Runs each job in a process of its own; what each said, in the order of the jobs."""
    processes = [_SPAWN.Process(target=target, args=args) for _, args in jobs]
    for process in processes:
        process.start()
    try:
        said = [told.get(timeout=_LONGEST) for _ in jobs]
    finally:
        for process in processes:
            process.join(10)
            if process.is_alive():
                process.kill()
    for name, answers in said:
        if isinstance(answers, str):
            raise SystemExit(f"A process of the race ended early: {name}: {answers}")
    yield from said


def _break(at: Ground, race: str) -> None:
    """Makes the change one that nobody sees, so that a race that cannot fail would show itself."""
    function = {"suppression": "suppress_v1", "pause": "pause_v1"}.get(race)
    if function is None:
        at.operator.admin.execute(
            "CREATE FUNCTION troth.race_keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        )
        at.operator.admin.execute(
            "CREATE TRIGGER race_keep BEFORE DELETE ON troth.spool FOR EACH ROW EXECUTE FUNCTION troth.race_keep()"
        )
        return
    table = {"suppression": "suppression", "pause": "pause"}[race]
    at.operator.admin.execute(
        "CREATE FUNCTION troth.race_lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    )
    at.operator.admin.execute(
        f"CREATE TRIGGER race_lose BEFORE INSERT ON troth.{table} FOR EACH ROW EXECUTE FUNCTION troth.race_lose()"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
