"""The desks, read for staff: what is known of a case beside the case itself: whose mail it is about, who reported, what
was mailed to them, and who may be thanked.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from troth.control.audit.asking import row
from troth.control.incidents.reading import Case
from troth.control.people.actor import Actor
from troth.keys import places
from troth.keys.errors import Undecryptable

_DESK = """
SELECT tenant_id, client, found, suspends, stopped_at, address_ct, confirmed_at, confirmed_how, quiet_at, received,
       name_ct, consented_at, published_at, withdrawn_at, report
FROM troth.case_desk_v1(%s, %s)
"""
UNREADABLE = "cannot be opened: what lies there is not what was kept"


@dataclass(frozen=True, slots=True)
class Desk:
    """`found`: a person named the client, no token did. `suspends`: confirmed abuse stops this client by policy;
    `stopped_at`: its mail is stopped now. `address` "": nobody left one, or it is not for this person. `received`: "",
    queued, mailed, or why the acknowledgement was not sent. `name`: to thank. `report`: a recipient's own.
    """

    tenant: UUID | None
    client: str
    found: bool
    suspends: bool
    stopped_at: datetime | None
    address: str
    confirmed_at: datetime | None
    confirmed_how: str
    quiet_at: datetime | None
    received: str
    name: str
    consented_at: datetime | None
    published_at: datetime | None
    withdrawn_at: datetime | None
    report: UUID | None

    @property
    def tells(self) -> bool:
        """Whether somebody asked to be told."""
        return self.confirmed_at is not None and self.quiet_at is None

    @property
    def credits(self) -> bool:
        """Whether there is a consent that stands."""
        return self.consented_at is not None and self.withdrawn_at is None


def desk(actor: Actor, case: Case) -> Desk:
    """Of a case that this person may see; sealed things for those who may act on it."""
    found = row(_DESK, case.id, actor.secret)
    assert found is not None
    (tenant, client, named, suspends, stopped, address, confirmed, how, quiet, received, name, consented, published,
     withdrawn, report) = found  # fmt: skip
    shown = _opened(address, places.case_reporter(case.id)) if case.acts else ""
    named_as = _opened(name, places.case_credit(case.id)) if case.acts else ""
    return Desk(
        tenant, client or "", bool(named and tenant), bool(suspends), stopped, shown, confirmed, how or "", quiet,
        received or "", named_as, consented, published, withdrawn,
        report,
    )  # fmt: skip


def _opened(sealed: Any, place: bytes) -> str:
    if sealed is None:
        return ""
    try:
        found: bytes = settings.TROTH_KEYS().operator.open(bytes(sealed), place)
    except Undecryptable:
        return UNREADABLE
    return found.decode()
