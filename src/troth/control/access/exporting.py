"""People with access, and every record: an export as CSV (RFC 4180) or JSON, page by page, each page a transaction of
its own, so that no snapshot of the database grows old however long somebody takes to read.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.http import StreamingHttpResponse

from troth.control.people import page_sessions
from troth.control.people.actor import Actor, scoped

BATCH = 1000  # rows of one transaction
FORMATS = ("csv", "json")
# what a spreadsheet would run as a formula when a cell begins with it (OWASP, CSV injection)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}

type Row = Mapping[str, Any]


class Ended(Exception):  # noqa: N818 - reads as what happened
    """Whoever asked for the export is not signed in any more: it stops where it is."""


def safe(value: Any) -> str:
    """A cell that no spreadsheet runs."""
    text = (
        json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str("" if value is None else value)
    )
    return f"'{text}" if text.startswith(_FORMULA) else text


def batches(actor: Actor, pages: Iterator[Sequence[Row]]) -> Iterator[Sequence[Row]]:
    """Each page in a transaction that sees what the actor may; raise Ended when they are not signed in any more."""
    while True:
        with transaction.atomic():
            scoped(actor.scope)
            if page_sessions.seen(actor.secret) is None:
                raise Ended
            found = next(pages, None)
        if found is None:
            return
        yield found


def answer(
    name: str, form: str, header: Sequence[str], pages: Iterable[Sequence[Row]], **about: Any
) -> StreamingHttpResponse:
    """A file to keep. `about`: what a JSON export says of itself, before its entries."""
    lines = _csv(header, pages) if form == "csv" else _json(about, pages)
    response = StreamingHttpResponse(lines, content_type=_TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="troth-{name}.{form}"'
    return response


def _csv(header: Sequence[str], pages: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    yield _lines([header])
    for page in pages:
        yield _lines([safe(each.get(name)) for name in header] for each in page)


def _lines(given: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(given)
    return buffer.getvalue().encode()


def _json(about: Mapping[str, Any], pages: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """One object, whose last member is the list of entries, a line each."""
    opening = "".join(f"{json.dumps(name)}: {json.dumps(value, default=str)},\n" for name, value in about.items())
    yield f'{{\n{opening}"entries": ['.encode()
    comma = ""
    for page in pages:
        for each in page:
            yield f"{comma}\n{json.dumps(dict(each), default=str, ensure_ascii=False)}".encode()
            comma = ","
    yield b"\n]}\n"
