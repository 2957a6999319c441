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


def wide(connection: Connection) -> Iterator[str]:
    """What reaches past the tables."""
    for query in (_SUPERUSERS, _DATABASE, _TO_COME, _MAKERS):
        yield from _said(connection, query)


def makers(connection: Connection) -> Iterator[str]:
    """Whoever of ours may make a table."""
    yield from _said(connection, _MAKERS)


def _said(connection: Connection, query: LiteralString) -> Iterator[str]:
    yield from (str(row[0]) for row in connection.execute(query, {"roles": list(LOGIN_ROLES)}).fetchall())
