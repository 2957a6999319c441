"""Claims: columns, constraints, triggers, policies and functions' heads as shipped (shape.txt), line by line.

PostgreSQL writes both sides, so no word of a condition is lost; `scripts/gen_shape.py` writes the file from a new
database, and a test compares. Functions' bodies: shipped.py. Of indexes those that refuse a row are told: an operator
may add others.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from troth.control.audit.scope import Connection

_LINES = """
SELECT c.relname, 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
       || CASE a.attidentity WHEN '' THEN '' ELSE ' identity ' || a.attidentity::text END
       || coalesce(CASE WHEN a.attgenerated = '' THEN ' DEFAULT ' ELSE ' GENERATED ' END
                   || pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = 'troth'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT c.relname, 'constraint ' || c.relname || ' ' || pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = 'troth'::regnamespace AND NOT c.relispartition AND k.contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
SELECT c.relname, 'trigger ' || c.relname || ' ' || pg_get_triggerdef(t.oid)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'troth'::regnamespace AND NOT t.tgisinternal AND t.tgparentid = 0
UNION ALL
SELECT c.relname, 'unique ' || c.relname || ' ' || pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = 'troth'::regnamespace AND NOT c.relispartition AND i.indisunique AND i.indisvalid
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
UNION ALL
SELECT tablename, format('policy %s %s %s %s %s USING %s CHECK %s', tablename, policyname, lower(permissive),
    lower(cmd), array_to_string(ARRAY(SELECT r FROM unnest(roles) AS r ORDER BY 1), ','), qual, with_check)
FROM pg_policies WHERE schemaname = 'troth'
UNION ALL
SELECT p.proname || '()', format('function %s(%s) %s %s%s', p.proname, pg_get_function_arguments(p.oid),
    pg_get_function_result(p.oid),
    CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
    CASE WHEN p.proisstrict THEN ' strict' ELSE '' END
    || CASE WHEN p.proleakproof THEN ' leakproof' ELSE '' END)
FROM pg_proc p WHERE p.pronamespace = 'troth'::regnamespace
"""
_QUOTED = re.compile(r"('(?:[^']|'')*')")
# a dump and its restore write casts in other places
_CAST = re.compile(
    r"::(?:\"?\w+\"?\.)?(?:character varying|timestamp with time zone|double precision|\w+)(?:\(\d+\))?(?:\[\])?"
)
_BARE = re.compile(r"(?<![\w\"])\(([\w.\"]+|\x00\d+\x00|ARRAY\[[^()\[\]]*\])\)")

_TRIGGER = re.compile(r"TRIGGER (\w+) .* EXECUTE FUNCTION troth\.(\w+)")

type Lines = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Trigger:
    """`row`: FOR EACH ROW, so that each partition has its own."""

    name: str
    function: str
    row: bool


def live(connection: Connection) -> Lines:
    """Table, or function with "()" -> its lines, as they stand; names are with their schema but the catalogue's."""
    found: dict[str, set[str]] = {}
    with connection.transaction():
        connection.execute("SET LOCAL search_path = pg_catalog")
        rows = connection.execute(_LINES).fetchall()
    for name, line in rows:
        found.setdefault(name, set()).add(plain(line))
    return {name: frozenset(lines) for name, lines in found.items()}


@cache
def shipped() -> Lines:
    """The same, of this version."""
    found: dict[str, set[str]] = {}
    text = files("troth.control.trust").joinpath("shape.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        kind, rest = line.split(" ", 1)
        name = re.split(r"[ .(]", rest, maxsplit=1)[0]
        found.setdefault(f"{name}()" if kind == "function" else name, set()).add(line)
    return {name: frozenset(lines) for name, lines in found.items()}


@cache
def triggers(table: str) -> tuple[Trigger, ...]:
    """Those that a table was shipped with."""
    lines = (line for line in sorted(shipped().get(table, ())) if line.startswith("trigger "))
    read = ((_TRIGGER.search(line), "FOR EACH ROW" in line) for line in lines)
    return tuple(Trigger(found[1], found[2], row) for found, row in read if found)


def plain(line: str) -> str:
    """In one line, without casts and the brackets that they leave; what is quoted stays as it is."""
    quoted: list[str] = []

    def aside(match: re.Match[str]) -> str:
        quoted.append(match[0])
        return f"\0{len(quoted) - 1}\0"

    said = _CAST.sub("", " ".join(_QUOTED.sub(aside, line).split()))
    while (shorter := _BARE.sub(r"\1", said)) != said:
        said = shorter
    return re.sub(r"\x00(\d+)\x00", lambda place: quoted[int(place[1])].replace("\n", "\\n"), said)


def differences(there: Lines, name: str) -> Iterator[str]:
    """What a table or a function lacks of its shape, and what it has more."""
    own, wanted = there.get(name, frozenset()), shipped().get(name, frozenset())
    yield from (f"{_head(line)} is not as shipped, or gone" for line in sorted(wanted - own))
    heads = {_head(line) for line in wanted - own}
    yield from (f"{_head(line)} was not shipped" for line in sorted(own - wanted) if _head(line) not in heads)


def _head(line: str) -> str:
    """What a line is about, in a few words."""
    kind, name, rest = (*line.split(" ", 2), "")[:3]
    if kind == "trigger":
        found = re.search(r"TRIGGER (\w+)", rest)
        return f"the trigger {found[1] if found else '?'} of {name}"
    if kind == "policy":
        return f"the policy {rest.split(' ')[0]} of {name}"
    if kind in ("constraint", "unique"):
        return f"the {'constraint' if kind == 'constraint' else 'unique index'} of {name}: {rest}"
    return f"the {kind} {name.partition('(')[0]}"
