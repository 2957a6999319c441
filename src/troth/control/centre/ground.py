"""The trust centre: what every answer stands on: the programmes, the database's clock, and a mark that changes with
anything that a page says. Two queries; the same mark gives the same page.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.http.request import split_domain_port

from troth.control.audit.asking import row, rows
from troth.control.trust.look import Programme

# one snapshot, so that a sentence and its state are of the same moment; nobody's page keeps it long
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = '5s'"
_PROGRAMMES = """
SELECT p.id, p.code, p.name, p.profile, lower(p.domain), s.artefact FROM troth.programme p
LEFT JOIN troth.governed g ON g.subject = p.id AND g.kind = 'programme'
LEFT JOIN troth.snapshot s ON s.id = g.snapshot_id
ORDER BY p.name, p.id LIMIT 200
"""
_MARK = """
SELECT troth.now_v1(), (SELECT max(checked_at) FROM troth.claim_state), concat_ws(' ',
    (SELECT max(id) FROM troth.claim_history),
    (SELECT md5(string_agg(concat_ws(' ', claim, programme_id, state, checked_at, since, md5(evidence)), ','
                           ORDER BY claim, programme_id)) FROM troth.claim_state),
    (SELECT md5(string_agg(concat_ws(' ', kind, code, snapshot_id, retired), ',' ORDER BY kind, code))
     FROM troth.governed WHERE tenant_id IS NULL AND kind IN ('policy', 'programme')),
    (SELECT md5(string_agg(concat_ws(' ', id, accepted_at, withdrawn_at), ',' ORDER BY id))
     FROM troth.evidence WHERE public))
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A programme as its page shows it. `contacts`: what two people approved; "" where it names none."""

    id: UUID
    code: str
    name: str
    profile: str
    domain: str
    contacts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def programme(self) -> Programme:
        return Programme(self.id, self.code, self.profile)

    def mail(self, desk: str) -> str:
        """The address of a desk: the programme's, else the installation's, else ""."""
        ours = f"{desk}@{settings.TROTH_MAIL_DOMAIN}" if settings.TROTH_MAIL_DOMAIN and desk != "privacy" else ""
        return str(self.contacts.get(desk) or ours)


@dataclass(frozen=True, slots=True)
class Ground:
    """`checked_at`: of the newest check, None before the first."""

    places: tuple[Place, ...]
    now: datetime
    checked_at: datetime | None
    mark: str

    def place(self, code: str) -> Place | None:
        return next((each for each in self.places if each.code == code), None)


@contextmanager
def standing() -> Iterator[Ground]:
    """What there is, and the snapshot in which more may be asked; within a caller's transaction it is the caller's."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute(_SNAPSHOT)
        yield read()


def read() -> Ground:
    found = row(_MARK)
    assert found is not None
    now, checked_at, mark = found
    places = tuple(_place(*each) for each in rows(_PROGRAMMES))
    told = json.dumps([[str(each.id), each.name, each.domain] for each in places])
    return Ground(places, now, checked_at, f"{mark} {told}")


def _place(id_: UUID, code: str, name: str, profile: str, domain: str, artefact: str | None) -> Place:
    return Place(id_, code, name, profile, domain, json.loads(artefact or "{}").get("contacts") or {})


def own(host: str, places: tuple[Place, ...]) -> Place | None:
    """The programme whose own name the browser asked for; None on the installation's."""
    name, _ = split_domain_port(host)  # in lower case, without the dot of the root
    return next((each for each in places if each.domain == name), None)


def theirs(host: str) -> bool:
    """Whether a name is a programme's own; the installation's is known without asking."""
    if split_domain_port(host)[0] == urlsplit(settings.TROTH_PUBLIC_URL).hostname:
        return False
    return own(host, read().places) is not None
