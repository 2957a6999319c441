"""Beside the river: a domain that stopped holding, or an address on a block list, becomes a case and a mail to those
who can mend it; that it holds again is noted in the same case. Everything here may be said again and is told once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from troth.keys import ids, places
from troth.keys.keyring import TenantKeys
from troth.rules import desks as rules
from troth.store import cases, desks, gate
from troth.store import domains as store
from troth.store.cases import NewCase
from troth.store.connection import Connection
from troth.store.domains import DomainToCheck

_MOST = 200  # characters of a case's title
_LONGEST = 600  # of what a mail says


async def stopped(
    connection: Connection,
    operator: TenantKeys | None,
    domain: DomainToCheck,
    since: datetime,
    findings: Sequence[dict[str, Any]],
) -> None:
    """A case of the domain and the day on which it stopped; those who may change the domain are told by mail."""
    if operator is not None:
        said = [each["sentence"] for each in findings if not each["ok"]]
        case = await _case(connection, operator, domain, since, said)
        await store.tell(connection, domain.domain_id, case, " ".join(said)[:_LONGEST])


async def recovered(
    connection: Connection, operator: TenantKeys | None, domain: DomainToCheck, since: datetime
) -> None:
    """The case is noted, and left to people to close: they know why it happened."""
    if operator is not None:
        case = await _case(connection, operator, domain, since, ())
        entry = uuid5(case, f"recovered {since.isoformat()}")
        words = operator.seal(f"{domain.name} holds again and may send.".encode(), places.case_words(entry))
        await cases.note(connection, case, entry, "recovered", words)


async def _case(
    connection: Connection, operator: TenantKeys, domain: DomainToCheck, since: datetime, said: Sequence[str]
) -> UUID:
    """The one of this domain and day, whether it is there or not."""
    title = f"{domain.name} stopped sending: its DNS records do not hold"
    key = f"{domain.domain_id}:{since:%Y-%m-%d}"
    return await open_case(connection, operator, "domain", key, title, said, domain.tenant_id)


async def open_case(
    connection: Connection,
    operator: TenantKeys,
    cause: str,
    key: str,
    title: str,
    said: Sequence[str],
    tenant: UUID | None = None,
) -> UUID:
    """An incident, once for each cause and key, to be reviewed by when the policies say; `said` is what its first entry
    tells, sealed.
    """
    now = await gate.now(connection)
    made, policies = ids.uuid7(now), rules.policies(await desks.policies(connection, tenant, None))
    words = operator.seal("\n".join(said or (title,)).encode(), places.case_words(made))
    clocks = rules.soonest("incident", cause, policies, now)
    case = NewCase(made, "incident", cause, key, title[:_MOST], "high", tenant=tenant, clocks=clocks, words=words)
    return await cases.open_case(connection, case)
