"""What ownership says is what the live database grants, no more and no less, partitions made later included."""

import re

import pytest

from troth.control import ownership
from troth.control.ownership import CONTROL, FLOW, FUNCTIONS, LEDGER, TABLES
from troth.control.ownership_page import markdown

PRIVILEGE = re.compile(r"([A-Z]+)(?: \(([a-z0-9_, ]+)\))?")
NAMES = {table.name for table in TABLES}
PARENTS = {table.name for table in TABLES if table.partitioned}
RELATIONS = """
SELECT c.oid, c.relname, c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity
FROM pg_class c WHERE c.relnamespace = 'troth'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
TABLE_GRANTS = """
SELECT c.relname, x.grantee::regrole::text, x.privilege_type, NULL
FROM pg_class c, aclexplode(c.relacl) x WHERE c.relnamespace = 'troth'::regnamespace AND x.grantee <> c.relowner
UNION ALL
SELECT c.relname, x.grantee::regrole::text, x.privilege_type, a.attname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) x
WHERE c.relnamespace = 'troth'::regnamespace AND x.grantee <> c.relowner
"""
FUNCTION_ROWS = """
SELECT p.oid::regprocedure::text, p.prosecdef,
       p.proconfig, p.proowner::regrole::text,
       ARRAY(SELECT x.grantee::regrole::text FROM aclexplode(p.proacl) x WHERE x.grantee <> p.proowner)
FROM pg_proc p WHERE p.pronamespace = 'troth'::regnamespace
"""
# pure, or a trigger's: they need nothing that their caller has not
AS_CALLER = (
    "insert_only",
    "leaf_entry",
    "leaf_json",
    "uuid7_floor",
    "refuse_step",
    "session_device",
    "uuid7_now",
    "factor_stays",
    "complaint_bounds",
    # the rules of cases
    "case_next",
    "case_meets",
    "case_clocks_of",
    "case_file_guard",
    "case_clock_guard",
    "case_now",
    "case_right",
    "case_roles",
    "case_place",
    "case_soon",
    # what a receipt is made of: read with the caller's own rights, row-level security included
    "receipt_messages_v1",
    "receipt_events_v1",
    "receipt_batches_v1",
    "receipt_head_v1",
    "receipt_versions_v1",
)


@pytest.fixture
def admin(database):
    return database.open()


def declared():
    """(table, role, privilege, column or None) for everything that the file grants."""
    found = set()
    for table in TABLES:
        for role, text in table.grants.items():
            for privilege, columns in PRIVILEGE.findall(text):
                for column in columns.split(", ") if columns else [None]:
                    found.add((table.name, role, privilege, column))
    return found


def test_grants_on_tables_are_those_of_the_file(admin):
    assert set(admin.execute(TABLE_GRANTS).fetchall()) == declared()


def test_every_table_is_listed_and_none_that_is_not_there(admin):
    rows = admin.execute(RELATIONS).fetchall()
    assert {name for _, name, kind, is_partition, *_ in rows if not is_partition} == NAMES
    assert {kind for _, _, kind, *_ in rows} == {"r", "p"}


def test_partitions_have_no_grants_new_ones_included(admin):
    admin.execute("INSERT INTO installation (id, mode, cell, secrets_ct, operator_keyset, clock_offset)"
                  " VALUES (gen_random_uuid(), 'test', 'a', sha256('x') || sha256('x'), sha256('x') || sha256('x'),"
                  " interval '60 days')")  # fmt: skip
    before = {name for _, name, _, part, *_ in admin.execute(RELATIONS).fetchall() if part}
    assert admin.execute("SELECT make_partitions_v1()").fetchone()[0] > 0
    after = {name for _, name, _, part, *_ in admin.execute(RELATIONS).fetchall() if part}
    assert after > before
    assert {name.rsplit("_", 1)[0] for name in after} == PARENTS
    granted = {name for name, *_ in admin.execute(TABLE_GRANTS).fetchall()}
    assert not granted & after


def test_row_security_is_forced_on_every_tenants_table(admin):
    rows = {name: (on, forced) for _, name, _, part, on, forced in admin.execute(RELATIONS).fetchall() if not part}
    for table in TABLES:
        assert rows[table.name] == ((True, True) if table.tenant else (False, False)), table.name
    policies = admin.execute("SELECT tablename, policyname, roles::text[] FROM pg_policies").fetchall()
    expected = {(t.name, p) for t in TABLES if t.tenant for p in ("own_tenant", "whole_river")}
    assert {(name, policy) for name, policy, _ in policies} == expected
    assert all(roles == [CONTROL] for _, policy, roles in policies if policy == "own_tenant")
    assert all(CONTROL not in roles for _, policy, roles in policies if policy == "whole_river")


def test_every_table_with_a_tenants_column_says_so(admin):
    rows = admin.execute(
        "SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND c.relnamespace = 'troth'::regnamespace"
    ).fetchall()
    silent = {name for (name,) in rows} - {table.name for table in TABLES if table.tenant}
    assert silent == {"ledger_pending"}  # read by troth_ledger alone


def test_functions_are_granted_as_the_file_says(admin):
    rows = admin.execute(FUNCTION_ROWS).fetchall()
    granted = {plain(name): set(roles) for name, *_, roles in rows if roles}
    assert granted == {plain(name): set(roles) for name, roles in FUNCTIONS.items()}


def plain(name):
    return (
        name.removeprefix("troth.")
        .replace("timestamp with time zone", "timestamptz")
        .replace(" ", "")
        .replace(",", ", ")
    )


def test_functions_that_act_for_the_owner_cannot_be_led_astray(admin):
    for name, definer, config, owner, _ in admin.execute(FUNCTION_ROWS).fetchall():
        assert owner == "troth_owner", name
        assert "search_path=pg_catalog, troth, pg_temp" in (config or []), name
        assert definer or name.split("(")[0] in AS_CALLER, name


def test_public_has_nothing(admin):
    for query in (
        "SELECT relname FROM pg_class, aclexplode(relacl) x WHERE relnamespace = 'troth'::regnamespace AND x.grantee = 0",
        "SELECT proname FROM pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) x WHERE pronamespace = 'troth'::regnamespace AND x.grantee = 0",
        "SELECT nspname FROM pg_namespace, aclexplode(nspacl) x WHERE nspname IN ('troth', 'public') AND x.grantee = 0",
    ):
        assert admin.execute(query).fetchall() == []


def test_sequences_are_nobodys(admin):
    query = "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'troth'::regnamespace AND relacl IS NOT NULL"
    assert admin.execute(query).fetchall() == []


def test_no_run_time_role_is_more_than_it_is(admin):
    rows = admin.execute(
        "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication, rolcanlogin"
        " FROM pg_roles WHERE rolname LIKE 'troth%'"
    ).fetchall()
    assert not any(more for _, more, _ in rows)
    assert {name for name, _, login in rows if not login} == {"troth_owner"}
    members = admin.execute("SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members").fetchall()
    assert [(m, r) for m, r in members if m.startswith("troth")] == [("troth_migrate", "troth_owner")]


def test_the_page_names_every_table_function_and_role():
    page = markdown()
    for name in (*NAMES, *FUNCTIONS, CONTROL, FLOW, LEDGER):
        assert name in page
    assert {table.tier for table in TABLES} <= {"Public", "Internal", "Confidential", "Restricted"}
    assert all(table.retention and table.writer for table in ownership.TABLES)
