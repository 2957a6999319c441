"""Claims: what each column of the database holds (columns.toml), and whether anything in it can be read."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from troth.control.trust import shipped
from troth.control.trust.schema import Schema

# What can hold words. Numbers, times, ids and switches cannot hold more than they say.
_WORDS = re.compile(r"(?:text|bytea|json|jsonb|character varying|character|name|xml|hstore|tsvector)(?:\[\])?")
CLASSES = ("sealed-1", "sealed-2", "wrapped", "digest", "alias", "public", "governed", "ledger", "words")
ALIAS = "@people.invalid"
_LEAST = 12  # bytes: below that nothing can be said
_PRINTED = 0.95  # share of characters that show something; of ciphertext's octets it is 0.4


@cache
def columns() -> Mapping[str, Mapping[str, str]]:
    """Table -> column -> class."""
    found = tomllib.loads(files("troth.control.trust").joinpath("columns.toml").read_text(encoding="utf-8"))
    for table, there in found.items():
        for column, kind in there.items():
            if kind not in CLASSES:
                raise ValueError(f"columns.toml: {table}.{column} is {kind}, which is none of {', '.join(CLASSES)}.")
    return found


def of_class(*kinds: str) -> Iterator[tuple[str, str, str]]:
    """(table, column, class) of these classes."""
    for table, there in columns().items():
        yield from ((table, column, kind) for column, kind in there.items() if kind in kinds)


def unlisted(schema: Schema) -> Iterator[str]:
    """Columns that could hold words and of which nothing is said."""
    for table, there in sorted(schema.columns.items()):
        relation = schema.relations[table]
        if relation.parent is None:
            for name, column in sorted(there.items()):
                if _WORDS.fullmatch(column.type) and name not in columns().get(table, {}):
                    yield f"nobody has said what {table}.{name} holds"


def unfenced(schema: Schema) -> Iterator[str]:
    """Sealed columns without the constraint on their version byte."""
    for table, column, kind in of_class("sealed-1", "sealed-2"):
        if table in schema.columns:
            wanted = f"CHECK get_byte({column}, 0) = {kind[-1]}"
            if shipped.condition(wanted) not in schema.constraints.get(table, set()):
                yield f"{table} has lost its constraint: {column} is ciphertext"
            if column not in schema.columns[table]:
                yield f"{table}.{column} is gone"


def readable(data: bytes) -> bool:
    """Whether octets look like text (UTF-8, of any language), version byte aside: no ciphertext does."""
    text = data[1:].decode(errors="replace")
    shown = sum(sign.isprintable() or sign in "\t\r\n" for sign in text if sign != "\ufffd")
    return len(data) > _LEAST and shown >= _PRINTED * len(text)
