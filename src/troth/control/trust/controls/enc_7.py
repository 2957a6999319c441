"""Control of ENC-7: every table carries one of four tiers: Public, Internal, Confidential, Restricted."""

from collections import Counter
from collections.abc import Iterator
from typing import LiteralString

from psycopg import errors

from troth.control.ownership import RUNTIME_ROLES
from troth.control.trust import fences, powers, tiers
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme

# what would make a table without a tier, or another tier of one; each is tried as a role at run time, and undone
_TRIED: dict[str, LiteralString] = {
    "make a table in the schema": "CREATE TABLE troth.claim_untiered (n integer)",
    "make a table elsewhere": "CREATE TABLE public.claim_untiered (n integer)",
    # of a table that nothing else takes a lock of: COMMENT takes its own before it asks who may
    "change a tier": "COMMENT ON TABLE troth.permission IS 'Public'",
}
_MAY_SAY = """
SELECT r.rolname, min(c.relname) FROM pg_class c, unnest(%s::text[]) AS r(rolname)
WHERE c.relnamespace = 'troth'::regnamespace AND c.relkind IN ('r', 'p', 'm')
  AND pg_has_role(r.rolname, c.relowner, 'MEMBER')
GROUP BY 1 ORDER BY 1
"""


def check(look: Look, _: Programme | None) -> Found:
    findings = Findings()
    findings.take(fences.house(look.schema))
    with look.of(None) as connection:
        found, loose = tiers.carried(connection)
        makers = list(powers.makers(connection))
        owners = connection.execute(_MAY_SAY, (list(RUNTIME_ROLES),)).fetchall()
    findings.take(tiers.wrong(found))
    findings.take(loose)
    findings.take(makers)
    findings.take(f"{role} may change the tier of {table}" for role, table in owners)
    findings.take(_tried(look))
    counts = Counter(each.comment for each in found)
    findings.seen |= {"tables": len(found), **{tier.lower(): counts[tier] for tier in tiers.TIERS}}
    findings.seen["attempts_refused"] = len(_TRIED)
    return findings.done()


def _tried(look: Look) -> Iterator[str]:
    """Attempts by the role that looks: PostgreSQL must refuse each."""
    for what, statement in _TRIED.items():
        try:
            with look.of(None) as connection, connection.transaction(force_rollback=True):
                connection.execute("SET LOCAL lock_timeout = '1s'")
                connection.execute(statement)
        except (errors.InsufficientPrivilege, errors.InvalidSchemaName):
            continue  # many an installation has dropped `public`
        yield f"a role at run time may {what}"


CONTROL = Control(
    "ENC-7",
    "enc_7",
    HOUR,
    "The comment on every table of the running database is read: it must be one of the four tiers, and the one that "
    "this version declares; making a table without a tier and changing one are tried as a role at run time, and must "
    "be refused.",
    check,
)
