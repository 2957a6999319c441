"""After the bench's river: the next hop as a process of its own: it counts what it takes and keeps every octet.

Beside the counter (a mapped file: count, and when the last one came) lies one file of all messages, to be verified
when the clock has stopped: `length octets`, one after the other. STARTTLS and AUTH as the demo's mailbox has them.
"""

import argparse
import asyncio
import mmap
import signal
import struct
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import uvloop
from tests.support.sink import Sink

from troth.cli.demo.mailbox import NAMES, server_context
from troth.cli.demo.tls import make_local_certificate

COUNTER = struct.Struct("<qd")
_LENGTH = struct.Struct("<I")


class Shelf:
    """What `tests.support.sink` asks of a store; only octets and their number matter here."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        counter = folder / "counter"
        counter.write_bytes(bytes(COUNTER.size))
        with counter.open("r+b") as file:
            self._counter = mmap.mmap(file.fileno(), COUNTER.size)
        self._messages = (folder / "messages").open("ab", buffering=1 << 20)
        self._count = 0

    def keep(self, content: bytes, _sender: str, _recipients: Sequence[str], _reply: str | None) -> None:
        self._messages.write(_LENGTH.pack(len(content)))
        self._messages.write(content)
        self._count += 1
        COUNTER.pack_into(self._counter, 0, self._count, time.monotonic())

    def note(self, *_words: Any) -> None:
        """A refusal; the bench's recipients are never refused."""

    def flush(self) -> None:
        self._messages.flush()


def counted(folder: Path) -> tuple[int, float]:
    """How many, and when the last one came (time.monotonic)."""
    count, at = COUNTER.unpack((folder / "counter").read_bytes())
    return count, at


def messages(folder: Path) -> Iterator[bytes]:
    """Every message, in the order in which it came."""
    with (folder / "messages").open("rb") as file:
        while head := file.read(_LENGTH.size):
            yield file.read(_LENGTH.unpack(head)[0])


async def serve(options: argparse.Namespace) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    shelf = Shelf(options.dir)
    loop.add_signal_handler(signal.SIGUSR1, shelf.flush)
    context = server_context(make_local_certificate(options.tls_dir, NAMES))
    password = options.password_file.read_text("utf-8").strip()
    sink = Sink(
        cast("Any", shelf), context, user=options.user, password=password
    )  # what it asks of a store, the shelf has
    await sink.start("127.0.0.1", options.port)
    await stop.wait()
    await sink.stop()
    shelf.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench.sink")
    for name in ("dir", "tls-dir", "password-file"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user", required=True)
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
