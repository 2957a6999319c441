"""Around the house: the rules that stand beside the migrations: legal steps of a message, row-level security, who
may do what, tiers, grants.

They are written anew at every upgrade, in short transactions, and only where they differ from what is there: a policy
or a CHECK needs a table to itself for a moment, and whoever waits for that keeps all others waiting.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import psycopg

from troth.control import roles
from troth.control.pipeline import transitions

_STEPS_MARK = "SELECT obj_description(to_regprocedure('troth.refuse_step()'), 'pg_proc')"
_POLICY_MARKS = """
SELECT c.relname, obj_description(p.oid, 'pg_policy')
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = 'troth'::regnamespace AND p.polname = 'own_tenant'
  AND c.relrowsecurity AND c.relforcerowsecurity
"""
_TIERS = """
SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
WHERE relnamespace = 'troth'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""
_PERMISSIONS = "SELECT profile, action, scope, role, second, named FROM troth.permission"


def transactions(owner: psycopg.Connection[Any]) -> Iterator[list[str]]:
    """Each list is one transaction, to be run before the next is asked for."""
    yield from _steps(owner)
    marks = dict(owner.execute(_POLICY_MARKS).fetchall())
    for table, statements in roles.policies():
        mark = _mark(statements)
        if marks.get(table) != mark:
            yield [*statements, f"COMMENT ON POLICY own_tenant ON troth.{table} IS '{mark}'"]
    if set(owner.execute(_PERMISSIONS).fetchall()) != roles.permission_rows():
        yield list(roles.permission_statements())
    said = dict(owner.execute(_TIERS).fetchall())
    for table, tier in roles.tiers().items():
        if said.get(table) != tier:
            yield [f"COMMENT ON TABLE troth.{table} IS '{tier}'"]
    yield list(roles.grant_statements())
    yield ["SELECT make_partitions_v1()"]


def _steps(owner: psycopg.Connection[Any]) -> Iterator[list[str]]:
    """A CHECK is validated in a transaction after its own, with a lock that stops nobody."""
    statements = list(transitions.statements())
    mark = _mark(statements)
    if owner.execute(_STEPS_MARK).fetchone() == (mark,):
        return
    yield [statement for statement in statements if " VALIDATE " not in statement]
    for statement in statements:
        if " VALIDATE " in statement:
            yield [statement]
    yield [f"COMMENT ON FUNCTION troth.refuse_step() IS '{mark}'"]


def _mark(statements: list[str]) -> str:
    return hashlib.sha256("\n".join(statements).encode()).hexdigest()[:16]
