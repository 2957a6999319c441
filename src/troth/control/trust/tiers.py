"""Claims: the tier that each table of the running database carries, the comment on it, beside the declared one.

A partition has its parent's. What an extension brought, and what ends with its session, is not ours to say.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from troth.control import roles
from troth.control.audit.scope import Connection

TIERS = ("Public", "Internal", "Confidential", "Restricted")
_HOME = "troth"
_TABLES = """
SELECT n.nspname, c.relname, obj_description(c.oid, 'pg_class')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""
_LOOSE = """
SELECT c.relname, pg_partition_root(c.oid)::regclass::text FROM pg_class c
WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f') AND obj_description(c.oid, 'pg_class') IS NOT NULL
  AND obj_description(c.oid, 'pg_class') IS DISTINCT FROM obj_description(pg_partition_root(c.oid), 'pg_class')
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Carried:
    """A table and what its comment says; `table` without the schema where it is ours."""

    table: str
    comment: str | None


def carried(connection: Connection) -> tuple[list[Carried], list[str]]:
    """Every table that keeps something, and the partitions that say another tier than their table does."""
    rows = connection.execute(_TABLES).fetchall()
    found = [Carried(name if home == _HOME else f"{home}.{name}", comment) for home, name, comment in rows]
    return found, [f"{part}, a part of {table}, says a tier of its own" for part, table in connection.execute(_LOOSE)]


def wrong(found: list[Carried]) -> Iterator[str]:
    """What carries no tier or another than is declared, and what is declared and gone."""
    declared = roles.tiers()
    for each in found:
        if each.comment not in TIERS:
            yield f"{each.table} carries none of the four tiers"
        elif each.table not in declared:
            yield f"{each.table} says {each.comment}, and nobody declared it"
        elif each.comment != declared[each.table]:
            yield f"{each.table} says {each.comment}, and {declared[each.table]} is declared"
    gone = declared.keys() - {each.table for each in found}
    yield from (f"{table} is declared and not there" for table in sorted(gone))
