"""People with access: giving, changing and ending it as a change of kind `grant`, which a second person approves; and
the two acts of one person that only take away: a leaver's mark, and ending somebody's sessions.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from troth.control.access.reading import Arrival, Person, by_address, indexes_of, waiting
from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal, Proposed
from troth.control.audit.asking import row, rows
from troth.control.audit.refusals import Invalid, Problem, Refused, refusals
from troth.control.audit.scope import within
from troth.control.people.actor import Actor, raw
from troth.control.people.permissions import CLIENT_ROLES, OPERATOR_ROLES
from troth.keys import places
from troth.keys.ids import uuid7
from troth.mail.address import Address, AddressError, parse_address
from troth.mail.mailbox import Mailbox

LONGEST_NAME = 120
LAST_OWNER = "The last owner cannot be removed: make somebody else an owner first."
_LAST_OWNER = """
SELECT role = 'owner' AND tenant_id IS NULL AND NOT EXISTS (
    SELECT FROM troth.account o
    WHERE o.tenant_id IS NULL AND o.role = 'owner' AND o.disabled_at IS NULL AND o.id <> a.id)
FROM troth.account a WHERE a.id = %s
"""
_OTHER_ADMINS = """
SELECT count(*) FROM troth.account
WHERE tenant_id = %s AND role = 'admin' AND disabled_at IS NULL AND left_at IS NULL AND id <> %s
"""
_HUMAN = "SELECT troth.human_of_v1(%s, %s, %s)"
_ACCOUNT = "SELECT human_id, name_ct, address_ct, address_index FROM troth.account WHERE id = %s"
_CODE = "SELECT code FROM troth.governed WHERE subject = %s AND kind = 'grant'"
_WORDS = {
    "owner": "may everything that anybody of the operator may, giving access included",
    "security": "looks after access, sign-on and the records, and approves access",
    "deliverability": "looks after domains, categories and how mail goes",
    "compliance": "looks after policies, overrides and what is promised",
    "ops-admin": "looks after clients’ daily work: keys, releases, proposing access",
    "support": "reads, never content",
    "auditor": "reads everything that is evidence, never content",
    "admin": "gives access, runs keys, webhooks and sign-on, and may write and approve",
    "author": "writes categories and templates, and proposes them",
    "approver": "approves what others wrote, and may write",
    "developer": "looks after keys, webhooks and domains, and sees API requests",
    "viewer": "reads",
}


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the form of somebody new says."""

    name: str
    address: str
    role: str
    reason: str


def roles_of(tenant: UUID | None) -> list[tuple[str, str, str]]:
    """(value, label, what it means) of the roles that there are: a client's, or the operator's."""
    roles = OPERATOR_ROLES if tenant is None else CLIENT_ROLES
    return [(role, role.capitalize(), f"{_WORDS[role][:1].upper()}{_WORDS[role][1:]}.") for role in roles]


def invite(actor: Actor, given: Invitation) -> Proposed:
    """Propose somebody's access; raise Invalid with every fault, or Refused."""
    who = _checked(given, actor.scope)
    indexes = indexes_of(who.address.addr_spec)
    there = by_address(actor, indexes)
    if there is not None and there.disabled_at is None:
        raise Invalid([Problem("address", "there", _there(there))])
    if any(bytes.fromhex(each.index) in indexes and not each.retired for each in waiting(actor)):
        hint = "This is proposed already, and waits for a second person: see below."
        raise Invalid([Problem("address", "waits", hint)])
    now = changes.clock(raw())
    account = there.id if there else uuid7(now)
    human = there.human if there else _human(actor, indexes) or uuid7(now)
    return _propose(actor, account, _artefact(account, human, given.role, who, indexes[0]), given.reason)


def _checked(given: Invitation, tenant: UUID | None) -> Mailbox:
    problems = []
    name, address = " ".join(given.name.split()), None
    if not name:
        problems.append(Problem("name", "empty", "Write the name: an account is one person’s, never a team’s."))
    elif len(name) > LONGEST_NAME:
        problems.append(Problem("name", "long", f"A name has at most {LONGEST_NAME} characters; this has {len(name)}."))
    try:
        address = parse_address(given.address.strip())
    except AddressError as wrong:
        problems.append(Problem("address", "value", wrong.hint))
    if given.role not in {role for role, *_ in roles_of(tenant)}:
        problems.append(Problem("role", "unknown", "Choose one of the roles."))
    if not given.reason.strip():
        problems.append(Problem("reason", "empty", "Say why, for the person who approves."))
    if problems or address is None:
        raise Invalid(problems)
    return _mailbox(name, address)


def _mailbox(name: str, address: Address) -> Mailbox:
    try:
        return Mailbox(name, address)
    except AddressError as wrong:
        raise Invalid([Problem("name", "value", wrong.hint)]) from None


def _there(person: Person) -> str:
    return f"{person.name} has access with this address already, as {person.role}: change the role on their own page."


def _human(actor: Actor, indexes: list[bytes]) -> UUID | None:
    found = row(_HUMAN, actor.secret, actor.scope, indexes)
    return found[0] if found else None


def _artefact(account: UUID, human: UUID, role: str, who: Mailbox, index: bytes) -> dict[str, Any]:
    operator = settings.TROTH_KEYS().operator
    sealed = {
        "name_ct": operator.seal(who.name.encode(), places.account(account, "name")),
        "address_ct": operator.seal(who.address.addr_spec.encode(), places.account(account, "address")),
    }
    return {
        "human": str(human),
        "role": role,
        "address_index": index.hex(),
        **{name: base64.b64encode(value).decode() for name, value in sealed.items()},
    }


def change_role(actor: Actor, person: Person, role: str, reason: str) -> Proposed:
    """Also how a closed account is opened again, and a leaver stays."""
    problems = []
    if role not in {one for one, *_ in roles_of(actor.scope)}:
        problems.append(Problem("role", "unknown", "Choose one of the roles."))
    elif role == person.role and person.state not in ("closed", "leaving"):
        problems.append(Problem("role", "same", f"{person.name} has this role already: choose another."))
    elif role != "owner":
        problems += _last(person, "role")
    if not reason.strip():
        problems.append(Problem("reason", "empty", "Say why, for the person who approves."))
    if problems:
        raise Invalid(problems)
    return _propose(actor, person.id, _standing(person.id, role), reason)


def remove(actor: Actor, person: Person, reason: str) -> Proposed:
    """Access ends when a second person approves."""
    problems = _last(person, "")
    if not reason.strip():
        problems.append(Problem("reason", "empty", "Say why, for the person who approves."))
    if problems:
        raise Invalid(problems)
    return _propose(actor, person.id, {**_standing(person.id, person.role), "retired": True}, reason)


def _last(person: Person, place: str) -> list[Problem]:
    """The database refuses it too (trigger last_owner); here it is said before anybody is asked."""
    found = row(_LAST_OWNER, person.id)
    return [Problem(place, "last-owner", LAST_OWNER)] if found and found[0] else []


def last_admin(actor: Actor, person: Person) -> bool:
    """Nobody of the client's own could give access afterwards."""
    if actor.scope is None or person.role != "admin":
        return False
    others: int = rows(_OTHER_ADMINS, actor.scope, person.id)[0][0]
    return others == 0


def _standing(account: UUID, role: str) -> dict[str, Any]:
    """The account as it is, with this role."""
    found = row(_ACCOUNT, account)
    assert found is not None
    human, name_ct, address_ct, index = found
    return {
        "human": str(human),
        "role": role,
        "name_ct": base64.b64encode(bytes(name_ct)).decode(),
        "address_ct": base64.b64encode(bytes(address_ct)).decode(),
        "address_index": bytes(index).hex(),
    }


def _propose(actor: Actor, account: UUID, artefact: dict[str, Any], reason: str) -> Proposed:
    known = row(_CODE, account)
    code = known[0] if known else f"account-{account.hex}"
    return changes.propose(raw(), actor.secret, Proposal("grant", code, artefact, reason, actor.scope, account))


def invitation_of(arrival: Arrival, role: str, reason: str) -> Invitation:
    """Somebody who signed on without access gets some, as if they had been invited."""
    return Invitation(arrival.name or arrival.address, arrival.address, role, reason)


def mark_leaver(actor: Actor, person: Person, when: datetime | None) -> datetime:
    """When their access ends at the latest; None: as late as policy lets it."""
    with refusals(), within(raw(), actor.scope) as connection:
        query = "SELECT troth.leaver_mark_v1(%s, %s, %s)"
        found = connection.execute(query, (actor.secret, person.id, when)).fetchone()
    if found is None:
        raise Refused("The database gave no answer.")
    ends: datetime = found[0]
    return ends
