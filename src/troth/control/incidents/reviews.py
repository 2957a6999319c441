"""Cases that come of a review which a person signs, of DMARC reports or of complaints; and what all reviews have."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import Http404

from troth.control.audit.asking import row
from troth.control.audit.refusals import refusals
from troth.control.incidents import promises
from troth.control.incidents.reading import name
from troth.control.people.actor import Actor
from troth.keys import places
from troth.keys.ids import uuid7
from troth.rules.policy import Policy

ACCEPTED, FOLLOWED = "accepted", "followed"


@dataclass(frozen=True, slots=True)
class Standing:
    """A programme's reviews. `covered` None: never yet; `due` None: there is nothing to review."""

    programme: UUID
    code: str
    profile: str
    covered: datetime | None
    first: datetime | None
    days: int
    due: datetime | None
    name: str

    def late(self, now: datetime) -> bool:
        return self.due is not None and self.due < now


@dataclass(frozen=True, slots=True)
class Verdict:
    word: str
    note: str


@dataclass(frozen=True, slots=True)
class Signed:
    id: UUID
    code: str
    begin: datetime
    until: datetime
    at: datetime
    who: str
    findings: int
    followed: int
    words: str


def standings(found: Iterable[Sequence[Any]], days_of: Callable[[Policy], int], scope: UUID | None) -> list[Standing]:
    """Of each row (programme, code, profile, covered, first, name); the strictest policy says after how many days."""
    return [_standing(days_of, scope, *each) for each in found]


def _standing(
    days_of: Callable[[Policy], int], scope: UUID | None, programme: UUID, code: str, profile: str,
    covered: datetime | None, first: datetime | None, called: str,
) -> Standing:  # fmt: skip
    days = min(days_of(policy) for policy in promises.policies(None, programme, scope))
    begins = covered if covered is not None else first
    due = begins + timedelta(days=days) if begins is not None else None
    return Standing(programme, code, profile, covered, first, days, due, called)


def access_standing(found: Iterable[Standing], programme: UUID) -> Standing:
    one = next((each for each in found if each.programme == programme), None)
    if one is None:
        raise Http404
    return one


def sign(
    statement: str, actor: Actor, programme: UUID, begin: datetime, until: datetime, digest: bytes, said: str,
    verdicts: Sequence[Verdict], *, cause: str, told: str,
) -> UUID:  # fmt: skip
    """Its id. What is followed up becomes an incident with the clocks of the programme's promise. Raise Refused."""
    id_ = uuid7(until)
    ids = [uuid7(until) for _ in verdicts]
    seal = settings.TROTH_KEYS().operator.seal
    sealed = [
        seal(f"{told} {each.note}".strip().encode(), places.case_words(one))
        for one, each in zip(ids, verdicts, strict=True)
    ]
    clocks = promises.at_opening("incident", cause, promises.policies(None, programme, actor.scope), until)
    with refusals(), transaction.atomic():
        row(
            statement, id_, programme, begin, until, digest, said, [v.word for v in verdicts],
            [v.note for v in verdicts], ids, sealed, [clock.name for clock in clocks],
            [clock.due_at for clock in clocks], actor.secret,
        )  # fmt: skip
    return id_


def signed(found: Iterable[Sequence[Any]]) -> list[Signed]:
    return [
        Signed(id_, code, begin, until, at, name(account, name_ct), findings, followed, said)
        for id_, code, begin, until, at, account, name_ct, findings, followed, said in found
    ]


def plain(found: Any) -> Any:
    """Django leaves jsonb as text in a raw query."""
    return json.loads(found) if isinstance(found, str) else found
