"""Turns what ownership says into SQL: roles at set-up, grants and row-level security after every migration."""

from collections.abc import Iterator

from troth.control.ownership import CONTROL, FLOW, FUNCTIONS, LEDGER, RUNTIME_ROLES, TABLES, Table
from troth.control.people.permissions import permissions

OWNER, MIGRATE = "troth_owner", "troth_migrate"
LOGIN_ROLES = (*RUNTIME_ROLES, MIGRATE)
_TENANT = "nullif(current_setting('troth.tenant', true), '')::uuid"


def role_statements() -> Iterator[str]:
    """What the set-up account runs once; each statement may be run again."""
    for role in (OWNER, *LOGIN_ROLES):
        # troth_migrate has no power until it says SET ROLE troth_owner, which only an upgrade does
        login = "NOLOGIN" if role == OWNER else "LOGIN NOINHERIT" if role == MIGRATE else "LOGIN"
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
            f"CREATE ROLE {role} {login} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS; END IF; END $$"
        )
    yield f"GRANT {OWNER} TO {MIGRATE}"


def database_statements(database: str) -> Iterator[str]:
    """What the set-up account runs once inside the new database."""
    yield f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC'
    yield f'GRANT CONNECT ON DATABASE "{database}" TO {", ".join(LOGIN_ROLES)}'
    yield "REVOKE ALL ON SCHEMA public FROM PUBLIC"
    yield f"CREATE SCHEMA IF NOT EXISTS troth AUTHORIZATION {OWNER}"
    # a new function is nobody's until ownership grants it
    yield f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"


def policies() -> Iterator[tuple[str, list[str]]]:
    """Row-level security by table: what each needs, in one transaction a table, before anything is granted."""
    for table in TABLES:
        if table.tenant:
            yield table.name, list(_policies(table))


def tiers() -> dict[str, str]:
    """Table -> the comment that says its tier in the database; a partition's is its parent's."""
    return {table.name: table.tier for table in TABLES}


def permission_rows() -> set[tuple[str, str, str, str, bool, bool]]:
    """The table `permission` as permissions.toml has it."""
    return {(p.profile, p.action, p.scope, p.role, p.second, p.named) for p in permissions().values()}


def permission_statements() -> Iterator[str]:
    """What makes the table so; its words are the file's own, of [a-z:-]."""
    rows = ", ".join(
        f"('{p}', '{a}', '{s}', '{r}', {sec}, {named})" for p, a, s, r, sec, named in sorted(permission_rows())
    )
    yield "LOCK TABLE troth.permission IN SHARE ROW EXCLUSIVE MODE"
    yield "DELETE FROM troth.permission"
    yield f"INSERT INTO troth.permission (profile, action, scope, role, second, named) VALUES {rows}"  # noqa: S608 - see above


def grant_statements() -> Iterator[str]:
    """What troth_migrate runs after every migration, in one transaction: nothing is granted that is not in the file."""
    roles = ", ".join(RUNTIME_ROLES)
    yield "REVOKE ALL ON ALL TABLES IN SCHEMA troth FROM PUBLIC"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA troth FROM {roles}"
    yield f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA troth FROM PUBLIC, {roles}"
    yield f"GRANT USAGE ON SCHEMA troth TO {roles}"
    for table in TABLES:
        yield from _table_statements(table)
    for function, callers in FUNCTIONS.items():
        yield f"GRANT EXECUTE ON FUNCTION troth.{function} TO {', '.join(callers)}"


def _table_statements(table: Table) -> Iterator[str]:
    for role, privileges in table.grants.items():
        yield f"GRANT {privileges} ON troth.{table.name} TO {role}"


def _policies(table: Table) -> Iterator[str]:
    name = f"troth.{table.name}"
    yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
    for policy in ("whole_river", "own_tenant"):
        yield f"DROP POLICY IF EXISTS {policy} ON {name}"
    yield f"CREATE POLICY whole_river ON {name} TO {OWNER}, {FLOW}, {LEDGER} USING (true) WITH CHECK (true)"
    null = f" OR {table.tenant} IS NULL" if table.shared_null else ""
    if table.house:
        null = f" OR ({table.tenant} IS NULL AND {_TENANT} IS NULL)"
    yield (
        f"CREATE POLICY own_tenant ON {name} TO {CONTROL} "
        f"USING ({table.tenant} = {_TENANT}{null}) WITH CHECK ({table.tenant} = {_TENANT})"
    )
