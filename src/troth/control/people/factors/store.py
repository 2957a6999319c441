"""People: the rows of people's factors. What a factor holds is one document, sealed under the operator's keyset for its
account and kind: a row that is moved to another account, or another kind, does not open.

Only the role troth_signin (the connection "signin") reads or writes them, in transactions of its own; a trigger writes
each one that is added or removed to the ledger.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from allauth.mfa.models import Authenticator  # type: ignore[import-untyped]  # allauth ships no types
from django.conf import settings
from django.db import IntegrityError, transaction

from troth.control.audit import asking
from troth.control.people.factors import kinds
from troth.keys import places

DATABASE = "signin"
MOST = 20  # of one account


@dataclass(frozen=True, slots=True)
class Factor:
    """One of an account's. `document` holds its secret parts."""

    id: int
    account: UUID
    kind: str
    document: dict[str, Any] = field(repr=False)
    created_at: datetime
    used_at: datetime | None


class Taken(Exception):  # noqa: N818 - reads as the sentence it raises
    """The account has one of this kind already, or too many."""


def held(account: UUID) -> list[Factor]:
    """All of an account's, the oldest first."""
    found = Authenticator.objects.using(DATABASE).filter(user_id=account).order_by("id")[: MOST + 1]
    return [_opened(one) for one in found]


def kinds_of(account: UUID) -> set[str]:
    """The kinds that an account has, without opening any."""
    found = Authenticator.objects.using(DATABASE).filter(user_id=account).order_by("id")
    return set(found.values_list("type", flat=True)[: MOST + 1])


def has_second(account: UUID) -> bool:
    return bool(kinds_of(account) & set(kinds.SECOND))


def add(account: UUID, kind: str, document: dict[str, Any]) -> None:
    """Raise Taken where there is one, or there are enough."""
    if Authenticator.objects.using(DATABASE).filter(user_id=account).count() >= MOST:
        raise Taken
    row = Authenticator(user_id=account, type=kind, data=_sealed(account, kind, document), created_at=_now())
    try:
        row.save(using=DATABASE, force_insert=True)
    except IntegrityError:
        raise Taken from None


@contextmanager
def locked(account: UUID, kind: str, factor: int | None = None) -> Iterator["Locked | None"]:
    """One factor, which nobody else changes meanwhile; None: there is no such one."""
    with transaction.atomic(using=DATABASE):
        given = {"user_id": account, "type": kind, **({} if factor is None else {"pk": factor})}
        row = Authenticator.objects.using(DATABASE).select_for_update().filter(**given).order_by("id").first()
        yield Locked(row, _opened(row)) if row else None


@dataclass(frozen=True, slots=True)
class Locked:
    """A factor within its lock."""

    row: Any
    factor: Factor

    def write(self, document: dict[str, Any], *, used: bool = True) -> None:
        self.row.data = _sealed(self.factor.account, self.factor.kind, document)
        if used:
            self.row.last_used_at = _now()
        self.row.save(using=DATABASE, update_fields=["data", "last_used_at"])

    def remove(self) -> None:
        self.row.delete(using=DATABASE)


def _sealed(account: UUID, kind: str, document: dict[str, Any]) -> dict[str, str]:
    octets = settings.TROTH_KEYS().operator.seal(msgspec.json.encode(document), places.factor(account, kind))
    return {"sealed": base64.b64encode(octets).decode()}


def _opened(row: Any) -> Factor:
    octets = base64.b64decode(row.data["sealed"])
    document = msgspec.json.decode(settings.TROTH_KEYS().operator.open(octets, places.factor(row.user_id, row.type)))
    return Factor(row.pk, row.user_id, row.type, document, row.created_at, row.last_used_at)


def _now() -> datetime:
    found = asking.row("SELECT troth.now_v1()")
    assert found is not None
    at: datetime = found[0]
    return at
