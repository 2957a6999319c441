"""Submission, reading: a request's body into memory, within limits of size, of time and of all bodies together."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.requests import Request

from troth.flow.submission.problem import Problem

_SECONDS = 60.0  # for one body to come in
_DRAIN = 64 * 1024 * 1024  # octets read and thrown away beyond the limit, so that a client hears the answer


@dataclass(slots=True)
class Budget:
    """Octets of all bodies being worked on in this process; beyond it the door says 503 rather than let memory grow."""

    most: int = 256 * 1024 * 1024
    held: int = 0

    @contextmanager
    def room(self) -> Iterator["Held"]:
        held = Held(self)
        try:
            yield held
        finally:
            self.held -= held.octets


@dataclass(slots=True)
class Held:
    """One request's share of the budget."""

    budget: Budget
    octets: int = 0

    def more(self, octets: int) -> None:
        if self.budget.held + octets > self.budget.most:
            raise Problem("overloaded", "Too many large requests are under way; send it again in a moment.")
        self.octets += octets
        self.budget.held += octets


async def read_json_body(request: Request, limit: int, held: Held) -> bytes:
    """The body of a request that says it is JSON."""
    _check_type(request)
    return await read_body(request, limit, held)


async def read_body(request: Request, limit: int, held: Held) -> bytes:
    """The whole body; Problem when it is too large, whatever Content-Length says, or too slow."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await _collect(request, limit, held)
    except TimeoutError:
        raise Problem("request-timeout", f"The body did not arrive within {_SECONDS:.0f} seconds.") from None


async def _collect(request: Request, limit: int, held: Held) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit + _DRAIN:
            break
        if size <= limit:
            held.more(len(chunk))
            chunks.append(chunk)
        else:
            chunks.clear()
    if size > limit:
        sentence = f"The body is larger than {limit} bytes; send fewer emails a request, or smaller attachments."
        raise Problem("body-too-large", sentence)
    return b"".join(chunks)


def _check_type(request: Request) -> None:
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    if media.strip().lower() != "application/json":
        sentence = "Send the body as JSON, with the header Content-Type: application/json."
        raise Problem("unsupported-media-type", sentence)
    charset = parameters.lower().partition("charset=")[2].partition(";")[0].strip(' "')
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise Problem("unsupported-media-type", "JSON is UTF-8 (RFC 8259, 8.1); send it so, without another charset.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem("unsupported-media-type", "Compressed bodies are not taken; send it without Content-Encoding.")
