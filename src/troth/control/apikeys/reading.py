"""API keys, read: each with its scope and secrets, when it ends, when it was last used; never the key itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.people.actor import Actor

MOST = 500  # keys in the list; the newest
SOON = timedelta(days=14)
_KEYS = """
SELECT k.id, g.code, k.name, k.prefix, k.mode = 2, k.networks::text[], k.expires_at, k.revoked_at, k.created_at,
       g.retired, r.snapshot_id IS NOT NULL, s.id, s.version, s.artefact,
       (SELECT max(h.last_used_at) FROM troth.api_key_secret h WHERE h.key_id = k.id), troth.now_v1()
FROM troth.api_key k
JOIN troth.governed g ON g.subject = k.id
JOIN troth.snapshot s ON s.id = k.snapshot_id
LEFT JOIN troth.revocation r ON r.snapshot_id = k.snapshot_id
WHERE k.tenant_id = %s
"""
_SECRETS = """
SELECT h.prefix, h.created_at, h.ends_at, h.last_used_at, h.snapshot_id, s.version
FROM troth.api_key_secret h JOIN troth.snapshot s ON s.id = h.snapshot_id
WHERE h.tenant_id = %s AND h.key_id = %s ORDER BY h.created_at DESC LIMIT 50
"""
_VERSIONS = """
SELECT s.version, s.approved_at, s.change_id, s.artefact FROM troth.snapshot s
WHERE s.kind = 'api-key' AND s.tenant_id = %s AND s.subject = %s ORDER BY s.version DESC LIMIT 50
"""
_WAITING = """
SELECT c.id, c.code, c.subject, c.artefact::jsonb ->> 'name', c.proposed_at FROM troth.change c
WHERE c.kind = 'api-key' AND c.state = 1 AND c.expires_at > troth.now_v1() AND c.tenant_id = %s
ORDER BY c.proposed_at DESC LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class Secret:
    """`snapshot`: the version that brought it."""

    prefix: str
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None
    snapshot: UUID
    version: int
    current: bool
    live: bool


@dataclass(frozen=True, slots=True)
class Key:
    """`artefact` is that of the version in force. `snapshot`: that version; `now`: the database's clock."""

    id: UUID
    code: str
    name: str
    prefix: str
    test: bool
    networks: list[str]
    ends_at: datetime
    revoked_at: datetime | None
    made_at: datetime
    retired: bool
    stopped: bool
    snapshot: UUID
    version: int
    artefact: Mapping[str, Any] = field(repr=False)
    used_at: datetime | None
    now: datetime

    @property
    def state(self) -> str:
        """The look's word: what may be done with it now."""
        if self.revoked_at is not None or self.stopped:
            return "stopped"
        if self.retired:
            return "retired"
        return "expired" if self.ends_at <= self.now else "test" if self.test else "live"

    @property
    def usable(self) -> bool:
        return self.state in ("live", "test")

    @property
    def soon(self) -> bool:
        """Whether it is time to rotate it."""
        return self.usable and self.ends_at - self.now <= SOON

    @property
    def left(self) -> timedelta:
        return self.ends_at - self.now

    @property
    def categories(self) -> list[str] | None:
        given = self.artefact.get("categories")
        return None if given is None else list(given)

    @property
    def key_hour(self) -> int | None:
        """Its own rate, where it has one."""
        given: int | None = self.artefact.get("policy", {}).get("limits", {}).get("key_hour")
        return given


def keys(actor: Actor) -> list[Key]:
    """Those of the client that is looked at: what works first, what ends first on top."""
    found = [_key(each) for each in rows(f"{_KEYS} ORDER BY k.created_at DESC LIMIT {MOST}", actor.scope)]
    return [*sorted((k for k in found if k.usable), key=lambda k: k.ends_at), *(k for k in found if not k.usable)]


def access_key(actor: Actor, subject: UUID) -> Key:
    """Missing and another client's read the same: Http404."""
    found = row(f"{_KEYS} AND k.id = %s", actor.scope, subject)
    if found is None:
        raise Http404
    return _key(found)


def _key(found: tuple[Any, ...]) -> Key:
    values = list(found)
    values[13] = json.loads(values[13])
    return Key(*values)


def secrets(actor: Actor, key: Key) -> list[Secret]:
    """The newest first."""
    return [
        Secret(prefix, made, ends, used, snapshot, version, current=n == 0, live=key.usable and ends > key.now)
        for n, (prefix, made, ends, used, snapshot, version) in enumerate(rows(_SECRETS, actor.scope, key.id))
    ]


def versions(actor: Actor, key: Key) -> list[dict[str, Any]]:
    """What each approved version changed, the newest first."""
    found = [
        (number, at, change, json.loads(text)) for number, at, change, text in rows(_VERSIONS, actor.scope, key.id)
    ]
    before: list[Mapping[str, Any]] = [artefact for *_, artefact in found[1:]]
    return [
        {
            "version": number,
            "at": at,
            "change": change,
            "said": changed(before[n] if n < len(before) else None, artefact),
        }
        for n, (number, at, change, artefact) in enumerate(found)
    ]


def changed(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    """One version against the one before it, as a sentence."""
    if before is None:
        return "The key was made"
    told = []
    if before.get("hash") != after.get("hash"):
        told.append("a new secret")
    for name, words in (("categories", "categories"), ("networks", "networks"), ("mode", "live or test"),
                        ("policy", "its own rate"), ("name", "name"), ("expires_at", "end")):  # fmt: skip
        if before.get(name) != after.get(name) and not (name == "expires_at" and told[:1] == ["a new secret"]):
            told.append(words)
    if after.get("retired") != before.get("retired"):
        told.append("retired" if after.get("retired") else "taken up again")
    return f"Changed: {', '.join(told)}" if told else "Approved again, unchanged"


def cell() -> str:
    """This cell's letter, which every key names."""
    found = row("SELECT cell FROM troth.installation")
    assert found is not None  # no page opens without an installation
    return str(found[0])


def waiting(actor: Actor) -> list[dict[str, Any]]:
    """Proposals that nobody decided yet."""
    names = ("id", "code", "subject", "name", "at")
    return [dict(zip(names, each, strict=True)) for each in rows(_WAITING, actor.scope)]
