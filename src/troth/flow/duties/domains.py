"""Beside the river: sending domains are asked about again and again; one whose records do not hold any more is closed
at once, people are told, and a waiting DKIM key takes over when its record has come.
"""

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from troth.flow.duties import alerts
from troth.flow.duties.sending import Sending
from troth.mail.domain_auth import Finding, Readiness
from troth.outside import domain_views
from troth.outside.dns import LookupFailed
from troth.outside.domain_check import Wanted, check, key_shown
from troth.outside.domain_views import Asked, View
from troth.rules.policy import PolicyError, resolve
from troth.store import domains as store
from troth.store.connection import Connection
from troth.store.domains import DomainToCheck, OtherKey, Verdict

log = structlog.get_logger("troth.duties")

RECHECK = timedelta(minutes=10)
_LONGEST = 1000  # characters kept of a record
_AT_ONCE = 8  # domains asked about at the same time
_NO_KEY = Finding(
    ok=False, code="dkim.no-key", sentence="The domain has no DKIM key: add it again with `troth domain add`."
)


type Shown = dict[str, Finding | LookupFailed]


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a domain; `seen` None: there is no key that the DNS could show. `others`: keys beside the active one,
    each with what every place that answered showed of it, by its name.
    """

    seen: Readiness | LookupFailed | None
    views: tuple[View, ...] = ()
    others: tuple[tuple[OtherKey, Shown], ...] = ()


async def check_domains(connection: Connection, sending: Sending, age: timedelta = RECHECK) -> int:
    """Ask the DNS about every domain not asked about for `age`, or ever; says how many were asked about."""
    found = await store.to_check(connection, age)
    others = await store.other_keys(connection, [each.domain_id for each in found]) if found else {}
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(domain: DomainToCheck) -> None:
        async with gate:
            await _record(connection, sending, domain, await look(sending, domain, others.get(domain.domain_id, ())))

    ends = await asyncio.gather(*map(one, found), return_exceptions=True)
    if wrong := [end for end in ends if isinstance(end, Exception)]:
        raise ExceptionGroup("some domains could not be checked", wrong)
    return len(found)


async def look(sending: Sending, domain: DomainToCheck, others: Sequence[OtherKey]) -> Seen:
    """Everything that the DNS says of a domain, at every place that is asked."""
    if domain.selector is None or domain.public_der is None:
        return Seen(None)
    wanted = _wanted(sending, domain, domain.selector, domain.public_der)
    asked = sending.asked
    if sending.servers_port is not None:
        asked += await domain_views.own_servers(asked[0].resolver, domain.name, sending.servers_port)
    views = await domain_views.look(asked, lambda resolver: check(resolver, wanted))
    reached = [each for each in asked if not each.own or each.who in {view.who for view in views}]
    shown = [(key, await _key(sending, domain, key, reached)) for key in others]
    return Seen(domain_views.verdict(views), views, tuple(shown))


def _wanted(sending: Sending, domain: DomainToCheck, selector: str, public: bytes) -> Wanted:
    return Wanted(
        domain.name.lower(), selector, base64.b64encode(public).decode(), sending.spf_required, sending.bounces
    )


async def _key(sending: Sending, domain: DomainToCheck, key: OtherKey, asked: Sequence[Asked]) -> Shown:
    wanted = _wanted(sending, domain, key.selector, key.public_der)
    shown = await asyncio.gather(*(key_shown(each.resolver, wanted) for each in asked))
    return {each.who: one for each, one in zip(asked, shown, strict=True)}


async def _record(connection: Connection, sending: Sending, domain: DomainToCheck, found: Seen) -> None:
    """Keep what was seen, tell people of what stopped or holds again, and move a waiting key on."""
    seen = found.seen
    verdict = Verdict(
        ready=isinstance(seen, Readiness) and seen.ready,
        failed=isinstance(seen, LookupFailed),
        path=isinstance(seen, Readiness) and seen.return_path is not None and seen.return_path.ok,
        findings=findings(seen),
        views=[_view(view, found) for view in found.views],
        grace=grace(domain),
    )
    # no transaction: the duties share a connection. Each step may be done again; it is told before it is forgotten
    if verdict.ready and domain.broken_at is not None:
        await alerts.recovered(connection, sending.operator, domain, domain.broken_at)
    broken = await store.checked(connection, domain, verdict)
    if broken is not None and not verdict.failed:
        await alerts.stopped(connection, sending.operator, domain, broken, verdict.findings)
    for key, shown in found.others:
        if key.state == "pending":
            await _move(connection, sending, key, shown)


async def _move(connection: Connection, sending: Sending, key: OtherKey, shown: Shown) -> None:
    """Every place must show it: whoever asks next may ask any of them. One that is silent has not shown it."""
    everywhere = bool(shown) and all(isinstance(each, Finding) and each.ok for each in shown.values())
    rotation = sending.rotation
    became = await store.looked(
        connection, key.id, everywhere=everywhere, settle=rotation.settle, overlap=rotation.overlap
    )
    if became != "pending":
        log.info("dkim.switched", domain=str(key.domain_id), selector=key.selector)


def _view(view: View, found: Seen) -> dict[str, Any]:
    """What a page shows of one place that was asked; `keys`: whether it shows those that wait, by selector."""
    ttl = view.seen.ttl if isinstance(view.seen, Readiness) else 0
    keys = {key.selector: _word(shown.get(view.who)) for key, shown in found.others if key.state == "pending"}
    kept = {"who": view.who, "own": view.own, "holds": view.holds, "ttl": ttl, "findings": findings(view.seen)}
    return {**kept, "keys": keys} if keys else kept


def _word(shown: Finding | LookupFailed | None) -> str:
    return "silent" if not isinstance(shown, Finding) else "shown" if shown.ok else "missing"


def findings(seen: Readiness | LookupFailed | None) -> list[dict[str, Any]]:
    """What is kept of a check: code, whether it holds, the sentence that says what to publish, and what was there."""
    if isinstance(seen, LookupFailed):
        found: tuple[Finding, ...] = (Finding(ok=False, code="dns.no-answer", sentence=seen.reason),)
    else:
        found = seen.findings if seen else (_NO_KEY,)
    return [_kept(each) for each in found]


def _kept(finding: Finding) -> dict[str, Any]:
    kept = {"code": finding.code, "ok": finding.ok, "sentence": finding.sentence}
    shown = finding.saw and (not finding.ok or finding.code.startswith("spf."))  # to be copied with ours
    return {**kept, "saw": [text[:_LONGEST] for text in finding.saw[:8]]} if shown else kept


def grace(domain: DomainToCheck) -> timedelta:
    """How long this look stands while the DNS does not answer; none where no policy is in force."""
    levels = (("promise", domain.promise), ("operator", domain.operator), ("tenant", domain.tenant))
    try:
        policy = resolve([(level, json.loads(text)) for level, text in levels if text is not None])
    except PolicyError as wrong:
        log.warning("no policy for a domain", domain=domain.name, reason=str(wrong))
        return timedelta(0)
    return timedelta(minutes=policy.domain.grace_minutes)
