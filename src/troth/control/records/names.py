"""Records: people by name, of those whom the reader may see; and what is sealed is said to be sealed."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from troth.control.access import reading
from troth.control.audit.asking import rows
from troth.control.people.actor import Actor

_MOST = 500  # people to choose from
_CHOICES = """
SELECT id, name_ct FROM troth.account WHERE tenant_id IS NOT DISTINCT FROM %s ORDER BY id DESC LIMIT %s
"""
_SEALED = ("name_ct", "address_ct", "keyset", "hash", "device_hash", "passphrase_salt", "passphrase_hash",
           "address_index", "client_secret_ct")  # fmt: skip


def choices(actor: Actor) -> list[tuple[str, str]]:
    """(id, name), by name, for choosing somebody whose acts are looked for."""
    found = [
        (str(one), reading.opened(bytes(sealed), one, "name")) for one, sealed in rows(_CHOICES, actor.scope, _MOST)
    ]
    return sorted(found, key=lambda each: each[1].casefold())


def named(ids: Iterable[str | None]) -> dict[str, str]:
    """Names by the ids, as text, of accounts and humans; others are left out."""
    wanted = {found for each in ids if each and (found := _uuid(each)) is not None}
    return {str(one): name for one, name in reading.names(sorted(wanted)).items()}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def shown(artefact: str | None) -> dict[str, Any] | None:
    """A version as it is told: ciphertext and hashes say nothing to a reader, so they are named as what they are."""
    if artefact is None:
        return None
    given: dict[str, Any] = json.loads(artefact)
    return {name: "(sealed)" if name in _SEALED and value else value for name, value in given.items()}
