"""One attempt of somebody with a database role and raw SQL, and what it must meet."""

from dataclasses import dataclass

CONTROL, FLOW, LEDGER, OWNER, SUPERUSER = "troth_control", "troth_flow", "troth_ledger", "owner", "postgres"
SIGNIN = "troth_signin"
ALL_ROLES = (CONTROL, FLOW, LEDGER, SIGNIN)
DENIED, NOTHING = "42501", "nothing"


@dataclass(frozen=True)
class Attempt:
    """`sql` has named parameters of the world; troth_control works in tenant a."""

    name: str
    role: str
    sql: str
    meets: str = DENIED
    says: str = ""


def each(name, roles, sql, meets=DENIED):
    return [Attempt(f"{name} as {role}", role, sql, meets) for role in roles]
