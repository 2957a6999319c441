"""A client firm's program: sends at a steady rate, asks again with the same Idempotency-Key until it is answered 2xx,
and keeps its own list of what was promised to it.
"""

import asyncio
import contextlib
import itertools
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field

PATIENCE = 12.0  # seconds for one answer


class NoAnswer(Exception):
    """The connection failed: whether the request was accepted is not known."""


class Http:
    """One kept connection, HTTP/1.1, no more than the door needs."""

    def __init__(self, port):
        self.port = port
        self.reader = self.writer = None

    async def ask(self, method, path, headers, body=b""):
        """(status, headers, body); NoAnswer when the connection failed first."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._ask(method, path, headers, body)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self.close()
            raise NoAnswer(type(error).__name__) from error

    async def _ask(self, method, path, headers, body):
        if self.writer is None or self.writer.is_closing():
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"{method} {path} HTTP/1.1", "host: door", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        told = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:] if line)}
        content = await self.reader.readexactly(int(told.get("content-length", 0)))
        if told.get("connection", "").lower() == "close":
            self.close()
        return int(head[0].split(" ")[1]), told, content

    def close(self):
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    async def end(self):
        """Close, and wait until the socket is gone."""
        writer, self.writer = self.writer, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@dataclass
class Client:
    """`promised`: marker -> API id, of each 2xx answer. `batch`: emails in every second request."""

    port: int
    key: str
    sender: str
    people: tuple[str, ...]
    rate: float
    lanes: int = 24
    batch: int = 6
    dice: random.Random = field(default_factory=random.Random)
    promised: dict[str, str] = field(default_factory=dict)
    statuses: Counter = field(default_factory=Counter)
    without_wait: int = 0  # 503s that did not say when to come again
    refusals: list[str] = field(default_factory=list)
    asked_again: int = 0
    asked: set[str] = field(default_factory=set)
    promised_at: list[float] = field(default_factory=list)
    stopping: bool = False
    _number: itertools.count = field(default_factory=itertools.count)
    _lanes: list = field(default_factory=list)
    _began: float = 0.0

    def start(self):
        self._began = time.monotonic()
        self._lanes = [asyncio.create_task(self._lane(n)) for n in range(self.lanes)]

    async def finish(self):
        """No new requests; returns when each one that was made has its 2xx."""
        self.stopping = True
        await asyncio.gather(*self._lanes)

    async def _lane(self, lane):
        http = Http(self.port)
        while not self.stopping:
            if len(self.asked) > (time.monotonic() - self._began) * self.rate:
                await asyncio.sleep(0.01)
                continue
            await self.send(http, self.batch if self.dice.random() < 0.5 else 1)
        await http.end()

    async def send(self, http, count):
        """One request with `count` emails, until it is answered 2xx; the API ids."""
        markers = [f"m{next(self._number):07d}" for _ in range(count)]
        self.asked.update(markers)
        emails = [self.email(marker) for marker in markers]
        path, content = ("/emails/batch", emails) if count > 1 else ("/emails", emails[0])
        ids = await self._insist(http, path, json.dumps(content).encode(), f"key-{markers[0]}")
        assert len(ids) == count, f"{count} asked, {len(ids)} answered"
        self.promised.update(zip(markers, ids, strict=True))
        self.promised_at += [time.monotonic()] * count
        return ids

    def email(self, marker):
        """What is asked for; the marker is in the subject that comes of it."""
        to, variables = self.dice.choice(self.people), {"name": marker}
        return {"from": self.sender, "to": to, "template": {"id": "reminder", "variables": variables}}

    async def _insist(self, http, path, body, key):
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json", "idempotency-key": key}
        pause = 0.05
        while True:
            try:
                status, told, content = await http.ask("POST", path, headers, body)
            except NoAnswer as error:
                self.statuses[str(error)] += 1
            else:
                self.statuses[status] += 1
                if status == 200:
                    answer = json.loads(content)
                    return [one["id"] for one in answer["data"]] if "data" in answer else [answer["id"]]
                if status != 503:
                    self.refusals.append(f"{status} {content[:300]!r}")
                self.without_wait += status == 503 and not told.get("retry-after", "").isdigit()
            self.asked_again += 1
            await asyncio.sleep(pause * self.dice.uniform(0.5, 1.0))
            pause = min(1.0, pause * 2)
