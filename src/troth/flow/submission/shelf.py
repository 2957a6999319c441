"""Submission, reading back: the template versions that emails were made of, compiled once; a version never changes."""

from collections import OrderedDict
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from troth.mail.render import Compiled, TemplateSource
from troth.store import events, gate
from troth.store.connection import Connection

_KEEP = 500


@dataclass(frozen=True, slots=True)
class Shelved:
    """A version's code and number as the API names it, and the means to render it."""

    code: str
    version: int
    compiled: Compiled


@dataclass(slots=True)
class Shelf:
    """The versions last asked for."""

    _kept: OrderedDict[UUID, Shelved] = field(default_factory=OrderedDict)

    async def of_email(self, connection: Connection, tenant: UUID, email: UUID) -> Shelved | None:
        """The version that an email was accepted with; None for raw content."""
        facts = await events.email_facts(connection, tenant, email)
        if facts is None or facts.template_snapshot is None:
            return None
        found = self._kept.get(facts.template_snapshot)
        return found or await self._fetch(connection, facts.template_snapshot)

    async def _fetch(self, connection: Connection, snapshot_id: UUID) -> Shelved:
        row = (await gate.snapshots(connection, [snapshot_id]))[0]
        artefact = msgspec.json.decode(row.artefact)
        source = TemplateSource(artefact["subject"], artefact.get("html"), artefact.get("text"))
        found = self._kept[snapshot_id] = Shelved(row.code, row.version, Compiled(source))
        if len(self._kept) > _KEEP:
            self._kept.popitem(last=False)
        return found
