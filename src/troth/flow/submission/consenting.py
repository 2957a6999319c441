"""Submission, registering: the consent that a client says a recipient gave, into the consent ledger with its wording.

What it must say of itself is rules/consent_given.py.
"""

from datetime import datetime
from uuid import UUID

from troth.flow.submission import wire
from troth.flow.submission.problem import Problem
from troth.keys import consents as words
from troth.keys import ids
from troth.keys.consents import Said
from troth.keys.keyring import PersonKey
from troth.rules.consent_given import Claimed, Given, NotConsent, read
from troth.store import consents as store
from troth.store.connection import Connection


class Consent:
    """What was asked for, read and found good before anything is written."""

    __slots__ = ("asked", "given")

    def __init__(self, asked: wire.Consent, now: datetime) -> None:
        self.asked = asked
        said = Claimed(asked.kind, asked.wording, asked.how, asked.basis, asked.given_at, asked.expires_at)
        try:
            self.given: Given = read(said, now)
        except NotConsent as wrong:
            slug = "missing-field" if wrong.missing else "bad-value"
            raise Problem(slug, wrong.sentence, f"consent.{wrong.field}") from None


async def record(
    connection: Connection, tenant: UUID, person: UUID, key: PersonKey, consent: Consent, by: str, now: datetime
) -> None:
    """Its row, with its entry of the ledger; Problem for a category that the client has not."""
    asked, given, category = consent.asked, consent.given, None
    if asked.category is not None:
        category = await store.category(connection, tenant, asked.category)
        if category is None:
            raise Problem("category-unknown", "There is no such category of this account.", "consent.category")
    made = ids.uuid7(now)
    sealed = words.seal(key, made, Said(asked.wording, asked.how, asked.source or "", by))
    row = store.NewConsent(made, person, category, given.kind, given.basis, given.at, given.until, sealed)
    await store.record(connection, tenant, [row])
