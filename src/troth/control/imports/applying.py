"""Imports: what two people approved is carried out, a chunk a transaction, with the mark of how far it is beside it; so
a process that is killed has lost nothing, and its successor goes on with the next chunk.
"""

import json
from collections.abc import Callable

from troth.control.audit.scope import Connection, within
from troth.control.imports import rows
from troth.control.imports.importer import Importer, Stopped, Work
from troth.control.imports.rows import APPROVED, Import
from troth.keys.keyring import TenantKeys
from troth.keys.opened import Keys


class NotWhatWasApproved(Exception):  # noqa: N818 - reads as the sentence it raises
    """The sealed rows are others than those that were approved; nothing of them is carried out."""


def apply(
    connection: Connection, keys: Keys, own: TenantKeys, importer: Importer, one: Import, stopped: Callable[[], bool]
) -> None:
    """To the end, or until `stopped`."""
    if one.next_chunk == 0:
        with within(connection, one.tenant_id):
            if not rows.intact(connection, one):
                raise NotWhatWasApproved(f"import {one.id}")
    while _next(connection, keys, own, importer, one):
        if stopped():
            raise Stopped


def _next(connection: Connection, keys: Keys, own: TenantKeys, importer: Importer, one: Import) -> bool:
    """One chunk; whether there is another."""
    with within(connection, one.tenant_id):
        now = rows.find(connection, one.id)
        if now is None or now.state != APPROVED:
            return False
        chunk = rows.chunk(connection, now, own, now.next_chunk)
        work = Work(connection, keys, own, one.tenant_id, one.id, one.chosen)
        outcome = dict(importer.apply(work, chunk.rows)) if chunk.rows else {}
        more: bool = rows.call(
            connection, "import_applied_v1", one.id, chunk.n, len(chunk.rows), json.dumps(outcome, sort_keys=True)
        )
    return more
