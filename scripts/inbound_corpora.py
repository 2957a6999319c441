"""Every letter of the shared corpora through the inbound server: `python scripts/inbound_corpora.py [--every N]`.

Makes a database of its own with a firm and its messages, starts `troth serve inbound`, and brings each letter to each
kind of address: the return path and the opt-out of a message of ours, loops, reports, abuse, security, postmaster.
Prints the answers, times and memory; ends with 1 for an uncaught error, a p99 over 200 ms or more than 150 MB.
"""

import argparse
import json
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support import postgres, seeding
from tests.support.firm import make_firm, make_operator, now
from tests.support.own_dns import OwnDns

from troth.keys.installation import Purpose
from troth.mail.own_link import mail_address
from troth.mail.tokens import make_token, verp_make
from troth.outside.postgres import Server, find

BAR_MS, BAR_MB = 200, 150
DOMAIN = "bounces.example"
CORPORA = Path(__file__).resolve().parents[1].parent / "shared" / "corpora"
PATH, WRITER = "return path", "ann@example.net"  # notifications have no reverse path, people have one
MESSAGES = 200  # of ours, that letters are about
_LETTERS = 80  # in one connection
_NAMED = ("fbl", "dmarc", "tlsrpt", "abuse", "security", "postmaster")


@dataclass(slots=True)
class Seen:
    """answers: by kind of address and reply code; taken: milliseconds of a letter, from MAIL to the last answer."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    taken: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    put_off: list[str] = field(default_factory=list)  # answered by 4xx
    slow: list[str] = field(default_factory=list)
    largest: float = 0.0  # MB, the server's process with its children

    @property
    def p99(self) -> float:
        return quantiles(self.taken, n=100)[98] if len(self.taken) > 1 else 0.0

    @property
    def p50(self) -> float:
        return quantiles(self.taken, n=2)[0] if len(self.taken) > 1 else 0.0


def letters(every: int = 1) -> list[Path]:
    """Each file of the corpora, or one of `every`."""
    return sorted(path for path in CORPORA.rglob("*") if path.is_file())[::every]


def addresses(operator: Any, messages: Sequence[UUID]) -> Iterator[dict[str, str]]:
    """For one letter after the other: an address of each kind, about a message of ours in turn."""
    ends = now() + timedelta(days=20)
    verp, stop = (operator.secrets.token_keys(each)[0] for each in (Purpose.VERP, Purpose.UNSUBSCRIBE))
    named = {name: f"{name}@{DOMAIN}" for name in _NAMED}
    while True:
        for message in messages:
            token = make_token(stop, "unsubscribe", message.bytes, ends)
            path = f"{verp_make(verp, message, ends, 'a')}@{DOMAIN}"
            yield {PATH: path, "opt-out": mail_address(token, DOMAIN), **named}


def bring(port: int, files: Iterable[Path], to: Iterator[dict[str, str]], process: "subprocess.Popen[bytes]") -> Seen:
    """One letter after the other, each to each address, some in each connection."""
    seen = Seen()
    asked = ((path, kind, address) for path in files for kind, address in next(to).items())
    while some := list(islice(asked, _LETTERS)):
        with _Line("127.0.0.1", port, timeout=60) as there:
            for path, kind, address in some:
                _one(there, seen, path, kind, address)
        seen.largest = max(seen.largest, memory(process.pid))
    return seen


class _Line(smtplib.SMTP):
    """A connection that may be begun anew."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self.ours = host, port
        super().__init__(host, port, timeout=timeout)


def _one(there: _Line, seen: Seen, path: Path, kind: str, address: str) -> None:
    octets = _lines(path.read_bytes())
    begun = time.perf_counter()
    code = _sent(there, "" if kind == PATH else WRITER, address, octets)
    seen.taken.append(1000 * (time.perf_counter() - begun))
    seen.answers[kind, code] += 1
    if seen.taken[-1] >= BAR_MS:
        seen.slow.append(f"{path.name} to {kind}: {seen.taken[-1]:.0f} ms")
    if 400 <= code < 500:
        seen.put_off.append(f"{path.name} to {kind}: {code}")
    if code == 0:
        seen.lost.append(f"{path.name} to {kind}")
        there.close()
        there.connect(*there.ours)


def _lines(octets: bytes) -> bytes:
    """As SMTP carries it: CRLF, no NUL's or bare ends of line."""
    return octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def _sent(there: smtplib.SMTP, sender: str, address: str, octets: bytes) -> int:
    """The last reply's code; 0 where the connection broke."""
    try:
        code, _ = there.mail(sender, ["BODY=8BITMIME"]) if there.ehlo_resp or there.ehlo() else (0, b"")
        code = code if code >= 400 else there.rcpt(address)[0]
        code = code if code >= 400 else there.data(octets)[0]
        if code >= 400:
            there.rset()
    except smtplib.SMTPDataError as refused:
        return int(refused.smtp_code)
    except (OSError, smtplib.SMTPException):
        return 0  # the connection broke
    return code


def memory(pid: int) -> float:
    """MB of proportional set size of a process and its children."""
    found = [pid, *_children(pid)]
    return sum(_pss(each) for each in found) / 1024


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


@contextmanager
def serving(operator: Any, folder: Path, resolver: str) -> Iterator[tuple[int, "subprocess.Popen[bytes]", Path]]:
    """`troth serve inbound` on a free port: the port, the process, its log. resolver: whom it asks for DKIM keys."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where, log = operator.database.conninfo("troth_flow"), folder / "inbound.log"
    env = {
        **os.environ,
        "TROTH_DATABASE_URL_FLOW": f"postgresql://troth_flow@/{where['dbname']}?host={quote(where['host'], safe='')}",
        "TROTH_MODE": "test",
        "TROTH_VAR_DIR": str(folder),
        "TROTH_KEY_FILE": str(operator.kms_path),
        "TROTH_INBOUND_PORT": str(port),
        "TROTH_RETURN_PATH_DOMAIN": DOMAIN,
        "TROTH_DNS_RESOLVERS": resolver,
    }
    with log.open("wb") as out:
        command = [sys.executable, "-m", "troth.cli", "serve", "inbound"]
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=out, stderr=out)  # noqa: S603 - our own words
        try:
            _listening(port, process, log)
            yield port, process, log
        finally:
            process.terminate()
            process.wait(timeout=30)


def _listening(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(log.read_text(errors="replace"))
        try:
            smtplib.SMTP("127.0.0.1", port, timeout=20).quit()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the inbound server does not listen")


def uncaught(log: Path) -> list[str]:
    """Lines of the server's log that speak of an error."""
    lines = log.read_text(errors="replace").splitlines()
    return [
        line[:300] for line in lines if "Traceback" in line or '"level": "error"' in line or '"level":"error"' in line
    ]


def sent(operator: Any, firm: Any, n: int) -> list[UUID]:
    """Identifiers of messages of ours that were sent."""
    seeding.people(firm, 20)
    seeding.messages(firm, n, real=n)
    return [one for (one,) in operator.admin.execute("SELECT id FROM message ORDER BY id DESC LIMIT %s", (n,))]


@contextmanager
def _ground() -> Iterator[tuple[Any, Path]]:
    """A durable server and a migrated database with an operator; all of it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="troth-inbound-", dir="/tmp"))  # where PostgreSQL's account reaches it
    folder.chmod(0o711)
    chosen = os.environ.get("TROTH_PG_BIN")
    try:
        with Server(folder / "pg", find(Path(chosen) if chosen else None)) as server:
            asked = json.dumps([server.conninfo(), server.conninfo("troth_migrate", "inbound")])
            subprocess.run([sys.executable, "-c", postgres._PREPARE, asked], check=True)  # noqa: S603, SLF001 - as the tests do
            with psycopg.connect(**server.conninfo("troth_flow", "inbound"), autocommit=True) as flow:
                flow.execute("SELECT troth.make_partitions_v1()")
            database = postgres.Database(server, "inbound")
            yield make_operator(database), folder
            for connection in database.opened:
                connection.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _resolver(given: str | None) -> Iterator[str]:
    if given:
        yield given
        return
    own = OwnDns({})
    try:
        yield own.address
    finally:
        own.stop()


def told(seen: Seen, errors: Sequence[str]) -> int:
    """Print it; 1 if a bar is not held."""
    for (kind, code), n in sorted(seen.answers.items()):
        print(f"{kind:>12} {code or 'lost'}: {n:,}")
    print(
        f"{len(seen.taken):,} letters; p50 {seen.p50:.0f} ms, p99 {seen.p99:.0f} ms, longest {max(seen.taken):.0f} ms"
    )
    print(
        f"largest memory {seen.largest:.0f} MB (PSS); uncaught errors {len(errors)}; connections lost {len(seen.lost)}"
    )
    print(f"put off {len(seen.put_off)}; slower than {BAR_MS} ms {len(seen.slow)}")
    print("\n".join([*errors[:10], *seen.lost[:10], *seen.put_off[:10], *seen.slow[:10]]))
    return int(bool(errors or seen.lost) or seen.p99 >= BAR_MS or seen.largest >= BAR_MB)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only one letter of so many")
    parser.add_argument("--resolver", help="host:port of a DNS resolver; none: one of our own, that knows no name")
    args = parser.parse_args(arguments)
    with _ground() as (operator, folder), _resolver(args.resolver) as resolver:
        messages = sent(operator, make_firm(operator), MESSAGES)
        with serving(operator, folder, resolver) as (port, process, log):
            seen = bring(port, letters(args.every), addresses(operator, messages), process)
            return told(seen, uncaught(log))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
