"""Four eyes, whose words are shown: people by their names, as far as whoever looks may see them."""

import base64
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings

from troth.control.audit.asking import rows
from troth.keys import places
from troth.keys.errors import Undecryptable

NOBODY = "somebody"
_BY_HUMAN = """
SELECT DISTINCT ON (human_id) human_id, id, name_ct FROM troth.account WHERE human_id = ANY(%s)
ORDER BY human_id, tenant_id NULLS LAST
"""
_BY_ACCOUNT = "SELECT id, name_ct, role, disabled_at IS NOT NULL FROM troth.account WHERE id = ANY(%s)"


def opened(account: UUID | None, name_ct: bytes | None) -> str:
    """The name that a row carries."""
    if account is None or name_ct is None:
        return NOBODY
    name: bytes = settings.TROTH_KEYS().operator.open(bytes(name_ct), places.account(account, "name"))
    return name.decode()


def sealed_in(account: UUID, base64_text: str) -> str:
    """The name in a grant's artefact; one whose key is gone is somebody's."""
    try:
        return opened(account, base64.b64decode(base64_text, validate=True))
    except (Undecryptable, ValueError):
        return NOBODY


def of_humans(humans: Iterable[UUID | None]) -> dict[UUID, str]:
    """The client's own people, and the operator's: whom this transaction sees."""
    asked = [human for human in set(humans) if human is not None]
    return {human: opened(account, name_ct) for human, account, name_ct in rows(_BY_HUMAN, asked)} if asked else {}


def of_accounts(accounts: Iterable[UUID]) -> dict[UUID, str]:
    """The same, by account."""
    asked = list(set(accounts))
    return {one: opened(one, name_ct) for one, name_ct, *_ in rows(_BY_ACCOUNT, asked)} if asked else {}
