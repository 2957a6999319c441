"""The desks: a form that was sent becomes a case: matched to a message by the tokens in what was pasted, sealed, on the
clocks of whoever's mail it is about; and who sent it is mailed once, if they left an address.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.db import transaction

from troth.control.abuse.typed import SEVERITY, WHAT, Form
from troth.control.abuse.who import Who
from troth.control.audit.asking import row, rows
from troth.control.incidents.opening import NewCase, note, open_case
from troth.keys import ids, naming, places
from troth.keys.installation import Purpose
from troth.keys.opened import Keys
from troth.mail.address import parse_address
from troth.rules import desks
from troth.rules.policy import Policy

MOST, EACH, OCTETS = 500, 20, 134_217_728  # forms of a day, of one place, octets; letters have their own room
ACKNOWLEDGED = 500  # mails of ours in a day that answer forms, over both desks
_PROGRAMMES = "SELECT lower(domain) FROM troth.programme"
_ROOM = "SELECT troth.desk_room_v1(%s, %s, %s, %s, %s, %s)"
_MATCH = (
    "SELECT message_id, tenant_id, programme_id, category_id, template_subject, domain FROM troth.desk_match_v1(%s)"
)
_POLICIES = "SELECT profile, plan, promise, operator, client FROM troth.desk_policies_v1(%s, %s)"
_REPORTER = "SELECT troth.case_reporter_v1(%s, %s, %s, false)"
_RECEIVED = "SELECT troth.case_received_v1(%s, %s, NULL, %s)"
_CREDIT = "SELECT troth.disclosure_consent_v1(%s, %s)"
_LABELS = {
    "what": "What is wrong", "source": "The message", "words": "In their words", "address": "Address",
    "title": "What it is", "where": "Where", "how": "How it can be seen", "severity": "How bad, as they see it",
    "credit": "To be thanked by name", "name": "Name",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filed:
    """`mailed`: whether an acknowledgement is on its way."""

    case: UUID
    mailed: bool


def policies(tenant: UUID | None, programme: UUID | None) -> tuple[Policy, ...]:
    """What rules a case of this client, or of this programme, or of anybody."""
    return desks.policies(desks.Stack(*found) for found in rows(_POLICIES, tenant, programme))


def now() -> datetime:
    found = row("SELECT troth.now_v1()")
    assert found is not None
    at: datetime = found[0]
    return at


@transaction.atomic
def file(form: Form, typed: Mapping[str, str], who: Who, place: str, once: bytes) -> Filed | None:
    """None: there is no room for it today. `once`: makes the same form, sent twice, one case. Raise Refused."""
    keys = settings.TROTH_KEYS()
    octets = sum(len(value.encode()) for value in typed.values())
    if not _room(keys, form, place, octets):
        return None
    at = now()
    named = naming.in_text(keys.secrets, "\n".join(typed.get(name, "") for name in ("source", "words", "how")))
    match = _match(named)
    found = policies(match[1] if match else None, match[2] if match else who.programme)
    made, cause = ids.uuid7(at), "form"
    case = open_case(NewCase(
        made, form.kind, cause, f"form:{once.hex()}", _title(form, who), tenant=match[1] if match else None,
        programme=match[2] if match else who.programme, message=match[0] if match else None,
        category=match[3] if match else None, template=match[4] if match else None,
        clocks=desks.soonest(form.kind, cause, found, at),
    ))  # fmt: skip
    if case != made:
        return Filed(case, mailed=False)
    _seal(keys, form, typed, case, at)
    return Filed(case, _answer(keys, typed, case, at))


def _room(keys: Keys, form: Form, place: str, octets: int) -> bool:
    source = hmac.digest(keys.secrets.token_keys(Purpose.CASE)[0], b"desk place\0" + place.encode(), sha256)
    found = row(_ROOM, f"{form.desk}:form", source if place else b"", octets, MOST, EACH, OCTETS)
    return bool(found and found[0])


def _match(named: tuple[naming.Named, ...]) -> tuple[UUID, UUID, UUID, UUID, UUID | None] | None:
    """message, tenant, programme, category, template: of the first that is there; by its Message-ID only under the
    domain that sent it.
    """
    there = {found[0]: found for found in rows(_MATCH, [one.message for one in named])} if named else {}
    for one in named:
        found = there.get(one.message)
        if found and (one.signed or one.domain == found[5]):
            return found[0], found[1], found[2], found[3], found[4]
    return None


def _title(form: Form, who: Who) -> str:
    return f"{'Report of abuse' if form.kind == 'abuse' else 'Report of a weakness'} by the form of {who.name}"[:200]


def _seal(keys: Keys, form: Form, typed: Mapping[str, str], case: UUID, at: datetime) -> None:
    """The words in the timeline, all of it as the paper; who is named by consent, apart."""
    entry, operator = ids.uuid7(at), keys.operator
    choices = {**dict(WHAT), **dict(SEVERITY), "yes": "yes", "no": "no"}
    told = {
        name: choices.get(value, value) for name, value in typed.items() if value and name not in ("address", "name")
    }
    whole = "\n\n".join(f"{_LABELS[name]}:\n{value}" for name, value in told.items())
    short = "\n\n".join(f"{_LABELS[name]}:\n{value[:2_000]}" for name, value in told.items() if name != "source")
    words = operator.seal(short.encode(), places.case_words(entry))
    note(case, entry, "form", words, operator.seal(whole.encode(), places.case_paper(entry)))
    if form.kind == "disclosure" and typed["credit"] == "yes":
        row(_CREDIT, case, operator.seal(typed["name"].encode(), places.case_credit(case)))


def _answer(keys: Keys, typed: Mapping[str, str], case: UUID, at: datetime) -> bool:
    """Nobody at an address of ours is mailed: that would be a letter to the desk itself."""
    if not typed["address"]:
        return False
    address = parse_address(typed["address"])
    ours = {
        settings.TROTH_MAIL_DOMAIN.lower(),
        settings.TROTH_RETURN_PATH.lower(),
        *(each for (each,) in rows(_PROGRAMMES)),
    }
    if address.domain in ours:
        return False
    sealed = keys.operator.seal(address.addr_spec.encode(), places.case_reporter(case))
    row(_REPORTER, case, keys.secrets.blind_index().index(address.normal), sealed)
    found = row(_RECEIVED, ids.uuid7(at), case, ACKNOWLEDGED)
    return bool(found and found[0] == "queued")
