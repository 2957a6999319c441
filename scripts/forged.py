"""Beside the river: letters that pretend, with real bodies: bounces, complaints and reports, for a mail server of ours.

    python scripts/forged.py --port 2525 --domain bounces.example --letters FOLDER [--kind bounce] [--count 1000]

Bounces go to return paths that nobody signed: random ones, well made ones with a wrong signature, and, of one that a
stranger has seen (--seen LOCAL), what comes of changing it: another message, a later end, another cell, a turned bit.
Complaints and reports go to fbl@ and dmarc@. Prints, as JSON, how many were answered how. None may change anything.
"""

import argparse
import base64
import json
import random
import smtplib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import time

ADDRESSES = {"complaint": "fbl", "report": "dmarc"}
_MAC, _EXPIRY, _ID = 15, 4, 16  # octets, as mail/tokens.py has them


def paths(rng: random.Random, seen: str = "") -> Iterator[str]:
    """Local parts of forged return paths, for ever."""
    made = [_random, _well_made]
    while True:
        yield rng.choice(made)(rng)
        if seen:
            yield changed(rng, seen)


def _random(rng: random.Random) -> str:
    return _local("a", rng.randbytes(_ID + _EXPIRY + _MAC))


def _well_made(rng: random.Random) -> str:
    """A message of now, an end a fortnight on; only the signature is nobody's."""
    at = int(time() * 1_000) - rng.randrange(86_400_000)
    message = at.to_bytes(6) + bytes([0x70 | rng.randrange(16), rng.randrange(256)])
    message += bytes([0x80 | rng.randrange(64)]) + rng.randbytes(7)
    return _local("a", message + (int(time()) + 1_209_600).to_bytes(_EXPIRY) + rng.randbytes(_MAC))


def changed(rng: random.Random, seen: str) -> str:
    """One good return path with something else in it, under its own signature."""
    raw = bytearray(base64.b32decode(seen[2:].upper()))
    which = rng.randrange(4)
    if which == 0:
        raw[:_ID] = rng.randbytes(_ID)
    elif which == 1:
        raw[_ID : _ID + _EXPIRY] = (int(time()) + rng.randrange(10_000_000, 90_000_000)).to_bytes(_EXPIRY)
    elif which == 2:
        return _local(rng.choice([c for c in "bcdefghij0123456789" if c != seen[1]]), bytes(raw))
    else:
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    return _local(seen[1].lower(), bytes(raw))


def _local(cell: str, raw: bytes) -> str:
    return f"b{cell}{base64.b32encode(raw).decode().lower()}"


def letters(folder: Path, rng: random.Random) -> Iterator[bytes]:
    """The folder's letters in any order, again and again, each time another one."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in (".eml", ".txt", ".msg")]
    if not files:
        raise SystemExit(f"There are no letters (*.eml, *.txt, *.msg) below {folder}: name a folder that has some.")
    while True:
        yield f"X-Copy: {rng.getrandbits(64):x}\r\n".encode() + rng.choice(files).read_bytes()


def wire(octets: bytes) -> bytes:
    """Every line ended by CRLF, as a mail server would send it."""
    return b"\r\n".join(octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))


def send(port: int, host: str, to: Iterator[str], bodies: Iterator[bytes], count: int) -> Counter[str]:
    """How each was answered: the reply's code at RCPT or after the letter."""
    answers: Counter[str] = Counter()
    there = None
    for n in range(count):
        if there is None or n % 50 == 0:
            there = _again(there, host, port)
        answers[_one(there, next(to), next(bodies))] += 1
    _again(there, host, port).quit()
    return answers


def _again(there: smtplib.SMTP | None, host: str, port: int) -> smtplib.SMTP:
    if there is not None:
        there.close()
    fresh = smtplib.SMTP(host, port, "forger.example", timeout=60)
    fresh.ehlo()
    return fresh


def _one(there: smtplib.SMTP, to: str, body: bytes) -> str:
    there.mail("")
    code, _ = there.rcpt(to)
    if code == 250:
        code, _ = there.data(wire(body))
    else:
        there.rset()
    return str(code)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--domain", required=True, help="the installation's return_path_domain")
    parser.add_argument("--kind", choices=("bounce", *ADDRESSES), default="bounce")
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--letters", type=Path, required=True, help="a folder of real bounces, complaints or reports")
    parser.add_argument("--seen", default="", help="the local part of a good return path, for bounces that change it")
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    rng = random.Random(args.seed)  # noqa: S311 - what is forged needs no secrets
    locals_ = paths(rng, args.seen) if args.kind == "bounce" else iter(lambda: ADDRESSES[args.kind], "")
    to = (f"{local}@{args.domain}" for local in locals_)
    answers = send(args.port, args.host, to, letters(args.letters, rng), args.count)
    print(json.dumps({"kind": args.kind, "sent": args.count, "answers": dict(sorted(answers.items()))}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
