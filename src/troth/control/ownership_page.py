"""Who may touch which table, as a page: docs/database.md, written from control/ownership."""

from troth.control.ownership import FUNCTIONS, TABLES, Table

_HEAD = """# The database

Every table of the schema `troth`: who writes it, what each role may do with it, how sensitive it is and how long it is
kept. The grants, row-level security and this page come from `src/troth/control/ownership/`; a test compares them with
a live database. *Tenant* names the column by which `troth_control` sees only the tenant of its transaction; "or none"
means that rows without a tenant are seen by all. No role may do anything with a partition itself. The tier of a table
is the comment on it in the database, too, where claim ENC-7 reads it.

| table | writer | who may do what | tier | kept | tenant | notes |
|---|---|---|---|---|---|---|
"""
_FUNCTIONS_HEAD = """
## Functions

Where a role must act on what it may not write, it calls one of these. All others are granted to nobody.

| function | who may call it |
|---|---|
"""


def markdown() -> str:
    """The page docs/database.md."""
    tables = "".join(map(_row, TABLES))
    functions = "".join(f"| `{name}` | {', '.join(roles)} |\n" for name, roles in FUNCTIONS.items())
    return _HEAD + tables + _FUNCTIONS_HEAD + functions


def _row(table: Table) -> str:
    grants = "<br>".join(f"{role}: {what}" for role, what in table.grants.items()) or "nobody"
    tenant = f"`{table.tenant}`{_without(table)}" if table.tenant else ""
    notes = "; ".join(filter(None, ("weekly partitions" if table.partitioned else "", table.notes)))
    return f"| `{table.name}` | {table.writer} | {grants} | {table.tier} | {table.retention} | {tenant} | {notes} |\n"


def _without(table: Table) -> str:
    return " or none" if table.shared_null else " (none: the house)" if table.house else ""
