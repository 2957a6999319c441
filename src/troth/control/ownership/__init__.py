"""Who may touch what in the database: the one room of which grants, row-level security and their docs page are made."""

from troth.control.ownership.functions import FUNCTIONS
from troth.control.ownership.tables import CONTROL, FLOW, LEDGER, RUNTIME_ROLES, SIGNIN, TABLES, Table

__all__ = ("CONTROL", "FLOW", "FUNCTIONS", "LEDGER", "RUNTIME_ROLES", "SIGNIN", "TABLES", "Table")
