"""Asking, what staff do: answer, grant, refuse or put aside, each once; and show an answer to everybody, or no more."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from django.conf import settings
from django.db import transaction

from troth.control.abuse.filing import now
from troth.control.asking.reading import Asked
from troth.control.audit.asking import row
from troth.control.audit.refusals import refusals
from troth.control.people.actor import Actor
from troth.keys import ids, places

_DECIDE = "SELECT troth.asked_decide_v1(%s, %s, %s, %s, %s, %s)"
_PUBLISH = "SELECT troth.asked_publish_v1(%s, %s, %s, %s)"
_UNPUBLISH = "SELECT troth.asked_unpublish_v1(%s, %s)"


def decide(actor: Actor, asked: Asked, outcome: str, typed: Mapping[str, str], chosen: Sequence[str]) -> None:
    """Raise Refused, as each of these does. The form's own `once` makes it one, however often it is sent."""
    letter = once(typed.get("once", ""))
    sealed = settings.TROTH_KEYS().operator.seal(typed["words"].encode(), places.asked(asked.id, "answer"))
    _done(_DECIDE, asked.id, letter, outcome, sealed, list(_uuids(chosen)), actor.secret)


def publish(actor: Actor, asked: Asked, typed: Mapping[str, str]) -> None:
    _done(_PUBLISH, asked.id, typed["question"], typed["answer"], actor.secret)


def unpublish(actor: Actor, asked: Asked) -> None:
    _done(_UNPUBLISH, asked.id, actor.secret)


def once(text: str) -> UUID:
    """What a form brought back; a new one for a new form."""
    with suppress(ValueError):
        return UUID(text)
    return ids.uuid7(now())


def _uuids(chosen: Sequence[str]) -> list[UUID]:
    found = []
    for each in chosen[:100]:
        with suppress(ValueError):
            found.append(UUID(each))
    return found


def _done(query: str, *values: object) -> None:
    """In a savepoint, so that a refusal leaves a page that can still be drawn."""
    with refusals(), transaction.atomic():
        row(query, *values)
