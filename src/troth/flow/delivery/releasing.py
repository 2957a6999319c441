"""Delivery's second counting: what two people let go, or whose hold ended by itself in a later hour, is counted anew,
in the windows in which it goes, then queued.

Counting, telling and queueing are one transaction, so a message is counted once for its release whoever dies when. The
policy and the counters are the gate's own. Without room the order stands and is tried again when a window ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from troth.flow import events
from troth.flow.delivery.settling import stopped
from troth.flow.delivery.work import Back, Work
from troth.flow.events import Happening, Settlement
from troth.flow.gate import limits
from troth.flow.gate.limits import Asked
from troth.flow.gate.world import Memory, World, know_keys, learn
from troth.rules.mark import MarkVerdict
from troth.rules.rates import slowed
from troth.rules.states import Kind, State
from troth.store import events as told
from troth.store import gate, spool
from troth.store.connection import Connection

LOST_TOO_OFTEN = 5  # claims; rendering in a child did not help, so something else about it kills
AGAIN = timedelta(minutes=5)  # until a message is tried again that no policy could be found for


@dataclass(slots=True)
class Releases:
    """`memory` keeps the snapshots that were read, as at the gate."""

    memory: Memory = field(default_factory=Memory)

    async def settle(self, connection: Connection, work: Work, now: datetime) -> Settlement | None:
        """Queued and counted, or held on and not counted; None when the claim is another worker's now."""

        async def decide() -> Settlement:
            if (goes := work.claimed.counted) > now:  # its time has not come: it is counted there already
                return _released(work, goes)
            asked = await self._asked(connection, work, now)
            short = await _reserve(connection, asked) if asked is not None else []
            if asked and not short:
                return _released(work, now, (now, limits.day_in(asked)))
            change = await spool.release_change(connection, work.claimed.message_id)
            held = _held(work, now, short, f"release:{change}", "It was released")
            return replace(held, order_stands=True)

        return await events.settle_by(connection, work.claim, decide, now)

    async def hold_over(
        self, connection: Connection, work: Work, now: datetime, route: str
    ) -> Settlement | Back | None:
        """A hold that ended by itself: queued and counted in this hour, if nothing holds it any more.

        The mark itself is asked, in a savepoint that is undone, so that a message is not counted for a hold that lasts.
        """
        back: Settlement | Back | None = None

        async def decide() -> Settlement | None:
            nonlocal back
            back = await self._over(connection, work, now, route)
            return back if isinstance(back, Settlement) else None

        settled = await events.settle_by(connection, work.claim, decide, now)
        return back if isinstance(back, Back) else settled

    async def _over(self, connection: Connection, work: Work, now: datetime, route: str) -> Settlement | Back | None:
        async with connection.transaction(force_rollback=True):
            found = await spool.mark(connection, claims=[work.claim], lease=timedelta(minutes=1), route=route)
        verdict = MarkVerdict(found[work.claimed.message_id])
        if verdict is not MarkVerdict.OK:
            return stopped(work, verdict, now)
        asked = await self._asked(connection, work, now)
        short = await _reserve(connection, asked) if asked is not None else []
        if asked and not short:
            detail = {"reason": "hold-over"}
            happening = _happening(work, Kind.QUEUED, f"claim:{work.claimed.token}", detail)
            kept = _kept(work, State.QUEUED, now, work.claimed.lost_claims, (now, limits.day_in(asked)))
            return Settlement(work.claimed.token, (happening,), State.QUEUED, kept)
        return _held(work, now, short, f"claim:{work.claimed.token}", "Its hold is over")

    async def _asked(self, connection: Connection, work: Work, now: datetime) -> list[Asked] | None:
        """None when what governs the message cannot be found: then nothing lets it go."""
        tenant = work.claimed.tenant_id
        facts = await told.email_facts(connection, tenant, work.claimed.email_id)
        if facts is None:
            return None
        hashes = [facts.key_hash] if facts.key_hash else []
        await know_keys(connection, self.memory, hashes)
        wanted = gate.Wanted(now, hashes, [tenant], [tenant], (), ())
        return _counters(await learn(connection, self.memory, wanted), facts, work, now)


def _counters(world: World, facts: told.EmailFacts, work: Work, now: datetime) -> list[Asked] | None:
    """As the gate makes them; `asker` and scope are the key's, or the tenant's when it is Troth's own mail."""
    caller = world.system.get(work.claimed.tenant_id)
    key = world.keys.get(facts.key_hash) if facts.key_hash else None
    category = next((g for g in world.governed.values() if g.subject == facts.category_id), None)
    if caller is None or category is None:
        return None
    version = world.version(caller.tenant_id, "category", category.code)
    resolved = world.policy(caller, version, key.scope_snapshot if key else None)
    if resolved is None:
        return None
    asker = key.key_id if key else caller.tenant_id
    what = facts.template_subject or category.subject
    places = limits.Windows(caller.tenant_id, caller.timezone, asker, what, now)
    slow = slowed(world.paused(caller.tenant_id, category.subject), resolved.policy)
    shared = limits.shared(places, resolved.policy, 1, slow=slow)
    return [*shared, limits.personal(places, resolved.policy, work.claimed.blind_index)]


async def _reserve(connection: Connection, asked: Sequence[Asked]) -> list[Asked]:
    """All of them or none; those without room."""
    amounts = [(a.counter, a.amount) for a in asked]
    reserved = await gate.reserve(connection, amounts)
    short = [a for a in asked if a.counter.key not in reserved]
    if short:
        await gate.give_back(connection, [(c, n) for c, n in amounts if c.key in reserved])
    return short


def _released(
    work: Work, goes: datetime, counted: tuple[datetime | None, datetime | None] = (None, None)
) -> Settlement:
    """A poison that people let go gets one more chance, rendered apart."""
    lost = min(work.claimed.lost_claims, LOST_TOO_OFTEN - 1)
    detail = {"reason": "released"}
    happening = _happening(work, Kind.RELEASED, f"claim:{work.claimed.token}", detail)
    kept = _kept(work, State.QUEUED, goes, lost, counted)
    return Settlement(work.claimed.token, (happening,), State.QUEUED, kept)


def _held(work: Work, now: datetime, short: Sequence[Asked], source: str, why: str) -> Settlement:
    """Told once for each release: its event's key is the people's change, so that later tries are the same event."""
    until = min((a.resets_at for a in short), default=now + AGAIN)
    due = min(until, work.claimed.lifetime_ends)
    detail: dict[str, Any] = {"reason": "rate", "sentence": _sentence(short, why), "until": due.isoformat()}
    happening = _happening(work, Kind.HELD, source, detail)
    kept = _kept(work, State.HELD, due, work.claimed.lost_claims)
    return Settlement(work.claimed.token, (happening,), State.HELD, kept)


def _sentence(short: Sequence[Asked], why: str) -> str:
    if not short:
        return f"{why}, but no policy in force says how many may go; asked again every 5 minutes."
    scope, window = limits.names(min(short, key=lambda a: a.resets_at).counter.scope)
    return f"{why}, but its {scope} has no room left in this {window}; it goes by itself when there is."


def _happening(work: Work, kind: Kind, source: str, detail: dict[str, Any]) -> Happening:
    return Happening(work.claimed.message_id, work.claimed.tenant_id, kind, source, work.key, detail)


def _kept(
    work: Work, state: State, due: datetime, lost: int, counted: tuple[datetime | None, datetime | None] = (None, None)
) -> told.Kept:
    claimed = work.claimed
    return told.Kept(
        claimed.message_id,
        int(state),
        due,
        claimed.schedule,
        claimed.schedule_attempts,
        claimed.first_failed_at,
        lost,
        *counted,
    )
