"""The script: 200 messages in ten parts, the same for each profile, through the real gate and the worker's own rules.

Each part says what came of it in a few words that name numbers, so that two profiles differ there or do not.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.races.ground import Ground
from tests.support.firm import Firm, make_firm, now

from troth.flow.gate.accept import Gate
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Taken
from troth.mail.reply import classify
from troth.rules.policy import Policy, resolve
from troth.rules.profile import load_profile
from troth.rules.retry import Retry, next_step
from troth.rules.states import State

PATHWAYS = ("confirmation-link", "employer-invitation", "vendor-agreement", "multi-step")
_OWN = {"property": "confirmation-link", "construction": "confirmation-link", "retail": "multi-step"}
_WEEK = [1000] * 7


@dataclass(frozen=True)
class Cast:
    """One programme of a profile, its client and its gate."""

    at: Ground
    profile: str
    firm: Firm
    gate: Gate
    policy: Policy

    def person(self, name: str, pathway: str = "", status: int = 2) -> str:
        address = f"{name}@{self.profile}.example"
        way = pathway or _OWN[self.profile]
        self.firm.person(address, status, "confirmation-link" if way == "vendor-agreement" else way)
        if way == "vendor-agreement":  # with its signed document's hash
            self.sql("UPDATE troth.person SET pathway = %s, agreement = sha256('signed') WHERE id = %s", way,
                     self.firm.people[address])  # fmt: skip
        return address

    async def ask(self, addresses: list[str]) -> str:
        """Each in an email of its own, one after the other; what came of them, counted."""
        found = Counter([await self._one(address) for address in addresses])
        return ", ".join(f"{n} {word}" for word, n in sorted(found.items(), key=lambda one: (-one[1], one[0])))

    async def _one(self, address: str) -> str:
        asked = EmailAsked(to=(address,), template="reminder", variables={"name": "Ann"})
        answer = await self.gate.submit(Ask(Caller(key_hash=self.firm.key_hash), (asked,), "POST", "/emails"))
        if not isinstance(answer, Taken):
            return answer.refusal.code
        query = "SELECT state FROM troth.message WHERE email_id = %s"
        return State(self.sql(query, answer.ids[0])[0][0]).name.lower()

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = self.at.operator.admin.execute(query, values or None)
        return cursor.fetchall() if cursor.description else []


def cast(at: Ground, profile: str, gate: Gate) -> Cast:
    """A firm under the profile's own numbers, word for word."""
    firm = make_firm(at.operator, profile, profile)
    document = json.loads(json.dumps(load_profile(profile).document))
    subject = at.operator.admin.execute(
        "SELECT subject FROM governed WHERE code = %s", (f"programme:p-{profile}",)
    ).fetchone()[0]
    at.operator.govern("policy", None, f"programme:p-{profile}", document, subject)
    plan = load_profile(profile).plans.get("standard")
    levels = [("promise", document), *([("plan", plan)] if plan else [])]
    return Cast(at, profile, firm, gate, resolve(levels))


async def plain(c: Cast) -> str:
    return await c.ask([c.person(f"plain{n}") for n in range(20)])


async def pathways(c: Cast) -> str:
    return await c.ask([c.person(f"{way}{n}", way) for way in PATHWAYS for n in range(5)])


async def unverified(c: Cast) -> str:
    return await c.ask([c.person(f"pending{n}", status=1) for n in range(20)])


async def suppressed(c: Cast) -> str:
    addresses = [c.person(f"listed{n}") for n in range(20)]
    for address in addresses:
        c.sql("SELECT suppress_v1(ARRAY[%s::bytea], ARRAY[2::smallint], ARRAY['script'], ARRAY[%s::uuid], ARRAY[NULL::bytea])",
              c.firm.index(address), c.firm.tenant)  # fmt: skip
    return await c.ask(addresses)


async def one_recipient(c: Cast) -> str:
    return await c.ask([c.person("often")] * 30)


async def hard_bounces(c: Cast) -> str:
    """The worker's rule, shown ten replies that say that the address is bad."""
    return _counted(_steps(c, 550, "5.1.1") for _ in range(10))


async def full_mailboxes(c: Cast) -> str:
    """The same, of twenty mailboxes that stay full."""
    return _counted(_steps(c, 452, "4.2.2") for _ in range(20))


def _counted(found: Iterator[str]) -> str:
    return ", ".join(f"{n} {word}" for word, n in Counter(found).items())


def _steps(c: Cast, code: int, enhanced: str) -> str:
    began = now()
    failure, attempts, at, waits = classify(code, enhanced, "", "rcpt"), 1, began, []
    while True:
        step = next_step(
            failure.kind, permanent=failure.permanent, address_bad=failure.address_bad, policy=c.policy,
            attempts_of_this_schedule=attempts, first_attempt_at=began, now=at,
            lifetime_ends_at=began + timedelta(days=30), message_id="m",
        )  # fmt: skip
        if not isinstance(step, Retry):
            kept = "suppressed" if getattr(step, "suppress", False) else "not suppressed"
            return (
                f"{step.reason}, {kept}, retries after {_hours(waits)}" if waits else f"{step.reason}, {kept} at once"
            )
        waits.append((step.at - began).total_seconds() / 3600)
        attempts, at = attempts + 1, step.at


def _hours(waits: list[float]) -> str:
    """From the first attempt, with the jitter taken away."""
    return ", ".join(f"{round(wait * 2) / 2:g}" for wait in waits) + " h"


async def busy(c: Cast) -> str:
    """A day at 180 % of the week's mean."""
    return await _volume(c, 1800, "busy")


async def wild(c: Cast) -> str:
    """A day at 250 %."""
    return await _volume(c, 2500, "wild")


async def _volume(c: Cast, recent: int, name: str) -> str:
    c.sql("SET session_replication_role = replica")
    c.sql("DELETE FROM troth.anomaly WHERE tenant_id = %s", c.firm.tenant)
    c.sql("DELETE FROM troth.pause WHERE tenant_id = %s", c.firm.tenant)
    c.sql("DELETE FROM troth.volume_gauge WHERE tenant_id = %s", c.firm.tenant)
    c.sql("SET session_replication_role = origin")
    c.sql("DELETE FROM troth.volume_slot WHERE tenant_id = %s", c.firm.tenant)
    for day, n in enumerate([recent, *_WEEK]):  # by the middle of each 24 hours
        c.sql("INSERT INTO troth.volume_slot SELECT %s, date_bin('5 minutes', now_v1() - make_interval(hours => %s), 'epoch'), %s",
              c.firm.tenant, day * 24 + 12, n)  # fmt: skip
    c.sql("INSERT INTO troth.volume_gauge (tenant_id, first_at, counted_at, recent, previous)"
          " VALUES (%s, now_v1() - interval '60 days', now_v1() - interval '1 hour', %s, %s)",
          c.firm.tenant, recent, _WEEK)  # fmt: skip
    said = await c.ask([c.person(f"{name}{n}") for n in range(20)])
    effect = c.sql("SELECT effect FROM troth.pause WHERE tenant_id = %s AND released_at IS NULL", c.firm.tenant)
    return f"{said}; {effect[0][0] if effect else 'nothing'}"


async def a_full_hour(c: Cast) -> str:
    """The client has sent 990 in this hour before, and the hour lasts until all is asked."""
    if (moment := now()).minute == 59:
        await asyncio.sleep(61 - moment.second)
    c.sql("SET session_replication_role = replica")
    c.sql("DELETE FROM troth.anomaly WHERE tenant_id = %s", c.firm.tenant)
    c.sql("DELETE FROM troth.pause WHERE tenant_id = %s", c.firm.tenant)
    c.sql("SET session_replication_role = origin")
    c.sql("DELETE FROM troth.volume_slot WHERE tenant_id = %s", c.firm.tenant)
    c.sql("UPDATE troth.volume_gauge SET recent = 0, since = 0 WHERE tenant_id = %s", c.firm.tenant)
    c.sql("UPDATE troth.rate_counter SET used = 990, cap = greatest(cap, 990) WHERE tenant_id = %s AND scope = 1"
          " AND window_start = date_trunc('hour', now_v1(), 'UTC')", c.firm.tenant)  # fmt: skip
    return await c.ask([c.person(f"late{n}") for n in range(20)])


@dataclass(frozen=True)
class Part:
    """`claims`: those that say what differs here; none: every profile does the same."""

    name: str
    messages: int
    claims: tuple[str, ...]
    run: Callable[[Cast], Any]


SCRIPT = (
    Part("plain mail", 20, (), plain),
    Part("five recipients of each pathway", 20, ("RCP-1",), pathways),
    Part("recipients who never confirmed", 20, (), unverified),
    Part("recipients on the list", 20, (), suppressed),
    Part("one template, one recipient, 30 times", 30, ("LIM-2",), one_recipient),
    Part("addresses that do not exist", 10, (), hard_bounces),
    Part("mailboxes that stay full", 20, ("BNC-2",), full_mailboxes),
    Part("a day at 180 % of the week", 20, ("LIM-3",), busy),
    Part("a day at 250 % of the week", 20, ("LIM-3",), wild),
    Part("20 more after 990 in an hour", 20, ("LIM-1",), a_full_hour),
)
