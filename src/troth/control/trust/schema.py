"""Claims: what the running database says of itself: tables, constraints, triggers, functions, grants, policies, roles.

Read once a check from PostgreSQL's own catalogues, which every role may read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from troth.control.audit.scope import Connection
from troth.control.trust import shape, shipped

_RELATIONS = """
SELECT c.relname, c.relkind::text, pg_get_userbyid(c.relowner), c.relrowsecurity, c.relforcerowsecurity,
       EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND c.relkind IN ('r', 'p')),
       (SELECT p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent WHERE i.inhrelid = c.oid),
       c.relpersistence::text
FROM pg_class c WHERE c.relnamespace = 'troth'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, NULL), a.attnotnull
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'troth'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS = """
SELECT c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated AND NOT EXISTS (
           SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled NOT IN ('O', 'A'))
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = 'troth'::regnamespace
"""
_TRIGGERS = """
SELECT c.relname, t.tgname, t.tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'troth'::regnamespace AND NOT t.tgisinternal AND t.tgparentid = 0
"""
_CLONES = """
SELECT c.relname, t.tgname, t.tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'troth'::regnamespace AND NOT t.tgisinternal AND t.tgparentid <> 0
"""
_FUNCTIONS = """
SELECT p.proname, p.prosrc, l.lanname, p.prosecdef, coalesce(p.proconfig, '{}'), pg_get_userbyid(p.proowner),
       ARRAY(SELECT coalesce(nullif(x.grantee, 0)::regrole::text, 'public')
             FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x WHERE x.grantee <> p.proowner)
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = 'troth'::regnamespace
"""
_GRANTS = """
SELECT c.relname, coalesce(nullif(x.grantee, 0)::regrole::text, 'public'), x.privilege_type, NULL
FROM pg_class c, aclexplode(c.relacl) x
WHERE c.relnamespace = 'troth'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND x.grantee <> c.relowner
UNION ALL
SELECT c.relname, coalesce(nullif(x.grantee, 0)::regrole::text, 'public'), x.privilege_type, a.attname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) x
WHERE c.relnamespace = 'troth'::regnamespace AND NOT a.attisdropped AND x.grantee <> c.relowner
"""
_ROLES = """
SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
       ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = r.oid)
FROM pg_roles r WHERE rolname LIKE 'troth%'
"""
# whoever made a role may only give it away (PostgreSQL 16 on: neither of the two); before, every member acts as it
_MEMBERS = """
SELECT m.member::regrole::text, m.roleid::regrole::text FROM pg_auth_members m
WHERE starts_with(m.roleid::regrole::text, 'troth')
  AND (coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
       OR coalesce((to_jsonb(m) ->> 'set_option')::boolean, true))
ORDER BY 1, 2
"""
_CHILDREN = """
SELECT i.inhparent::regclass::text, i.inhrelid::regclass::text
FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_class c ON c.oid = i.inhrelid
WHERE p.relnamespace = 'troth'::regnamespace AND c.relkind IN ('r', 'p', 'f') AND NOT (
    c.relispartition AND c.relkind = 'r' AND c.relnamespace = p.relnamespace)
UNION ALL
SELECT h.inhparent::regclass::text, x.indexrelid::regclass::text -- a partition's own index that refuses rows
FROM pg_index x JOIN pg_inherits h ON h.inhrelid = x.indrelid JOIN pg_class p ON p.oid = h.inhparent
WHERE p.relnamespace = 'troth'::regnamespace AND x.indisunique
  AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = x.indexrelid)
"""
_SETTINGS = """
SELECT coalesce(nullif(setrole, 0)::regrole::text, 'every role'), unnest(setconfig) FROM pg_db_role_setting
WHERE setdatabase = 0 OR setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL
SELECT 'every role', name || '=' || setting FROM pg_settings
WHERE name = 'session_replication_role' AND setting <> 'origin'
"""
_PARAMETERS = """
SELECT coalesce(nullif(x.grantee, 0)::regrole::text, 'every role'), p.parname, x.privilege_type
FROM pg_parameter_acl p, aclexplode(p.paracl) x
"""
_SCHEMA = "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'troth'"


@dataclass(frozen=True, slots=True)
class Relation:
    """`kind` as pg_class.relkind; `parent`: whose partition it is."""

    name: str
    kind: str
    owner: str
    secured: bool
    forced: bool
    rules: bool
    parent: str | None
    persistence: str


@dataclass(frozen=True, slots=True)
class Column:
    type: str
    not_null: bool


@dataclass(frozen=True, slots=True)
class Live:
    """A function as it stands."""

    body: str
    language: str
    definer: bool
    config: tuple[str, ...]
    owner: str
    callers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    superuser: bool
    bypasses: bool
    makes_roles: bool
    makes_databases: bool
    replicates: bool
    member_of: list[str]


type Grant = tuple[str, str, str | None]  # role, privilege, column


@dataclass(slots=True)
class Schema:
    """The schema `troth` as it stands. `triggers`: (table, name) -> tgenabled; partitions' are `clones`."""

    relations: dict[str, Relation] = field(default_factory=dict)
    columns: dict[str, dict[str, Column]] = field(default_factory=dict)
    constraints: dict[str, set[str]] = field(default_factory=dict)
    loose: dict[str, set[str]] = field(default_factory=dict)  # constraints that are there and not enforced
    triggers: dict[tuple[str, str], str] = field(default_factory=dict)
    clones: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    functions: dict[str, list[Live]] = field(default_factory=dict)
    grants: dict[str, set[Grant]] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    members: list[tuple[str, str]] = field(default_factory=list)  # who may act as which role of ours
    children: list[tuple[str, str]] = field(default_factory=list)  # table, what is of it and was not shipped
    settings: list[tuple[str, str]] = field(default_factory=list)
    parameters: list[tuple[str, str, str]] = field(default_factory=list)  # role, parameter, SET or ALTER SYSTEM
    lines: shape.Lines = field(default_factory=dict)
    owner: str = ""

    def partitions(self, table: str) -> list[Relation]:
        return [each for each in self.relations.values() if each.parent == table]


def read(connection: Connection) -> Schema:
    """All of it, in one transaction."""
    made = Schema()
    with connection.transaction():
        _tables(made, connection)
        _code(made, connection)
        _rights(made, connection)
        made.lines = shape.live(connection)
    return made


def _rows(connection: Connection, query: str) -> Iterable[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


def _tables(made: Schema, connection: Connection) -> None:
    made.relations = {row[0]: Relation(*row) for row in _rows(connection, _RELATIONS)}
    for table, column, kind, not_null in _rows(connection, _COLUMNS):
        made.columns.setdefault(table, {})[column] = Column(kind, not_null)
    for table, name, definition, enforced in _rows(connection, _CONSTRAINTS):
        if enforced:
            made.constraints.setdefault(table, set()).add(shipped.condition(definition))
        else:
            made.loose.setdefault(table, set()).add(name)
    made.children = [(table.rpartition(".")[2], child) for table, child in _rows(connection, _CHILDREN)]


def _code(made: Schema, connection: Connection) -> None:
    made.triggers = {(table, name): enabled for table, name, enabled in _rows(connection, _TRIGGERS)}
    for table, name, enabled in _rows(connection, _CLONES):
        made.clones.setdefault(table, set()).add((name, enabled))
    for name, body, language, definer, config, owner, callers in _rows(connection, _FUNCTIONS):
        live = Live(body, language, definer, tuple(config), owner, frozenset(callers))
        made.functions.setdefault(name, []).append(live)


def _rights(made: Schema, connection: Connection) -> None:
    for table, role, privilege, column in _rows(connection, _GRANTS):
        made.grants.setdefault(table, set()).add((role, privilege, column))
    made.roles = {row[0]: Role(*row) for row in _rows(connection, _ROLES)}
    made.members = [(member, role) for member, role in _rows(connection, _MEMBERS)]
    made.settings = [(role, setting) for role, setting in _rows(connection, _SETTINGS)]
    made.parameters = [(role, name, what) for role, name, what in _rows(connection, _PARAMETERS)]
    made.owner = next(iter(_rows(connection, _SCHEMA)))[0]
