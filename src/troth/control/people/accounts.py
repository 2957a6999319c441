"""People: an account as an operator names it on the command line: by its id, or by its person's address."""

from uuid import UUID

from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import Connection
from troth.keys.blind_index import BlindIndex
from troth.mail.address import AddressError, parse_address

_BY_NAME = "SELECT account_id FROM login WHERE email = ANY(%s) ORDER BY account_id"


def account(connection: Connection, index: BlindIndex, given: str) -> UUID:
    """Raise Refused when nobody has that address, or more than one account does."""
    try:
        return UUID(given)
    except ValueError:
        pass
    try:
        normal = parse_address(given).normal
    except AddressError as wrong:
        raise Refused(f"{given!r} is neither an account's id nor an address: {wrong.hint}") from None
    names = [f"{value.hex()}@people.invalid" for _, value in index.all_layers(normal)]
    with refusals():
        found = [row[0] for row in connection.execute(_BY_NAME, (names,)).fetchall()]
    if not found:
        raise Refused("There is no account with this address.")
    if len(found) > 1:
        raise Refused(f"{len(found)} accounts have this address; say which by its id: {', '.join(map(str, found))}.")
    return UUID(str(found[0]))
