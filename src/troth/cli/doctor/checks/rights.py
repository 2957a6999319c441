"""Around the house: doctor's check of rights: no role is more than it is; grants are the file's."""

import re
from typing import Any

import psycopg

from troth.cli.doctor.finding import Findings, ok, wrong
from troth.cli.doctor.patient import Patient, there
from troth.control.ownership import FUNCTIONS, RUNTIME_ROLES, TABLES
from troth.control.roles import MIGRATE, OWNER

_MIGRATE_FIX = "Run `troth migrate`, which sets all grants anew."
_PRIVILEGE = re.compile(r"([A-Z]+)(?: \(([a-z0-9_, ]+)\))?")
_ME = """
SELECT session_user::text, rolsuper, rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication,
       (SELECT bool_or(pg_has_role(session_user, oid, 'member')) FROM pg_roles WHERE rolname = %s),
       EXISTS (SELECT FROM pg_database WHERE datname = current_database() AND datdba = r.oid)
FROM pg_roles r WHERE rolname = session_user
"""
_GRANTS = """
SELECT c.relname, coalesce(g.rolname, 'PUBLIC'), x.privilege_type, NULL
FROM pg_class c CROSS JOIN aclexplode(c.relacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee
WHERE c.relnamespace = 'troth'::regnamespace AND x.grantee <> c.relowner
UNION ALL
SELECT c.relname, coalesce(g.rolname, 'PUBLIC'), x.privilege_type, a.attname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid CROSS JOIN aclexplode(a.attacl) x
LEFT JOIN pg_roles g ON g.oid = x.grantee
WHERE c.relnamespace = 'troth'::regnamespace AND x.grantee <> c.relowner
"""
_FUNCTIONS = """
SELECT p.oid::regprocedure::text, coalesce(g.rolname, 'PUBLIC')
FROM pg_proc p CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
LEFT JOIN pg_roles g ON g.oid = x.grantee
WHERE p.pronamespace = 'troth'::regnamespace AND x.grantee <> p.proowner
"""
_UNGUARDED = """
SELECT relname FROM pg_class
WHERE relnamespace = 'troth'::regnamespace AND NOT (relrowsecurity AND relforcerowsecurity) AND relname = ANY(%s)
"""
_TRIGGERS_OFF = """
SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'troth'::regnamespace AND t.tgenabled = 'D'
"""

Connection = psycopg.Connection[Any]


def look(patient: Patient) -> Findings:
    found = [finding for role in patient.reached.roles for finding in _power(patient, role)]
    with patient.connection("control") as connection:
        if there(connection, "installation"):
            found += [*_tables(connection), *_functions(connection), *_guards(connection)]
    yield from found
    if not found:
        yield ok("each role has its own rights and no more")


def _power(patient: Patient, role: str) -> Findings:
    with patient.connection(role) as connection:
        name, superuser, special, owner, database = connection.execute(_ME, (OWNER,)).fetchone() or ("", *[False] * 4)
    expected = f"troth_{role}"
    if superuser:
        yield wrong(f"{expected} connects as {name}, a superuser: no rule of the database binds it",
                    f"ALTER ROLE {name} NOSUPERUSER, or let the setting name {expected}.")  # fmt: skip
    elif name != expected:
        yield wrong(f"{expected} connects as {name}", f"Let the setting database_url_{role} name {expected}.")
    elif special:
        yield wrong(f"{name} may do more than it should (BYPASSRLS, CREATEROLE, CREATEDB or REPLICATION)",
                    f"ALTER ROLE {name} NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION.")  # fmt: skip
    elif (owner and name != MIGRATE) or database:
        yield wrong(f"{name} may act as an owner of the schema or the database", f"REVOKE {OWNER} FROM {name}.")


def _declared() -> set[tuple[str, str, str, str | None]]:
    return {
        (table.name, role, privilege, column)
        for table in TABLES
        for role, text in table.grants.items()
        for privilege, columns in _PRIVILEGE.findall(text)
        for column in (columns.split(", ") if columns else [None])
    }


def _tables(connection: Connection) -> Findings:
    roles = {*RUNTIME_ROLES, "PUBLIC"}
    live = {row for row in connection.execute(_GRANTS).fetchall() if row[1] in roles}
    declared = _declared()
    for word, differing in (("too much", live - declared), ("too little", declared - live)):
        if differing:
            yield wrong(f"{word} is granted: {_few(differing)}", _MIGRATE_FIX)


def _few(rows: set[tuple[str, str, str, str | None]]) -> str:
    texts = sorted(f"{privilege}{f' ({column})' if column else ''} on {table} to {role}"
                   for table, role, privilege, column in rows)  # fmt: skip
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")


def _functions(connection: Connection) -> Findings:
    roles = {*RUNTIME_ROLES, "PUBLIC"}
    live = {(_plain(name), role) for name, role in connection.execute(_FUNCTIONS).fetchall() if role in roles}
    declared = {(_plain(name), role) for name, callers in FUNCTIONS.items() for role in callers}
    for word, differing in (("too much", live - declared), ("too little", declared - live)):
        if differing:
            texts = sorted(f"{name.split('(')[0]} to {role}" for name, role in differing)
            yield wrong(f"{word} is granted: EXECUTE on {', '.join(texts[:3])}", _MIGRATE_FIX)


def _plain(name: str) -> str:
    """A function's signature however PostgreSQL or the file writes it."""
    return name.removeprefix("troth.").replace("timestamp with time zone", "timestamptz").replace(" ", "")


def _guards(connection: Connection) -> Findings:
    tenants = [table.name for table in TABLES if table.tenant]
    if bare := [name for (name,) in connection.execute(_UNGUARDED, (tenants,)).fetchall()]:
        yield wrong(f"row-level security is off on {', '.join(sorted(bare))}", _MIGRATE_FIX)
    if off := [name for (name,) in connection.execute(_TRIGGERS_OFF).fetchall()]:
        yield wrong(f"triggers are switched off on {', '.join(sorted(off))}",
                    "As the owner: ALTER TABLE ... ENABLE TRIGGER ALL; then ask who switched them off.")  # fmt: skip
