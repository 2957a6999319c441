"""Loads the store's named queries; the text of each lives in sql/*.sql with the reason for its shape beside it."""

import re
from importlib import resources

_NAME = re.compile(r"^-- name: (?P<name>[a-z_0-9]+)$", re.MULTILINE)


def load(file: str) -> dict[str, bytes]:
    """The queries of sql/FILE.sql by name, as bytes, which psycopg takes where a literal string is wanted."""
    text = (resources.files("troth.store") / "sql" / f"{file}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    names = parts[::2]
    if len(set(names)) != len(names):
        raise ValueError(f"sql/{file}.sql names a query twice")
    return {name: body.strip().rstrip(";").encode() for name, body in zip(names, parts[1::2], strict=True)}


def files() -> tuple[str, ...]:
    """The names of all files of queries."""
    found = (resources.files("troth.store") / "sql").iterdir()
    return tuple(sorted(f.name.removesuffix(".sql") for f in found if f.name.endswith(".sql")))
