"""Before the bench's river: the client firm's program: POST /emails, each with one recipient, over kept connections.

    python -m tests.bench.load --port P --key-file F --sender S --size 2k --first 0 --count 5000 [--rate R] [--batch B]

With --batch above 1 it is POST /emails/batch, so many emails in each.

It prepares every request, prints `ready`, begins at a line on its standard input, and prints what came of it as JSON.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from itertools import batched
from pathlib import Path
from typing import cast

import uvloop
from tests.bench import words


class Lane(asyncio.Protocol):
    """One kept connection: the next request as soon as the last one is answered."""

    def __init__(self, load: "Load") -> None:
        self.load, self.buffer = load, b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        at = head.index(b"content-length:") + 15
        length = int(head[at:].split(b"\r\n", 1)[0])
        if len(self.buffer) < end + 4 + length:
            return
        status, answer = int(head[9:12]), self.buffer[end + 4 :]
        self.buffer = b""
        self.load.answered(self, status, answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.lost(exc)


class Load:
    """All of one run. `rate` is in requests a second; without it as fast as the lanes go."""

    def __init__(self, requests: deque[bytes], rate: float | None) -> None:
        self.requests, self.rate, self.all = requests, rate, len(requests)
        self.statuses: Counter[int] = Counter()
        self.refusal = ""
        self.idle: list[Lane] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.began = 0.0

    def answered(self, lane: Lane, status: int, answer: bytes) -> None:
        self.statuses[status] += 1
        if status != 200 and not self.refusal:
            self.refusal = answer.decode(errors="replace")
        if self.statuses.total() == self.all:
            self.done.set_result(None)
        else:
            self.send(lane)

    def send(self, lane: Lane) -> None:
        if not self.requests:
            return
        if self.rate is not None and self.all - len(self.requests) > (time.monotonic() - self.began) * self.rate:
            self.idle.append(lane)
            return
        lane.transport.write(self.requests.popleft())

    def lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(f"The door closed a connection: {exc}"))

    async def run(self, lanes: list[Lane]) -> None:
        self.began = time.monotonic()
        for lane in lanes:
            self.send(lane)
        while not self.done.done():
            if self.idle:
                waiting, self.idle = self.idle, []
                for lane in waiting:
                    self.send(lane)
            await asyncio.wait([self.done], timeout=0.005 if self.rate is not None else 60)
        await self.done


def request(options: argparse.Namespace, key: str, numbers: Sequence[int]) -> bytes:
    emails = [words.body(options.size, number, options.sender) for number in numbers]
    path, content = ("/emails", emails[0]) if options.batch == 1 else ("/emails/batch", b"[" + b",".join(emails) + b"]")
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{options.port}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\naccept: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def work(options: argparse.Namespace) -> int:
    key = options.key_file.read_text().strip()
    numbers = range(options.first, options.first + options.count)
    requests = deque(request(options, key, some) for some in batched(numbers, options.batch))
    count, rate = len(requests), options.rate / options.batch if options.rate else None
    load = Load(requests, rate)
    loop = asyncio.get_running_loop()
    lanes = [
        (await loop.create_connection(lambda: Lane(load), "127.0.0.1", options.port))[1] for _ in range(options.lanes)
    ]
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    trouble = ""
    try:
        await load.run(lanes)
    except ConnectionError as error:
        trouble = str(error)
    told = {"began": load.began, "ended": time.monotonic(), "statuses": dict(load.statuses)}
    print(json.dumps({**told, "trouble": trouble or load.refusal}), flush=True)
    return 0 if load.statuses == {200: count} else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.load")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--sender", required=True)
    parser.add_argument("--size", choices=words.SIZES, required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--lanes", type=int, default=32)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rate", type=float)
    return uvloop.run(work(parser.parse_args()))


if __name__ == "__main__":
    raise SystemExit(main())
