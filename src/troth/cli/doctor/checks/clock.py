"""Around the house: doctor's check of the clock: this machine's, the database's, and the highest it has ever been."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import troth
from troth.cli.doctor.finding import Findings, ok, wrong
from troth.cli.doctor.patient import NotAsked, Patient, there

_SKEW = 2.0  # seconds between this machine and the database
_KERNEL_SKEW = 60.0
_BEHIND = timedelta(seconds=1)
_NTP = "Set the clock right (`timedatectl set-ntp true`, chrony)"
_PROC = Path("/proc")
_ASK = """
SELECT clock_timestamp(), now_v1(), (SELECT high_water FROM clock_mark), created_at, clock_offset, mode
FROM installation
"""


def look(patient: Patient) -> Findings:
    found = list(_machine(patient))
    yield from found
    try:
        asked = list(_database(patient))
    except NotAsked:
        if not found:
            yield ok("the machine's clock is plausible; the database's cannot be asked")
        return
    yield from asked
    if not found and not asked:
        yield ok("the machine's clock, the database's and the highest mark agree")


def _machine(patient: Patient) -> Findings:
    """What can be seen without a database: a clock before things that were there, or unlike the kernel's."""
    now = time.time()
    newest = max((_changed(path) for path in _landmarks(patient)), default=0.0)
    if newest > now + 60:
        shown = datetime.fromtimestamp(newest, UTC)
        yield wrong(f"the clock says {_shown(now)}, and files here are from {shown:%Y-%m-%d %H:%M} UTC", f"{_NTP}.")
    kernel = _kernel()
    if kernel is not None and abs(kernel - now) > _KERNEL_SKEW:
        yield wrong(f"programs are told {_shown(now)}, and the kernel's clock is {_span(abs(kernel - now))} away",
                    "Run Troth without what changes its clock (libfaketime).")  # fmt: skip


def _landmarks(patient: Patient) -> list[Path]:
    return [Path(troth.__file__ or __file__), patient.settings.key_path, patient.run_dir / "supervisor.lock"]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _kernel() -> float | None:
    """The kernel's own clock, which no library in between can change."""
    try:
        stat = (_PROC / "stat").read_text()
        up = float((_PROC / "uptime").read_text().split()[0])
        return float(next(line for line in stat.splitlines() if line.startswith("btime ")).split()[1]) + up
    except (OSError, ValueError, StopIteration):
        return None


def _database(patient: Patient) -> Findings:
    with patient.connection("control") as connection:
        if not there(connection, "installation"):
            raise NotAsked
        before = time.time()
        row = connection.execute(_ASK).fetchone()
        after = time.time()
    if row is None:
        raise NotAsked
    clock, now, mark, created, offset, mode = row
    yield from _skew(clock.timestamp(), (before + after) / 2, after - before)
    if mark is not None and mark - now > _BEHIND:
        yield wrong(
            f"the clock stands {_span((mark - now).total_seconds())} behind the highest mark ({_utc(mark)}): "
            "nothing is sent until then",
            f"{_NTP}, if it is behind. If it is right and was once ahead: `troth pause clock --reason TEXT` stops "
            "everything; when two people have released that stop, the mark is the time of their release.",
        )
    if created - clock > _BEHIND:
        yield wrong(
            f"the clock is before this installation was made ({_utc(created)})", f"{_NTP} where the database runs."
        )
    if offset and mode == "production":
        yield wrong("a production database has a moved clock", "Restore it from a backup: the database forbids this.")


def _skew(database: float, here: float, trip: float) -> Findings:
    apart = database - here
    if abs(apart) > _SKEW + trip:
        word = "ahead of" if apart > 0 else "behind"
        yield wrong(f"the database's clock is {_span(abs(apart))} {word} this machine's ({_shown(here)})",
                    f"{_NTP} on the one that is wrong.")  # fmt: skip


def _shown(moment: float) -> str:
    return _utc(datetime.fromtimestamp(moment, UTC))


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"
