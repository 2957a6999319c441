"""What a door asks of the gate and what the gate answers; the doors (HTTP now, SMTP later) share these shapes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from troth.mail.letter import File
from troth.rules.facts import Rate
from troth.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class EmailAsked:
    """One email as a program asked for it, parsed but not judged. Addresses are as given; `scheduled_at` is aware.

    `template` is a code; `variables` go with it. Without a template, subject and html or text are the content. `id`: a
    UUIDv7 of now, where Troth's own caller must know it before; None: the gate makes one.
    """

    to: tuple[str, ...]
    sender: str | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    subject: str | None = None
    html: str | None = None
    text: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    attachments: tuple[File, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    template: str | None = None
    variables: dict[str, Any] | None = None
    scheduled_at: datetime | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a program by the hash of its key, or Troth itself as a system tenant. `peer`: its address, if known."""

    key_hash: bytes | None = None
    system_tenant: UUID | None = None
    peer: str | None = None


@dataclass(frozen=True, slots=True)
class Behalf:
    """The client for which Troth's own mail goes out, whose limits it is counted by. asker: its key, or the client.

    house: in whose rows an address's own mails of this kind are counted, over all clients of the installation.
    """

    tenant: UUID
    zone: str
    asker: UUID
    policy: Policy
    slow: bool
    house: UUID


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: one email, or a batch that is all or nothing unless `permissive`.

    `idempotency` is the hash of the key and the fingerprint (HMAC) of the canonical body and route; `kept` how long
    its answer serves, where that is not the usual day.
    """

    caller: Caller
    emails: tuple[EmailAsked, ...]
    method: str
    route: str
    permissive: bool = False
    idempotency: tuple[bytes, bytes] | None = None
    kept: timedelta | None = None
    behalf: Behalf | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was stored: a registered problem code (rules/problems.py), the sentence, the field and the way out.

    `index`: which email of a batch. `retry_after`: seconds. `verdicts`: the decision's verdicts, fit to be shown.
    """

    code: str
    sentence: str
    field: str | None = None
    retry_after: int | None = None
    index: int = 0
    verdicts: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """On disk. `ids` in the order asked (None where a permissive batch refused one, told in `refused`).

    `rates`: each window as this request leaves it, `at` (the database's clock); empty on a replay.
    """

    ids: tuple[UUID | None, ...]
    refused: tuple[Refusal, ...] = ()
    replayed: bool = False
    rates: tuple[Rate, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The whole request is refused; `rates`: each window as it stands without it, once that is known, `at` a moment."""

    refusal: Refusal
    rates: tuple[Rate, ...] = ()
    at: datetime | None = None


Answer = Taken | Refused
