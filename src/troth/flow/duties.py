"""Beside the river: what must happen on time, whoever sends: the clock's mark, partitions, domain checks, sweeping,
and access that ends with a date.

One process leads (an advisory lock); others stand by and take over when its session ends. Each duty has a task and
an interval of its own, so that one that fails or is slow holds up no other.
"""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from troth.mail.domain_auth import Finding, Readiness
from troth.outside.dns import LookupFailed, Resolver
from troth.outside.domain_check import check_domain
from troth.rules.policy import PolicyError, resolve
from troth.store import access, people
from troth.store import duties as store
from troth.store.connection import Connection, Unavailable
from troth.store.duties import DomainToCheck

log = structlog.get_logger("troth.duties")

_AT_ONCE = 8  # domains asked about at the same time
_RECHECK = timedelta(minutes=10)
_NO_KEY = Finding(
    ok=False, code="dkim.no-key", sentence="The domain has no DKIM key: add it again with `troth domain add`."
)


@dataclass(frozen=True, slots=True)
class Duty:
    """`run` is asked at once and then every `every` seconds after it has ended, well or badly."""

    name: str
    every: float
    run: Callable[[Connection], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Sending:
    """What every sending domain must show. Return paths are the installation's own; alignment is DKIM's."""

    resolver: Resolver
    spf_required: str


def standard(sending: Sending) -> tuple[Duty, ...]:
    """The duties of an installation. Partitions are made 21 days ahead, so an hour's delay is nothing."""
    return (
        Duty("clock mark", 2, store.move_high_water),
        Duty("partitions", 3600, store.make_partitions),
        Duty("domain checks", 2, lambda connection: check_domains(connection, sending)),
        Duty("sweeping", 3600, store.sweep),
        Duty("access", 60, access.duty),
        Duty("changes that nobody decided", 60, store.expire_changes),
        Duty("verifications that ended", 60, people.expiry_duty),
    )


async def run_duties(
    connect: Callable[[str], Awaitable[Connection]],
    duties: Sequence[Duty],
    stop: asyncio.Event,
    *,
    tick: float = 1.0,
) -> None:
    """Lead or stand by until `stop`; a lost database is waited for, `tick` seconds between two tries."""
    while not stop.is_set():
        try:
            await _lead(connect, duties, stop)
        except* Unavailable as away:
            log.warning("the database is away", reason=str(away.exceptions[0]))
        await _pause(stop, tick)


async def _lead(connect: Callable[[str], Awaitable[Connection]], duties: Sequence[Duty], stop: asyncio.Event) -> None:
    connection = await connect("duties")
    try:
        if await store.lead(connection):
            async with asyncio.TaskGroup() as group:
                for duty in duties:
                    group.create_task(_keep(duty, connection, stop), name=duty.name)
    finally:
        await connection.close()


async def _keep(duty: Duty, connection: Connection, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await duty.run(connection)
        except Exception as trouble:
            if connection.closed:
                raise
            log.exception("a duty failed and will be tried again", duty=duty.name, reason=str(trouble))
        await _pause(stop, duty.every)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def check_domains(connection: Connection, sending: Sending, age: timedelta = _RECHECK) -> int:
    """Ask the DNS about every domain not asked about for `age`, or ever; says how many were asked about."""
    found = await store.domains_to_check(connection, age)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(domain: DomainToCheck) -> None:
        async with gate:
            await _record(connection, domain, await _look(sending, domain))

    ends = await asyncio.gather(*map(one, found), return_exceptions=True)
    if wrong := [end for end in ends if isinstance(end, Exception)]:
        raise ExceptionGroup("some domains could not be checked", wrong)
    return len(found)


async def _look(sending: Sending, domain: DomainToCheck) -> Readiness | LookupFailed | None:
    """None: there is no key that the DNS could show."""
    if domain.selector is None or domain.public_der is None:
        return None
    return await check_domain(
        sending.resolver,
        domain.name,
        domain.selector,
        base64.b64encode(domain.public_der).decode(),
        sending.spf_required,
    )


async def _record(connection: Connection, domain: DomainToCheck, seen: Readiness | LookupFailed | None) -> None:
    failed = isinstance(seen, LookupFailed)
    ready = isinstance(seen, Readiness) and seen.ready
    await store.domain_checked(
        connection, domain, ready=ready, failed=failed, findings=findings(seen), grace=grace(domain)
    )


def findings(seen: Readiness | LookupFailed | None) -> list[dict[str, Any]]:
    """What is kept of a check: code, whether it holds, and the sentence that says what to publish."""
    if isinstance(seen, LookupFailed):
        found: tuple[Finding, ...] = (Finding(ok=False, code="dns.no-answer", sentence=seen.reason),)
    else:
        found = seen.findings if seen else (_NO_KEY,)
    return [{"code": each.code, "ok": each.ok, "sentence": each.sentence} for each in found]


def grace(domain: DomainToCheck) -> timedelta:
    """How long this look stands while the DNS does not answer; none where no policy is in force."""
    levels = (("promise", domain.promise), ("operator", domain.operator), ("tenant", domain.tenant))
    try:
        policy = resolve([(level, json.loads(text)) for level, text in levels if text is not None])
    except PolicyError as wrong:
        log.warning("no policy for a domain", domain=domain.name, reason=str(wrong))
        return timedelta(0)
    return timedelta(minutes=policy.domain.grace_minutes)
