"""Feedback: a form's octets, as far as they are few and come soon."""

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

_SECONDS = 20.0  # for the few octets of a form
_FIELDS = 1_100  # a switch and its state for each category, and some


async def body(request: Request, most: int) -> bytes | None:
    """None when there are more octets than `most`, or they come too slowly."""
    read = b""
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                read += chunk
                if len(read) > most:
                    return None
    except (TimeoutError, ClientDisconnect):
        return None
    return read


async def form(request: Request, most: int) -> dict[str, list[str]] | None:
    """An urlencoded form's fields; None for what is none."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    given = await body(request, most) if media == "application/x-www-form-urlencoded" else None
    try:
        pairs = parse_qsl((given or b"").decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        return None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return None if given is None else found
