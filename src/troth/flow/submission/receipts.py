"""Submission, reading back: GET /emails/{id}/receipt, the signed file that proves an email's story without us."""

import asyncio

from starlette.responses import Response

from troth.flow.submission.auth import identify_over, read_key
from troth.flow.submission.deps import Call, Deps
from troth.flow.submission.emails import email_of, missing
from troth.flow.submission.problem import Problem
from troth.flow.submission.request_log import Note
from troth.keys import ids
from troth.keys.receipts import open_messages
from troth.ledger import receipt
from troth.rules.receipts import RETRY_SECONDS, Gathered, NotSealed, Place, Rights, make, places
from troth.store import receipts as store
from troth.store.gate import KeyRow

# A client's own program reads its own emails whole; why the house approved its own policy is the house's.
_RIGHTS = Rights(content=True, house=False)


async def get(deps: Deps, call: Call) -> Response:
    """GET /emails/{id}/receipt: one file for all messages of the email."""
    read_key(deps, call)
    email = email_of(call)
    async with deps.lend() as connection:
        known = await identify_over(connection, deps, call)
        try:
            gathered = await store.gather(connection, known.tenant_id, email)
        except NotSealed:
            raise _not_yet() from None
        if gathered is None:
            raise missing()
        nodes = await store.nodes(connection, places(gathered))
    # a batch of a busy second holds tens of thousands of hashes, and a client's first key is a call to the KMS
    body = await asyncio.to_thread(_file, deps, known, gathered, nodes)
    deps.log.tell(Note(known.tenant_id, known.key_id, call.request.method, call.route, 200, email_id=email))
    name = ids.wire("em", deps.cell, email)
    headers = {"content-disposition": f'attachment; filename="{name}.receipt.json"'}
    return Response(body, headers=headers, media_type="application/json")


def _file(deps: Deps, known: KeyRow, gathered: Gathered, nodes: dict[Place, bytes]) -> bytes:
    keys = deps.keyring.tenant(known.tenant_id, gathered.messages[0].keyset)
    opened = open_messages(keys, gathered.messages, gathered.events)
    return receipt.encode(make(gathered, nodes, opened, _RIGHTS), deps.secrets.ledger_seed)


def _not_yet() -> Problem:
    sentence = (
        "The newest of the email's events is not sealed in the ledger yet, so there is nothing to sign; that takes up "
        f"to five seconds. Ask again in {RETRY_SECONDS} seconds."
    )
    return Problem("receipt-not-sealed", sentence, retry_after=RETRY_SECONDS)
