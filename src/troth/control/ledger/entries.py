"""Evidence, for the pages: entries of the ledger, newest first, each in a sentence; a member sees their client's own.

What the installation did (tenant none) names other clients, so it is for staff; seals name nobody and are for all.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.http import Http404

from troth.control.audit.asking import row
from troth.control.ledger import proof
from troth.control.people.actor import Actor
from troth.ledger.leaf import leaf_hash
from troth.ledger.proofs import BadProof, verify_inclusion

PAGE = 50
_SEAL = "evidence:batch:seal"
_ENTRY = "SELECT index, kind, at, leaf, leaf_hash, tenant_id FROM troth.ledger_leaf WHERE log_id = 1"
_SEEN = " AND (tenant_id = %s OR (tenant_id IS NULL AND (%s OR kind = %s)))"
# the sorts of entries, each as its indexes say it (sql/0002_recent.sql), so that a list reads as many rows as it shows
_SORTS = {
    "acts": "kind <> 'evidence:batch:seal' AND NOT starts_with(kind, 'access:')",
    "looks": "starts_with(kind, 'access:')",
    "seals": "kind = 'evidence:batch:seal'",
}
_OF = f"({_ENTRY} AND {{whose}} AND {{sort}} AND index < %(before)s ORDER BY index DESC LIMIT %(most)s)"
_ONE = f"{_ENTRY}{_SEEN} AND index = %s"
_CHANGE = {
    "propose": "{of} “{code}” was proposed",
    "approve": "{of} “{code}” was approved by a second person",
    "reject": "{of} “{code}” was rejected",
    "withdraw": "{of} “{code}” was withdrawn",
    "endorse": "{of} “{code}” was approved by one of several people",
    "expire": "{of} “{code}” expired: nobody decided it in time",
    "comment": "Somebody commented on a change",
    "assign": "Somebody was asked to look at a change",
}
_WORDS = {
    **{f"governance:change:{act}": words for act, words in _CHANGE.items()},
    "governance:version:revoke": "A version of {of} “{code}” was stopped",
    "governance:loop:add": "A feedback loop was added: {name}, of {provider}",
    "governance:loop:end": "A feedback loop was ended: {why}",
    "governance:template:flag": "A template was marked for review: {why}",
    "governance:template:unflag": "A template’s mark was taken away after a review: {why}",
    "reports:review:signed": "Somebody signed a review of what others report of our mail: {findings} findings",
    "complaints:review:signed": "Somebody signed a review of complaints: {findings} findings",
    "people:session:open": "Somebody signed in to the pages",
    "people:session:end": "A session of the pages ended: {why}",
    "people:factor:add": "Somebody added a factor to their sign-in ({type})",
    "people:factor:remove": "Somebody removed a factor from their sign-in ({type})",
    "people:password:set": "Somebody set their password",
    "people:arrival:forget": "Somebody who came by sign-on, and was given no access, was forgotten",
    "people:sign-on-domain:prove": "A domain was shown to be the client’s, for sign-on: {domain}",
    "people:account:close": "Somebody’s access ended ({role}): {why}",
    "people:leaver:mark": "Somebody was marked as leaving; their access ends by {ends}",
    "people:key:close": "An API key was ended: {why}",
    "people:review:open": "An access review of {items} began; it is to be decided by {due}",
    "people:review:confirm": "An access review confirmed a {of} ({role})",
    "people:review:revoke": "An access review revoked a {of} ({role}): {note}",
    "people:review:lapse": "A {of} ({role}) that no access review confirmed lost access",
    "people:review:keep": "The last owner was confirmed by nobody in an access review, and keeps access",
    "people:review:note": "A {of} ({role}) of an access review had no access any more",
    "people:review:close": "An access review ended: {confirmed} confirmed, {ended} ended, {kept} kept",
    "access:record:view": "Somebody looked at {shown} entries of the log of access",
    "access:record:export": "Somebody took an export of a record ({log}, {format})",
    "access:audit:view": "Somebody looked at a period’s evidence of the programme {programme}",
    "access:audit:bundle": "Somebody took a period’s evidence of the programme {programme} as a file",
    "access:review:export": "Somebody took an access review’s evidence ({format})",
    "people:password-link:make": "A link to set a password was made ({for})",
    "privacy:person:erase": "A recipient was erased",
    "privacy:import:receive": "Somebody handed in a file to import ({of})",
    "privacy:import:drop": "A file that was handed in was let go ({of})",
    "privacy:import:apply": "An import was carried out ({of}): {what}",
    "privacy:agreement:keep": "The hash of a signed agreement was kept ({signed})",
    "privacy:person:export": "A recipient took a copy of what is held about them",
    "privacy:abuse:report": "A recipient reported a message as abuse",
    "privacy:abuse:close": "A report of abuse was closed",
    "feedback:letter:read": "Somebody read a letter that was kept for a person ({desk})",
    "sending:dkim:stopped": "Somebody stopped the rotation of a domain's DKIM key",
    "feedback:letter:done": "Somebody was done with {count} letters that were kept for a person",
    "privacy:service:open": "A required notice may not be mailed and is to be served otherwise",
    "privacy:request:open": "A recipient who cannot be mailed asks the client for what is held about them ({asks})",
    "privacy:service:done": "A required notice was served otherwise ({how})",
    "privacy:opt-in:record": "A recipient took an opt-out back",
    "privacy:consent:record": "Consent was recorded ({count})",
    "privacy:consent:withdraw": "Consent was withdrawn ({count})",
    "sending:anomaly:raise": "Something unusual was found ({cause}): {n} against {of}; a person looks by {review}",
    "sending:anomaly:look": "Somebody looked at what the watch had found, and left it stopped",
    "sending:pause:start": "Sending was paused ({effect}): {reason}",
    "sending:clock:stop": "Everything was stopped, since the clock was once ahead (its mark {mark}): {reason}",
    "sending:clock:set": "Two people took the clock’s mark back from {from} to {to}",
    "access:message:view": "Somebody looked at a message",
    "access:message:list": "Somebody looked at a list of {shown} messages",
    "access:service:list": "Somebody looked at {shown} notices to be served otherwise",
    "access:abuse:list": "Somebody looked at {shown} reports of abuse",
    "access:message:receipt": "Somebody took a message’s receipt",
    "access:recipient:list": "Somebody looked at a list of {shown} recipients",
    "access:recipient:view": "Somebody looked at a recipient",
    "access:import:preview": "Somebody looked at the first rows of an import",
    "access:suppression:list": "Somebody looked at {shown} suppressions",
    "access:suppression:export": "Somebody took the list of suppressions ({format})",
    "suppression:entry:add": "Somebody put an address on the list of suppressions",
    "webhook:endpoint:add": "A webhook endpoint was added",
    "webhook:endpoint:change": "A webhook endpoint’s address or events were changed",
    "webhook:endpoint:disable": "A webhook endpoint was disabled",
    "webhook:endpoint:enable": "A webhook endpoint was enabled again",
    "webhook:endpoint:remove": "A webhook endpoint was removed",
    "webhook:secret:add": "A webhook endpoint got a new signing secret",
    "webhook:secret:end": "A webhook endpoint’s signing secret was given an end",
    "webhook:delivery:replay": "{more} webhook deliveries were asked for again",
    "backup:database:take": "A backup was taken, of {rows} rows",
    "backup:database:restore": "The house was restored from a backup, and all sending paused",
    "access:asking:view": "Somebody read what a stranger asked of a trust centre",
    "trust:asking:confirm": "Somebody from outside confirmed what they asked ({of}): {reference}",
    "trust:asking:decide": "{reference} was decided: {what}",
    "trust:asking:take": "A document that was granted was taken ({reference})",
    "trust:asking:publish": "An answer was shown to everybody ({reference})",
    "trust:asking:unpublish": "An answer was taken from the public page ({reference})",
    "trust:asking:shred": "What was asked and answered was shredded ({reference})",
    "access:evidence:take": "Somebody took a file of evidence",
    "trust:evidence:submit": "Evidence for the promise “{claim}” was handed in ({of}, good until {until})",
    "trust:evidence:accept": "Evidence for a promise was accepted by a second person",
    "trust:evidence:withdraw": "Evidence for a promise was withdrawn: {why}",
    "trust:claim:check": "The promise “{claim}” was checked: {state}",
    _SEAL: "{count} message events were sealed",
}


_TONES = {
    "trust:evidence:submit": "person",
    "trust:evidence:accept": "kept",
    "governance:change:propose": "person",
    "governance:change:approve": "kept",
    "governance:version:revoke": "broken",
    "sending:pause:start": "waiting",
    "sending:clock:stop": "waiting",
    _SEAL: "kept",
}
_THINGS = {"api-key": "API key"}
_CASES = {"incident": "An incident", "abuse": "A report of abuse", "disclosure": "A report of a weakness"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One leaf. `says` is its sentence; `fields` its own keys and values, as hashed."""

    index: int
    kind: str
    at: datetime
    leaf: str
    leaf_hash: bytes
    tenant: UUID | None
    says: str
    fields: dict[str, Any]

    @property
    def tone(self) -> str:
        return _TONES.get(self.kind, "none")


@dataclass(frozen=True, slots=True)
class Proved:
    """The path of an entry to the newest checkpoint; `holds`: it was walked here, just now."""

    checkpoint: proof.Newest
    path: tuple[bytes, ...]
    holds: bool


def recent(actor: Actor, before: int, *, seals: bool, looks: bool) -> list[Entry]:
    """PAGE of those before an index, one more if there are more; `seals` of message events and `looks` at people's
    data are among them or not.
    """
    parts = [part for part, on in (("acts", True), ("looks", looks), ("seals", seals)) if on]
    lists = " UNION ALL ".join(_lists(actor, parts))
    with connection.cursor() as cursor:
        values = {"tenant": actor.scope, "before": before, "most": PAGE + 1}
        cursor.execute(f"SELECT * FROM ({lists}) AS l ORDER BY index DESC LIMIT %(most)s", values)  # noqa: S608 - our words
        return [_entry(each) for each in cursor.fetchall()]


def _lists(actor: Actor, parts: Iterable[str]) -> Iterator[str]:
    """A list for each sort and each owner whose entries this person sees, as _SEEN says it."""
    for part in parts:
        if actor.scope is not None:
            yield _OF.format(whose="tenant_id = %(tenant)s", sort=_SORTS[part])
        if actor.staff or part == "seals":
            yield _OF.format(whose="tenant_id IS NULL", sort=_SORTS[part])


def access_entry(actor: Actor, index: int) -> Entry:
    """Raise Http404 for what is not there, and for what is another client's."""
    found = row(_ONE, *_seen(actor), index)
    if found is None:
        raise Http404
    return _entry(found)


def newest() -> proof.Newest | None:
    with connection.cursor() as cursor:
        return proof.newest(cursor)


def proved(entry: Entry) -> Proved | None:
    """None while no checkpoint covers it."""
    with connection.cursor() as cursor:
        checkpoint = proof.newest(cursor)
        if checkpoint is None or entry.index >= checkpoint.size:
            return None
        path = proof.inclusion(cursor, entry.index, checkpoint.size)
    try:
        verify_inclusion(entry.index, checkpoint.size, leaf_hash(entry.leaf.encode()), path, checkpoint.root)
    except BadProof:
        return Proved(checkpoint, path, holds=False)
    return Proved(checkpoint, path, holds=True)


def _seen(actor: Actor) -> tuple[UUID | None, bool, str]:
    return actor.scope, actor.staff, _SEAL


def _entry(found: tuple[Any, ...]) -> Entry:
    index, kind, at, leaf, hashed, tenant = found
    fields = json.loads(leaf)
    return Entry(index, kind, at, leaf, bytes(hashed), tenant, _says(kind, fields), fields)


def _says(kind: str, fields: dict[str, Any]) -> str:
    """A kind without words of its own says its name."""
    words = _WORDS.get(kind)
    room, thing, act = kind.split(":")
    if words is None and room == "cases":
        words = f"{_CASES.get(thing, 'A case')}, on its timeline: {act.replace('-', ' ')} {{value}}"
    if words is None:
        return kind.replace(":", ", ").replace("-", " ").capitalize()
    given = {name: f"{value:,}" if isinstance(value, int) else str(value) for name, value in fields.items()}
    given["of"] = _THINGS.get(given.get("of", ""), given.get("of", "a thing"))
    said = words.format_map(_Named(given))
    return said[:1].upper() + said[1:]


class _Named(dict[str, str]):
    """An entry of an older kind may lack a field."""

    def __missing__(self, key: str) -> str:
        return "?"
