"""Claims: who could go round what the tables grant: rights to the database, its schema and what is yet to be made.

Each fence yields what is wrong. What our own roles may do to what is there: fences.py.
"""

from collections.abc import Iterator
from typing import LiteralString

from troth.control.audit.scope import Connection
from troth.control.roles import LOGIN_ROLES

# the first superuser (oid 10) is the cluster's own: whoever set it up
_SUPERUSERS = "SELECT rolname || ' is a superuser' FROM pg_roles WHERE rolsuper AND oid <> 10 ORDER BY 1"
_DATABASE = """
SELECT 'the database belongs to ' || pg_get_userbyid(datdba) FROM pg_database
WHERE datname = current_database() AND pg_get_userbyid(datdba) = ANY(%(roles)s::text[])
UNION ALL
SELECT r.name || ' may make schemas' FROM unnest(%(roles)s::text[]) AS r(name)
WHERE has_database_privilege(r.name, current_database(), 'CREATE') ORDER BY 1
"""
_TO_COME = """
SELECT coalesce(nullif(x.grantee, 0)::regrole::text, 'everybody') || ' may ' || x.privilege_type || ' whatever '
       || d.defaclrole::regrole || ' makes from now on'
FROM pg_default_acl d, aclexplode(d.defaclacl) x
WHERE x.grantee <> d.defaclrole AND starts_with(d.defaclrole::regrole::text, 'troth') ORDER BY 1
"""
_MAKERS = """
SELECT r.name || ' may make tables in ' || n.nspname FROM pg_namespace n, unnest(%(roles)s::text[]) AS r(name)
WHERE has_schema_privilege(r.name, n.oid, 'CREATE') ORDER BY 1
"""
_STRONG = """
SELECT r.rolname || ' may ' || p.power FROM pg_roles r, LATERAL (VALUES
    (r.rolbypassrls, 'go round row security'), (r.rolcreaterole, 'make roles')) AS p(has, power)
WHERE p.has AND r.oid <> 10 AND NOT r.rolsuper
UNION ALL
SELECT m.member::regrole || ' is of ' || g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
WHERE g.rolname = ANY ('{pg_read_all_data,pg_write_all_data,pg_read_server_files,pg_write_server_files,'
                       'pg_execute_server_program,pg_create_subscription,pg_maintain}') AND m.member <> 10
ORDER BY 1
"""
# what is not in our schema, and has the rights of one of ours, or all of them
_ASIDE = """
SELECT 'the function ' || p.oid::regprocedure || ' lends the rights of ' || r.rolname
FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef AND n.nspname NOT IN ('troth', 'pg_catalog', 'information_schema')
  AND (r.rolsuper OR starts_with(r.rolname, 'troth'))
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')
UNION ALL
SELECT 'the view ' || c.oid::regclass || ' lends the rights of ' || r.rolname
FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND starts_with(r.rolname, 'troth')
ORDER BY 1
"""


def wide(connection: Connection) -> Iterator[str]:
    """What reaches past the tables."""
    for query in (_SUPERUSERS, _STRONG, _DATABASE, _TO_COME, _MAKERS, _ASIDE):
        yield from _said(connection, query)


def makers(connection: Connection) -> Iterator[str]:
    """Whoever of ours may make a table."""
    yield from _said(connection, _MAKERS)


def _said(connection: Connection, query: LiteralString) -> Iterator[str]:
    yield from (str(row[0]) for row in connection.execute(query, {"roles": list(LOGIN_ROLES)}).fetchall())
