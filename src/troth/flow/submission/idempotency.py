"""Submission: what makes a repeated request the same request: hashes of its Idempotency-Key and of what it asks.

The gate keeps the answers of emails; those of registrations are kept here, in the transaction that registers. Both
hashes are HMACs under a key of the installation, so that what is kept says nothing of the caller's keys or content.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request

from troth.flow.submission.problem import Problem
from troth.keys import places
from troth.keys.installation import InstallationSecrets, Purpose
from troth.keys.keyring import Keyring, TenantKeys
from troth.store import gate
from troth.store.connection import Connection

HEADER = "idempotency-key"
_KEPT = timedelta(hours=24)
_USABLE = re.compile(r"[\x20-\x7e]{1,256}")


def given(request: Request) -> str | None:
    """The header's value; Problem when it is given twice or cannot be used."""
    values = request.headers.getlist(HEADER)
    if not values:
        return None
    if len(values) > 1 or not _USABLE.fullmatch(values[0]):
        sentence = "Send one Idempotency-Key of 1 to 256 printable ASCII characters, such as a UUID."
        raise Problem("bad-idempotency-key", sentence)
    return values[0]


def hashes(
    secrets: InstallationSecrets, key: str, route: str, content: object, within: str = ""
) -> tuple[bytes, bytes]:
    """Hash of the key, and fingerprint of route and canonical content (sorted keys, no blanks). within: the path whose
    keys are its own.
    """
    secret = secrets.token_keys(Purpose.FINGERPRINT)[0]
    canonical = msgspec.json.encode(content, order="deterministic")
    print_ = hmac.digest(secret, b"request\0" + route.encode() + b"\0" + canonical, "sha256")
    own = within.encode() + b"\0" if within else b""
    return hmac.digest(secret, b"key\0" + own + key.encode(), "sha256"), print_


@dataclass(frozen=True, slots=True)
class Given:
    """What a registration was answered with, for the same request again."""

    status: int
    content: Any


@dataclass(frozen=True, slots=True)
class Once:
    """One request of a client that named a key: its answer is found again, or kept with what it did."""

    keyring: Keyring
    known: gate.KeyRow
    hashes: tuple[bytes, bytes]
    now: datetime

    async def found(self, connection: Connection) -> Given | None:
        """The answer that was given; Problem where the key was another request's."""
        rows = await gate.find_idempotency(connection, self.now, [(self.known.tenant_id, self.hashes[0])])
        if not rows:
            return None
        if rows[0].fingerprint != self.hashes[1]:
            sentence = "This Idempotency-Key was used for another request; use a new one."
            raise Problem("idempotency-mismatch", sentence)
        return msgspec.json.decode(self._tenant.open(base64.b64decode(rows[0].answer), self._place), type=Given)

    async def take(self, connection: Connection) -> Given | None:
        """In the transaction that registers: None for whoever is first. Who is second waits for the first, and is told
        its answer, or is first after all where that one was refused.
        """
        row = self._row("")
        if await gate.take_idempotency(connection, self.now, [(row, self.now + _KEPT)]):
            return None
        if (given := await self.found(connection)) is None:
            raise Problem("idempotency-in-flight", "The same request is being worked on.", retry_after=1)
        return given

    async def keep(self, connection: Connection, given: Given) -> None:
        """In the same transaction, for whoever was first."""
        sealed = self._tenant.seal(msgspec.json.encode(given), self._place)
        await gate.replace_idempotency(connection, self._row(base64.b64encode(sealed).decode()))

    def _row(self, answer: str) -> gate.KeptAnswer:
        return gate.KeptAnswer(self.known.tenant_id, *self.hashes, answer)

    @property
    def _tenant(self) -> TenantKeys:
        return self.keyring.tenant(self.known.tenant_id, self.known.keyset)

    @property
    def _place(self) -> bytes:
        return places.answer(self.hashes[0])
