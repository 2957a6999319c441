"""The command line's manners: one sentence for an error, tables that line up, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID


class CommandError(Exception):
    """What a command cannot do, in one sentence that says what to do instead."""


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, UUID | datetime):
        return str(value)
    raise TypeError(type(value).__name__)


def as_json(value: object) -> str:
    return json.dumps(value, default=_plain, indent=2, ensure_ascii=False)


def show(value: Any, *, json_wanted: bool, text: Iterable[str]) -> None:
    """Print the value as JSON, or the lines made for people."""
    print(as_json(value) if json_wanted else "\n".join(text))


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of a table whose columns are as wide as they need."""
    lines = [tuple(heads), *(tuple("" if cell is None else str(cell) for cell in row) for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def warn(sentence: str) -> None:
    print(f"troth: {sentence}", file=sys.stderr)


def tell(sentence: str) -> None:
    """What is being done just now; on standard error, so that a command's answer stays by itself."""
    print(f"  {sentence}", file=sys.stderr, flush=True)
