"""Domains: a person begins to change a DKIM key, or stops such a change; the database says who may (dkim_*_v1)."""

import os
from dataclasses import dataclass
from uuid import UUID

from troth.control.approvals.changes import clock
from troth.control.audit.refusals import refusals
from troth.control.audit.scope import Connection, within
from troth.control.tenants.sending_domains import key_record
from troth.keys.dkim_pairs import make_pair
from troth.keys.keyring import TenantKeys


@dataclass(frozen=True, slots=True)
class Begun:
    """`text` is the record to publish at <selector>._domainkey.<domain>."""

    selector: str
    text: str


def begin(connection: Connection, session: bytes, keys: TenantKeys, tenant: UUID, domain: UUID) -> Begun:
    """A new pair under a selector that was never used; raise Refused where one is under way, or who asks may not."""
    selector = f"t{clock(connection):%Y%m%d}-{os.urandom(2).hex()}"
    pair = make_pair(keys, domain, selector)
    with refusals(), within(connection, tenant):
        connection.execute(
            "SELECT troth.dkim_rotate_v1(%s, %s, %s, %s, %s, %s)",
            (domain, selector, pair.private_ct, pair.public_der, pair.bits, session),
        )
    return Begun(selector, key_record(pair.public_der))


def stop(connection: Connection, session: bytes, tenant: UUID, domain: UUID) -> bool:
    """False: none was under way."""
    with refusals(), within(connection, tenant):
        row = connection.execute("SELECT troth.dkim_stop_v1(%s, %s)", (domain, session)).fetchone()
    return bool(row and row[0])
