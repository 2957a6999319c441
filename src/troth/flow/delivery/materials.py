"""Delivery, before composing: what messages share: templates compiled once, signing keys for a few seconds, the keys
of the other people in a header. Read from the store here, used in threads by the composer.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any
from uuid import UUID

import msgspec

from troth.flow.delivery.work import Work
from troth.keys import places
from troth.keys.errors import KeyringError
from troth.keys.keyring import Keyring, PersonKey
from troth.mail.dkim import DkimError, Signer
from troth.mail.render import Compiled, TemplateSource
from troth.store import gate, spool
from troth.store.connection import Connection

KEEP_TEMPLATES = 2_000
KEEP_SIGNERS = 2_000  # beyond those in use
FRESH = 5.0  # seconds that a signing key is believed, so that a rotation is soon seen


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A domain's key in force. `return_path` is the domain of its return paths, None: the installation's."""

    signer: Signer
    bits: int
    return_path: str | None


class Template:
    """One approved version; compiled when first rendered. Threads may share it."""

    __slots__ = ("_compiled", "_lock", "source")

    def __init__(self, artefact: Mapping[str, Any]) -> None:
        self.source = TemplateSource(artefact["subject"], artefact.get("html"), artefact.get("text"))
        self._compiled: Compiled | None = None
        self._lock = Lock()

    def compiled(self) -> Compiled:
        """RenderError when the source is none; always from the same immutable snapshot."""
        if self._compiled is None:
            with self._lock:
                self._compiled = self._compiled or Compiled(self.source)
        return self._compiled


class Materials:
    """The caches of one worker. `learn` fills them for a batch; the other methods only look."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._templates: OrderedDict[UUID, Template] = OrderedDict()
        self._signing: dict[UUID, SigningKey] = {}
        self._signing_read = float("-inf")
        self._opened: dict[UUID, tuple[spool.SigningKeyRow, SigningKey]] = {}  # opening one takes 40 ms

    async def learn(self, connection: Connection, works: Iterable[Work], clock: float) -> None:
        """Templates and signing keys of these works, where not known or no longer fresh."""
        claims = [w.claimed for w in works]
        await self._learn_templates(connection, {c.template_snapshot for c in claims if c.template_snapshot})
        domains = {c.domain_id for c in claims}
        if clock - self._signing_read > FRESH:
            self._signing = {}
            self._signing_read = clock
        if missing := domains - self._signing.keys():
            rows = await spool.signing_keys(connection, list(missing))
            found = {domain: self._signing_key(row) for domain, row in rows.items()}
            self._signing.update({domain: key for domain, key in found.items() if key})
            if len(self._opened) > KEEP_SIGNERS:
                self._opened = {domain: kept for domain, kept in self._opened.items() if domain in self._signing}

    async def people(self, connection: Connection, works: Mapping[UUID, Work]) -> dict[UUID, PersonKey]:
        """Keys of these people, each with a work of the same tenant; the erased and the unknown are left out."""
        keys: dict[UUID, PersonKey] = {}
        for person, row in (await spool.person_keys(connection, list(works))).items():
            work = works[person]
            if row.data_key is not None and row.tenant_id == work.claimed.tenant_id:
                keys[person] = self._keyring.tenant(row.tenant_id, work.loaded.keyset).person(row.data_key, person)
        return keys

    def template(self, snapshot: UUID) -> Template | None:
        return self._templates.get(snapshot)

    def signing(self, domain: UUID) -> SigningKey | None:
        """None: the domain has no live key, so it cannot be ready."""
        return self._signing.get(domain)

    async def _learn_templates(self, connection: Connection, wanted: set[UUID]) -> None:
        missing = wanted - self._templates.keys()
        if missing:
            for row in await gate.snapshots(connection, list(missing)):
                self._templates[row.id] = Template(msgspec.json.decode(row.artefact))
        for snapshot in wanted & self._templates.keys():
            self._templates.move_to_end(snapshot)
        while len(self._templates) > max(KEEP_TEMPLATES, len(wanted)):
            self._templates.popitem(last=False)

    def _signing_key(self, row: spool.SigningKeyRow) -> SigningKey | None:
        """Opened anew only when anything about it changed: the row says which key is in force, the key what it is."""
        kept, key = self._opened.get(row.domain_id, (None, None))
        if kept != row:
            key = self._open(row)
            if key is not None:
                self._opened[row.domain_id] = row, key
        return key

    def _open(self, row: spool.SigningKeyRow) -> SigningKey | None:
        try:
            tenant = self._keyring.tenant(row.tenant_id, row.keyset)
            pem = tenant.open(row.private_ct, places.dkim(row.domain_id, row.selector))
            signer = Signer(row.name, row.selector, pem)
        except (KeyringError, DkimError):
            return None  # unsigned nothing leaves: the mark's own word for it is an unready domain
        return SigningKey(signer, row.bits, row.return_path)
