"""Audits: the trust document of one programme, made and signed: /trust/<code>/trust.json, and a part of every bundle.

All of it is read in one transaction, and nothing is claimed that no entry of the ledger under its checkpoint says: a
promise whose newest telling is not sealed yet has no data yet.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from troth.control.audit.scope import Connection
from troth.control.audits import handed_in, promises
from troth.control.audits.ledgers import Head, clock, head
from troth.control.audits.promises import Stand
from troth.control.audits.seeing import seeing
from troth.control.trust.controls import control_of
from troth.control.trust.look import Programme
from troth.control.trust.promised import Promised, in_force, promised
from troth.control.trust.shown import standing
from troth.ledger import trust_document as form
from troth.ledger.leaf import microseconds
from troth.ledger.trust_document import Claim, Ledger, Manifest, Trust, encode

_DAYS, _FAILING = 7, "withdraw"  # where no policy is in force: nothing is promised then
_INSTALLATION = "installation"


def paper(connection: Connection, keys: Any, programme: Programme) -> bytes:
    """The file; raise NoLedger (temporary) while the ledger does not cover it, WrongKey. `keys` have `.secrets`."""
    with seeing(connection, None):
        return encode(trust(connection, programme, head(connection)), keys.secrets.ledger_seed)


def trust(connection: Connection, programme: Programme, newest: Head) -> Trust:
    """The document under one checkpoint, unsigned."""
    policy = in_force(connection, programme)
    days = policy.trust.paper_days if policy else _DAYS
    failing = policy.trust.failing if policy else _FAILING
    claims = _claims(connection, programme, newest, withdraw=failing == "withdraw")
    name, _ = newest.note.split("\n", 1)
    now = clock(connection)  # no look that was read is later, while the watch goes on
    return Trust(
        form.TYPE,
        promises.programme(connection, programme.id),
        microseconds(now),
        microseconds(now + timedelta(days=days)),
        Ledger(name, newest.note, newest.size, newest.root.hex(), newest.vkey),
        promises.policy(connection, programme.code, newest.size),
        claims,
        Manifest(handed_in.public(connection, programme.id), _sentences(claims)),
        clock=form.MOVED if newest.movable else "",
    )


def _claims(connection: Connection, programme: Programme, newest: Head, *, withdraw: bool) -> list[Claim]:
    stands = promises.stands(connection, programme.id, newest.size)
    parts = standing(connection, programme)
    states = {claim: str(part.state) for claim, part in parts.items()}
    return [
        _claim(each, states.get(each.claim.id, form.NO_CONTROL), stands, withdraw=withdraw)
        for each in promised(connection, programme)
    ]


def _claim(each: Promised, found: str, stands: Mapping[tuple[str, bool], Stand], *, withdraw: bool) -> Claim:
    claim = each.claim
    kept = stands.get((claim.id, claim.scope == _INSTALLATION))
    control, state = control_of(claim.id), _state(found, kept)
    shown = form.CLAIMED if state == form.HOLDS else form.SAID
    if state == form.FAILS and withdraw:
        shown = form.WITHDRAWN
    looked = kept if state != form.NO_CONTROL else None
    told = looked.told if looked and _fits(looked, state) else None
    return Claim(
        claim.id, claim.chapter, claim.kind, claim.scope, shown, state, claim.owner, list(claim.frameworks),
        sentence=None if shown == form.WITHDRAWN else each.sentence,
        how=control.how if control and looked else None,
        checked_at=microseconds(looked.checked_at) if looked else None,
        since=microseconds(looked.since) if looked else None,
        evidence=looked.evidence if looked and told else None,
        told=told,
    )  # fmt: skip


def _state(state: str, kept: Stand | None) -> str:
    """As it is shown: what is not proved by an entry is not said to hold."""
    proved = kept is not None and kept.told is not None and kept.state in (state, form.HOLDS)
    if state not in form.STATES or (state in (form.HOLDS, form.STALE) and not proved):
        return form.NO_DATA
    return state


def _fits(kept: Stand, state: str) -> bool:
    """Its newest telling is of this state: a turn of this moment may not be told yet."""
    return state in (form.NO_DATA, kept.state) or (kept.state, state) == (form.HOLDS, form.STALE)


def _sentences(claims: list[Claim]) -> dict[str, str]:
    return {each.id: hashlib.sha256(each.sentence.encode()).hexdigest() for each in claims if each.sentence is not None}
