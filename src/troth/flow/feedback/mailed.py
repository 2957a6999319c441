"""Feedback: an opt-out by mail: whoever writes to the signed address of List-Unsubscribe (RFC 2369) opts out.

The address is the right, as the link is: what the mail says, and who it says that it comes from, counts for nothing. A
notification or an answering machine's reply is nobody's wish, and is told so.
"""

from collections.abc import Sequence
from enum import StrEnum

from troth.flow.feedback.deps import Deps
from troth.flow.feedback.opt_out import Letter, carry_out, find
from troth.keys.consents import Said
from troth.mail.arrived import Arrived, Verdict
from troth.mail.own_link import token_of
from troth.mail.tokens import TokenError
from troth.store.connection import Connection


class Mailed(StrEnum):
    """STOPPED: carried out, now or before. NOT_OURS: no such address. DEAD: forged, expired, or its message is gone."""

    STOPPED = "stopped"
    NOT_OURS = "not-ours"
    DEAD = "dead"


class OptOuts:
    """The desk of these addresses (flow/inbound/desk.py). The token makes one ours, whatever the domain: what was
    mailed under an earlier domain goes on working while that domain's MX leads here.
    """

    name = "opt-out"

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def knows(self, address: str) -> bool:
        token = token_of(address.rpartition("@")[0])
        if token is None:
            return False
        async with self._deps.lend() as connection:
            return await _letter(self._deps, connection, token) is not None

    async def take(self, addresses: Sequence[str], arrived: Arrived) -> Verdict:
        if arrived.automatic:
            return Verdict.AUTOMATIC
        async with self._deps.lend() as connection:
            done = [await carry_out_mail(self._deps, connection, each, arrived.peer) for each in addresses]
        return Verdict.TAKEN if Mailed.STOPPED in done else Verdict.GONE


async def carry_out_mail(deps: Deps, connection: Connection, address: str, peer: str) -> Mailed:
    """`address`: the envelope's recipient; `peer`: the server that brought it. What the store raises is temporary."""
    token = token_of(address.rpartition("@")[0])
    if token is None:
        return Mailed.NOT_OURS
    letter = await _letter(deps, connection, token)
    if letter is None:
        return Mailed.DEAD
    await carry_out(deps, connection, letter, "mailto", Said("", "a mail to the address of List-Unsubscribe", peer))
    return Mailed.STOPPED


async def _letter(deps: Deps, connection: Connection, token: str) -> Letter | None:
    """None for a token that is not to be obeyed, and when its message is gone."""
    try:
        return await find(deps, connection, token)
    except TokenError:
        return None
