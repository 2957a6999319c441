"""The desks, what staff do with a case beside the steps that every case has: name its client, confirm abuse, write to
whoever reported, and thank them in public.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import transaction

from troth.control.abuse import filing
from troth.control.abuse.reading import Desk
from troth.control.audit.asking import row
from troth.control.audit.refusals import Refused, refusals
from troth.control.incidents import acts as steps
from troth.control.incidents.reading import Case
from troth.control.people.actor import Actor
from troth.keys import ids, places
from troth.rules import desks

if TYPE_CHECKING:
    from troth.rules.cases import Clock

_CLIENT = "SELECT troth.case_client_v1(%s, %s, %s, %s)"
_STOP = "SELECT troth.stop_v1(%s, NULL, 'stop-delivery', %s, %s)"
_TELL = "SELECT troth.case_tell_v1(%s, %s, %s, %s::text[], %s::timestamptz[], %s)"
_CONSENTED = "SELECT troth.disclosure_consented_v1(%s, %s, %s, %s, %s)"
_PUBLISH = "SELECT troth.disclosure_publish_v1(%s, %s, %s, %s, %s)"
_UNNAME = "SELECT troth.disclosure_unname_v1(%s, %s, %s)"


def client(actor: Actor, case: Case, desk: Desk, typed: Mapping[str, str]) -> None:
    """Raise Refused, as each of these does."""
    del desk
    try:
        tenant = UUID(typed["client"])
    except ValueError:
        raise Refused("Choose a client.") from None
    _done(_CLIENT, case.id, tenant, _entry(), actor.secret)


def confirm(actor: Actor, case: Case, desk: Desk, typed: Mapping[str, str]) -> None:
    """It is abuse. The database stops the account where policy says so; elsewhere whoever confirms may, with it."""
    with transaction.atomic():
        steps.take(actor, case, steps.Asked("resolve", "confirmed", typed["words"]))
        if typed.get("stop") == "yes" and not desk.suspends:
            _done(_STOP, desk.tenant, f"Abuse was confirmed: {case.reference}", actor.secret)


def tell(actor: Actor, case: Case, desk: Desk, typed: Mapping[str, str]) -> None:
    """An entry of the timeline, and a mail of the same words: once the gate has taken it, they were told."""
    entry, at = steps.once(typed["once"]), filing.now()
    found = filing.policies(desk.tenant if case.kind == "abuse" else None, case.programme_id)
    waits = case.kind == "disclosure" and case.outcome is None
    clocks: tuple[Clock, ...] = desks.soonest_update(found, at) if waits else ()
    sealed = _sealed(typed["words"], places.case_words(entry))
    names, dues = [clock.name for clock in clocks], [clock.due_at for clock in clocks]
    _done(_TELL, case.id, entry, sealed, names, dues, actor.secret)


def consent(actor: Actor, case: Case, desk: Desk, typed: Mapping[str, str]) -> None:
    del desk
    entry = _entry()
    words = _sealed(typed["words"], places.case_words(entry))
    _done(_CONSENTED, case.id, _sealed(typed["name"], places.case_credit(case.id)), entry, words, actor.secret)


def credit(actor: Actor, case: Case, desk: Desk, typed: Mapping[str, str]) -> None:
    _done(_PUBLISH, case.id, desk.name, typed["what"], _entry(), actor.secret)


def unname(actor: Actor, case: Case, desk: Desk, typed: Mapping[str, str]) -> None:
    del desk, typed
    _done(_UNNAME, case.id, _entry(), actor.secret)


def _entry() -> UUID:
    return ids.uuid7(filing.now())


def _sealed(words: str, place: bytes) -> bytes:
    sealed: bytes = settings.TROTH_KEYS().operator.seal(words.encode(), place)
    return sealed


def _done(query: str, *values: object) -> None:
    """In a savepoint, so that a refusal leaves a page that can still be drawn."""
    with refusals(), transaction.atomic():
        row(query, *values)
