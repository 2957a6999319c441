"""Around the river: an address that a person looks for. In the address bar it stands sealed under its client's keyset,
so that neither a log nor a browser's history tells it, and another client's pages cannot open it.
"""

import base64
from uuid import UUID

from django.conf import settings

from troth.control.audit.asking import row
from troth.keys.errors import Undecryptable
from troth.keys.keyring import TenantKeys
from troth.mail.address import AddressError, parse_address

_WHO = b"page.who"
_CURSOR = b"page.cursor:"
_LONGEST = 1000  # characters of a sealed value


def keys_of(tenant: UUID) -> TenantKeys:
    """The keyset of the client whose rows this transaction sees."""
    found = row("SELECT keyset FROM troth.tenant WHERE id = %s", tenant)
    if found is None:
        raise LookupError("this transaction is for another client")
    keys: TenantKeys = settings.TROTH_KEYS().keyring.tenant(tenant, bytes(found[0]))
    return keys


def indexes(address: str) -> list[bytes]:
    """Every layer's blind index of an address that `parse_address` takes; raises AddressError."""
    blind = settings.TROTH_KEYS().secrets.blind_index()
    return [index for _, index in blind.all_layers(parse_address(address).normal)]


def sealed_who(keys: TenantKeys, address: str) -> str:
    return _sealed(keys, address.encode(), _WHO)


def opened_who(keys: TenantKeys, text: str) -> str | None:
    """The address; None for what was not sealed for this client's pages, or was changed."""
    found = _opened(keys, text, _WHO)
    if found is None:
        return None
    try:
        return parse_address(found.decode()).addr_spec
    except (UnicodeDecodeError, AddressError):
        return None


def sealed_cursor(keys: TenantKeys, page: str, value: bytes) -> str:
    """A place in a list, where the place itself holds an index of somebody's address."""
    return _sealed(keys, value, _CURSOR + page.encode())


def opened_cursor(keys: TenantKeys, page: str, text: str) -> bytes | None:
    return _opened(keys, text, _CURSOR + page.encode())


def _sealed(keys: TenantKeys, value: bytes, place: bytes) -> str:
    return base64.urlsafe_b64encode(keys.seal(value, place)).rstrip(b"=").decode()


def _opened(keys: TenantKeys, text: str, place: bytes) -> bytes | None:
    if len(text) > _LONGEST or not text.isascii():
        return None
    try:
        return keys.open(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True), place)
    except (ValueError, Undecryptable):
        return None
