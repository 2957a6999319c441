"""Feedback: an opt-out by mail: whoever writes to the signed address of List-Unsubscribe (RFC 2369) opts out.

The address is the right, as the link is: what the mail says, and who it says that it comes from, counts for nothing.
Mail comes in through a server that hands each RCPT's address to `carry_out_mail`.
"""

from enum import StrEnum

from troth.flow.feedback.deps import Deps
from troth.flow.feedback.opt_out import carry_out, find
from troth.keys.consents import Said
from troth.mail.own_link import token_of
from troth.mail.tokens import TokenError
from troth.store.connection import Connection


class Mailed(StrEnum):
    """STOPPED: carried out, now or before. NOT_OURS: no such address. DEAD: forged, expired, or its message is gone."""

    STOPPED = "stopped"
    NOT_OURS = "not-ours"
    DEAD = "dead"


async def carry_out_mail(deps: Deps, connection: Connection, address: str, peer: str) -> Mailed:
    """`address`: the envelope's recipient; `peer`: the server that brought it. What the store raises is temporary."""
    token = token_of(address.rpartition("@")[0])
    if token is None:
        return Mailed.NOT_OURS
    try:
        letter = await find(deps, connection, token)
    except TokenError:
        return Mailed.DEAD
    if letter is None:
        return Mailed.DEAD
    await carry_out(deps, connection, letter, "mailto", Said("", "a mail to the address of List-Unsubscribe", peer))
    return Mailed.STOPPED
