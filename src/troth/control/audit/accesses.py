"""The ground of control: looking at people's data is an entry of the ledger, in the transaction that looked."""

from uuid import UUID

from troth.control.audit.asking import row

_APPEND = "SELECT troth.ledger_append_v1(ARRAY[%s], ARRAY[%s::uuid], ARRAY[troth.leaf_json(%s, %s)])"


def looked(kind: str, tenant: UUID | None, account: UUID, **what: object) -> None:
    """`kind` such as access:message:view; `what` are ids and numbers, never an address."""
    fields = {"account": account, **what}
    row(_APPEND, kind, tenant, list(fields), [str(value) for value in fields.values()])
