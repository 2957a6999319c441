"""The demo's people: each with both factors of their own, who propose and approve as the house demands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import Any
from uuid import UUID

from troth.cli.demo.firms import Person
from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.audit.scope import Connection
from troth.control.people import sessions
from troth.control.people.credentials import Credential

_SOON = timedelta(minutes=2)


@dataclass(slots=True)
class Member:
    """Somebody with an account. A session is opened when one is needed, and anew when the clock has left it behind."""

    person: Person
    credential: Credential
    passphrase: str = field(repr=False)
    _session: sessions.Session | None = None
    _lock: Lock = field(default_factory=Lock)

    def session(self, connection: Connection) -> bytes:
        """The secret of a session that is open now."""
        with self._lock:
            if self._session is None or self._session.expires - changes.clock(connection) < _SOON:
                self._session = sessions.open_session(connection, self.credential, self.passphrase)
            return self._session.secret


@dataclass(frozen=True, slots=True)
class Made:
    """A version in force, and the thing that it is a version of."""

    subject: UUID
    snapshot: UUID


@dataclass(frozen=True, slots=True)
class Desk:
    """Two people at work for one tenant (None: for the installation), over one connection of role troth_control."""

    connection: Connection
    proposer: Member
    approver: Member
    tenant: UUID | None = None

    def govern(
        self, kind: str, code: str, artefact: Mapping[str, Any], reason: str, subject: UUID | None = None
    ) -> Made:
        """Proposed by one, looked at and approved by the other."""
        made = self.propose(kind, code, artefact, reason, subject)
        change = changes.find(self.connection, made.id, (self.tenant,))
        snapshot = changes.approve(self.connection, self.approver.session(self.connection), change, made.digest)
        assert snapshot is not None  # the demo's policies want one approval
        return Made(made.subject, snapshot)

    def propose(
        self, kind: str, code: str, artefact: Mapping[str, Any], reason: str, subject: UUID | None = None
    ) -> changes.Proposed:
        """Proposed, and waiting for a second person."""
        proposal = Proposal(kind, code, artefact, reason, self.tenant, subject)
        return changes.propose(self.connection, self.proposer.session(self.connection), proposal)

    def revoke(self, snapshot: UUID, reason: str) -> None:
        """Stop one version at once, which is the approver's act alone."""
        changes.revoke(self.connection, self.approver.session(self.connection), snapshot, reason, self.tenant)
