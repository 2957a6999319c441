"""Webhooks, before sending: claims become letters to post: the URL, the secrets and the payload, opened."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
import structlog

from troth.flow.webhooks import payload, recipient_payload, sending_payload
from troth.flow.webhooks.counters import Counters
from troth.flow.webhooks.deps import Deps
from troth.flow.webhooks.judging import Attempt, Unmade
from troth.flow.webhooks.payload import Opened, Template
from troth.keys import places
from troth.keys.errors import KmsUnavailable, Undecryptable
from troth.keys.hook_ids import event_id
from troth.mail.render import Compiled, TemplateSource
from troth.rules.hook_events import RECIPIENTS, SENDING, TEST_KIND
from troth.store import hooks as store
from troth.store.connection import Connection
from troth.store.hooks import Claimed, Clocks, EndpointDue, Loaded

log = structlog.get_logger("troth.webhooks")
_KEEP = 500  # compiled templates
_AWAY = Unmade("The keys are away; it is tried again.")
_BROKEN = Unmade("The endpoint's URL or secret cannot be opened; rotate its secret, or remove it and add it anew.")


@dataclass(frozen=True, slots=True)
class Post:
    """One delivery, ready."""

    claim: Claimed
    event_id: str
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Place:
    url: str
    secrets: tuple[str, ...]


@dataclass(slots=True)
class Loader:
    """Opens what claims need. What cannot be opened comes back as an attempt that was not made."""

    deps: Deps
    counters: Counters
    _templates: OrderedDict[UUID, Template] = field(default_factory=OrderedDict)

    async def load(
        self, connection: Connection, endpoints: Sequence[EndpointDue], claims: Sequence[Claimed], clocks: Clocks
    ) -> list[Post | Attempt]:
        by_id = {each.id: each for each in endpoints}
        secrets = await store.secrets(connection, list(by_id), clocks.now)
        loaded = await store.load(connection, [c for c in claims if c.kind not in RECIPIENTS and c.kind not in SENDING])
        people = await store.load_people(connection, [claim for claim in claims if claim.kind in RECIPIENTS])
        found = await store.load_anomalies(connection, [claim for claim in claims if claim.kind in SENDING])
        templates = await self._compiled(connection, {r.template_snapshot for r in loaded.values()} - {None})
        places_of = {key: self._place(each, secrets) for key, each in by_id.items()}
        return [
            self._person_post(by_id[claim.endpoint_id], places_of[claim.endpoint_id], claim, people.get(claim.id))
            if claim.kind in RECIPIENTS
            else self._sending_post(places_of[claim.endpoint_id], claim, found.get(claim.id))
            if claim.kind in SENDING
            else self._post(
                by_id[claim.endpoint_id], places_of[claim.endpoint_id], claim, loaded.get(claim.id), templates
            )
            for claim in claims
        ]

    def _place(self, endpoint: EndpointDue, secrets: Sequence[store.SecretRow]) -> _Place | Unmade:
        try:
            keys = self.deps.keyring.tenant(endpoint.tenant_id, endpoint.keyset)
            url = keys.open(endpoint.url_ct, places.webhook_url(endpoint.id)).decode()
            mine = (row for row in secrets if row.endpoint_id == endpoint.id)
            texts = tuple(keys.open(row.secret_ct, places.webhook_secret(row.id)).decode() for row in mine)
        except KmsUnavailable:
            return _AWAY
        except Undecryptable:
            texts = ()
        if not texts:
            self.counters.broken += 1
            log.error("webhook.endpoint-unreadable", endpoint=str(endpoint.id))
            return _BROKEN
        return _Place(url, texts)

    def _post(
        self,
        endpoint: EndpointDue,
        place: _Place | Unmade,
        claim: Claimed,
        loaded: Loaded | None,
        templates: dict[UUID, Template],
    ) -> Post | Attempt:
        if isinstance(place, Unmade):
            return Attempt(claim, place)
        cell = self.deps.cell
        if claim.kind == TEST_KIND:
            body = payload.test_body(claim, cell)
        else:
            opened = self._opened(endpoint, claim, loaded)
            if isinstance(opened, Unmade):
                return Attempt(claim, opened)
            snapshot = loaded.template_snapshot if loaded else None
            body = payload.body(claim, loaded, opened, templates.get(snapshot) if snapshot else None, cell)
        name = event_id(cell, claim.message_id, claim.kind, claim.source_key)
        return Post(claim, name, place.url, place.secrets, body)

    def _sending_post(
        self, place: _Place | Unmade, claim: Claimed, loaded: store.LoadedAnomaly | None
    ) -> Post | Attempt:
        """An event about a client's sending."""
        if isinstance(place, Unmade):
            return Attempt(claim, place)
        name = event_id(self.deps.cell, claim.message_id, claim.kind, claim.source_key)
        return Post(claim, name, place.url, place.secrets, sending_payload.body(claim, loaded))

    def _person_post(
        self, endpoint: EndpointDue, place: _Place | Unmade, claim: Claimed, loaded: store.LoadedPerson | None
    ) -> Post | Attempt:
        """An event about a recipient; an address that cannot be opened is left out."""
        if isinstance(place, Unmade):
            return Attempt(claim, place)
        try:
            address = recipient_payload.address(self.deps.keyring, endpoint, loaded)
        except KmsUnavailable:
            return Attempt(claim, _AWAY)
        except Undecryptable:
            self.counters.unread += 1
            log.error("webhook.payload-unreadable", recipient=str(claim.message_id))  # noqa: TRY400 - as above
            address = None
        body = recipient_payload.body(claim, loaded, address, self.deps.cell)
        name = event_id(self.deps.cell, claim.message_id, claim.kind, claim.source_key)
        return Post(claim, name, place.url, place.secrets, body)

    def _opened(self, endpoint: EndpointDue, claim: Claimed, loaded: Loaded | None) -> Opened | Unmade:
        """What cannot be opened for good is left out, as with somebody erased: the event itself is still told."""
        if loaded is None:
            return Opened()
        try:
            return payload.open_parts(self.deps.keyring, endpoint, claim, loaded)
        except KmsUnavailable:
            return _AWAY
        except Undecryptable:
            self.counters.unread += 1
            log.error("webhook.payload-unreadable", message=str(claim.message_id))  # noqa: TRY400 - the trace says no more
            return Opened()

    async def _compiled(self, connection: Connection, wanted: Iterable[UUID | None]) -> dict[UUID, Template]:
        ids = [each for each in wanted if each is not None]
        if missing := [each for each in ids if each not in self._templates]:
            for row in await store.templates(connection, missing):
                self._templates[row.id] = _template(row)
        found = {each: self._templates[each] for each in ids if each in self._templates}
        while len(self._templates) > _KEEP:
            self._templates.popitem(last=False)
        return found


def _template(row: store.TemplateRow) -> Template:
    artefact = msgspec.json.decode(row.artefact)
    source = TemplateSource(artefact["subject"], artefact.get("html"), artefact.get("text"))
    return Template(row.code, row.version, Compiled(source))
