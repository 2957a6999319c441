"""A webhook receiver for tests: a real HTTP server on loopback that keeps what came and behaves as it is told."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Got:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def type(self):
        return self.json["type"]


@dataclass
class Receiver:
    """`answer(got)` gives (status, headers, body); or a manner: "hang", "gigabyte", "close", "rubbish", "slow-head"."""

    answer: object = (200, {}, b"ok")
    got: list[Got] = field(default_factory=list)
    taken: list[Got] = field(default_factory=list)  # those that were answered with a 2xx
    connections: int = 0
    now: int = 0
    most: int = 0
    delay: float = 0.0
    gate: asyncio.Event | None = None

    async def start(self, host="127.0.0.1", ssl=None):
        self.server = await asyncio.start_server(self._serve, host, 0, ssl=ssl)
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http{'s' if ssl else ''}://{host}:{self.port}/hook"
        self.tasks = set()
        return self

    async def stop(self):
        self.server.close()
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        self.connections += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self._one(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.now -= 1
            self.tasks.discard(task)
            writer.close()

    async def _one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        got = Got(first.split()[1], headers, body)
        self.got.append(got)
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(self.delay)
        answer = self.answer(got) if callable(self.answer) else self.answer
        await (self._manner(answer, writer) if isinstance(answer, str) else self._plain(answer, got, writer))

    async def _plain(self, answer, got, writer):
        status, headers, body = answer
        if 200 <= status < 300:
            self.taken.append(got)
        lines = [f"HTTP/1.1 {status} X", *(f"{n}: {v}" for n, v in headers.items()), f"Content-Length: {len(body)}"]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()

    async def _manner(self, manner, writer):
        if manner == "hang":
            await asyncio.sleep(600)
        elif manner == "rubbish":
            writer.write(b"220 mail.example ESMTP\r\n")
            await writer.drain()
        elif manner == "slow-head":
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                writer.write(b"X-More: 1\r\n")
                await writer.drain()
                await asyncio.sleep(0.02)
        elif manner == "endless-head":
            while True:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 500)
                await writer.drain()
        elif manner.startswith("gigabyte"):
            status = manner.partition("-")[2] or "200"
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 1073741824\r\n\r\n".encode())
            self.sent = 0
            while self.sent < 1 << 30:
                writer.write(b"x" * 65536)
                self.sent += 65536
                await writer.drain()

    def by_message(self, taken=True):
        """The types that came of each message, in order of their first coming."""
        found = {}
        for each in self.taken if taken else self.got:
            types = found.setdefault(each.json["data"]["troth"]["message"], [])
            if each.type not in types:
                types.append(each.type)
        return found

    def ids(self):
        return Counter(each.id for each in self.taken)
