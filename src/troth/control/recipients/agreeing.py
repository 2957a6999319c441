"""Recipients: what a confirmation is worth beside the address: the person's word that this client may write, kept in
the consent ledger with the wording of the page, and sealed for the person.
"""

from django.conf import settings

from troth.control.audit.asking import row
from troth.control.people.actor import scoped
from troth.keys import consents
from troth.keys.consents import Said
from troth.keys.ids import uuid7

WORDING = "{client} would like to send you email and asks first whether the address that this link came to is yours."
BUTTON = "Yes, this is my address"
_KEYS = "SELECT tenant_id, person_id, keyset, data_key, tenant_name, troth.now_v1() FROM troth.confirmation_keys_v1(%s)"
_RECORD = """
SELECT troth.consent_v1(%s, ARRAY[%s::uuid], ARRAY[%s::uuid], ARRAY[NULL::uuid], ARRAY[1::smallint], ARRAY[%s],
                        ARRAY[NULL::timestamptz], ARRAY[NULL::timestamptz], ARRAY[%s::bytea])
"""


def record(secret: bytes, how: str, source: str) -> None:
    """In the transaction that verified the person. how: pressed, or typed a code; source: the address it came from."""
    found = row(_KEYS, secret)
    assert found is not None
    tenant, person, keyset, data_key, client, now = found
    key = settings.TROTH_KEYS().keyring.tenant(tenant, bytes(keyset)).person(bytes(data_key), person)
    made = uuid7(now)
    sealed = consents.seal(key, made, Said(f"{WORDING.format(client=client)} {BUTTON}", how, source))
    scoped(tenant)
    row(_RECORD, tenant, made, person, "confirmation", sealed)
    scoped(None)
