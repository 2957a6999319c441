"""Around the house: a first run's changes: proposed by the first owner, shown to the second, and approved by them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from troth.cli import names
from troth.cli.commands.change import picture
from troth.cli.first_run.asking import say, yes
from troth.cli.first_run.owners import Owner, uninterrupted
from troth.cli.words import CommandError
from troth.control.approvals import changes
from troth.control.approvals.changes import Change, Proposal
from troth.control.audit import scope
from troth.keys.opened import Keys


@dataclass(frozen=True, slots=True)
class Desk:
    """Both owners at one terminal."""

    connection: scope.Connection
    keys: Keys
    first: Owner
    second: Owner

    def waiting(self, kind: str, tenant: UUID | None = None, code: str | None = None) -> Change | None:
        """A change of this kind that was proposed and not decided, by a run that was stopped."""
        found = changes.listed(self.connection, tenant)
        return next((c for c in found if c.kind == kind and not c.expired and code in (None, c.code)), None)

    def propose(
        self,
        kind: str,
        code: str,
        artefact: Mapping[str, Any],
        *,
        tenant: UUID | None = None,
        subject: UUID | None = None,
        along: Callable[[UUID], None] | None = None,
    ) -> Change:
        """`along` is done in the same transaction, with the subject: both or neither."""
        proposal = Proposal(kind, code, artefact, "The installation's first day", tenant, subject)
        secret = self.first.session(self.connection)
        with uninterrupted(), self.connection.transaction():
            made = changes.propose(self.connection, secret, proposal)
            if along:
                along(made.subject)
        return changes.find(self.connection, made.id, (tenant,))

    def approve(self, change: Change) -> None:
        """Shown to the second owner, and approved; CommandError when they will not."""
        known = names.known(self.connection, self.keys, change.tenant_id)
        say("", f"{self.second.name}, this is proposed:")
        say(*(f"  {line}" for line in picture(change, changes.before(self.connection, change), known)))
        if not yes(f"Does {self.second.name} approve exactly this", default=None):
            raise CommandError(
                f"Not approved: {change.kind} {change.code} stays proposed. Close it with "
                f"`troth change close {change.id} --note WHY`, then run `troth init` again."
            )
        changes.approve(self.connection, self.second.session(self.connection), change, change.digest)
        say(f"Approved: {change.kind} {change.code}.")
