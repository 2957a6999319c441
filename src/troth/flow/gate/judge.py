"""The gate's judgement: facts of each message of an email, then the chain. Pure but for what `World` remembers."""

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from troth.flow.gate import limits
from troth.flow.gate.asks import Behalf
from troth.flow.gate.limits import Asked, Shares
from troth.flow.gate.parse import Addressed, Parsed
from troth.flow.gate.world import Resolved, Version, World
from troth.mail import variables
from troth.rules import facts as f
from troth.rules import quiet
from troth.rules.chain import decide
from troth.rules.checks.consent_held import until as consent_until
from troth.rules.consent import NEEDED, lawful_basis, standing
from troth.rules.decision import Decision
from troth.rules.kept import keep
from troth.rules.rates import slowed
from troth.store import gate as store

_FARTHEST = timedelta(days=31)  # the policy's content.schedule_days is 30 at most
_STATUS = {1: "pending", 2: "verified", 4: "erased"}
_REASONS = {1: "hard_bounce", 2: "complaint", 3: "opt_out", 4: "complaint", 5: "administrative", 6: "soft_spent"}


class Bound(Struct, frozen=True):
    """One email tied to what governs it; `key` is None for Troth's own mail."""

    parsed: Parsed
    caller: store.TenantRow
    key: store.KeyRow | None
    category: Version | None
    template: Version | None
    domain: tuple[UUID, f.Domain] | None
    resolved: Resolved | None
    due: datetime
    live: str
    counters: tuple[tuple[tuple[Addressed, ...], Asked], ...]  # whose messages each counts
    behalf: Behalf | None = None

    @property
    def sender(self) -> dict[str, str]:
        """The category's approved sender: name and address."""
        assert self.category is not None
        found: dict[str, str] = self.category.artefact["sender"]
        return found

    @property
    def reply_to(self) -> tuple[str, ...]:
        """Where answers go when the request does not say."""
        assert self.category is not None
        given = self.category.artefact.get("reply_to")
        return (given,) if given else ()


def bind(
    world: World,
    parsed: Parsed,
    caller: store.TenantRow,
    key: store.KeyRow | None,
    peer: str | None = None,
    behalf: Behalf | None = None,
) -> Bound:
    """Find what governs an email: its template, else the tag `category`, else the key's only category."""
    tenant = caller.tenant_id
    template = world.version(tenant, "template", parsed.asked.template) if parsed.asked.template else None
    code = _category_code(world, parsed, template, key)
    category = world.version(tenant, "category", code) if code else None
    resolved = _ruled(world.policy(caller, category, key.scope_snapshot if key else None, template), behalf)
    domain = world.domain(tenant, _sender_domain(category)) if category else None
    # farther than any policy allows is refused, and must not reach the calendar's end on its way there
    due = min(max(parsed.asked.scheduled_at or world.now, world.now), world.now + _FARTHEST)
    live = liveness(key, world.now, peer) if key else "live"
    bound = Bound(parsed, caller, key, category, template, domain, resolved, due, live, (), behalf)
    return replace(bound, counters=tuple(_counters(bound, world)))


def _ruled(resolved: Resolved | None, behalf: Behalf | None) -> Resolved | None:
    """For a client: by its limits, but the recipient's own, which protects them from all clients."""
    if resolved is None or behalf is None:
        return resolved
    ours, theirs = resolved.policy, behalf.policy
    most = dataclasses.replace(theirs.limits, recipient_template_day=ours.limits.recipient_template_day)
    return Resolved(dataclasses.replace(ours, limits=most, anomaly=theirs.anomaly), resolved.digest)


def _category_code(world: World, parsed: Parsed, template: Version | None, key: store.KeyRow | None) -> str | None:
    if template is not None:
        return str(template.artefact["category"])
    if "category" in parsed.asked.tags:
        return parsed.asked.tags["category"]
    only = world.artefact(key.scope_snapshot).get("categories") if key else None
    return str(only[0]) if only and len(only) == 1 else None


def _sender_domain(category: Version) -> str:
    return str(category.artefact["sender"]["address"]).rpartition("@")[2]


def _counters(bound: Bound, world: World) -> Iterator[tuple[tuple[Addressed, ...], Asked]]:
    if bound.resolved is None or bound.category is None:
        return
    asker = bound.key.key_id if bound.key else bound.caller.tenant_id
    what = (bound.template or bound.category).row.subject
    slow = slowed(world.paused(bound.caller.tenant_id, bound.category.row.subject), bound.resolved.policy)
    places = limits.Windows(bound.caller.tenant_id, bound.caller.timezone, asker, what, bound.due)
    if (client := bound.behalf) is not None:
        slow = slow or client.slow
        places = limits.Windows(client.tenant, client.zone, client.asker, what, bound.due)
    if bound.key and bound.key.test:
        places = limits.apart(places)
    for goes, together in _by_time(bound, world):
        then = places.at(goes)
        for asked in limits.shared(then, bound.resolved.policy, len(together), slow=slow):
            yield together, asked
        for one in together:
            if one.index is not None and client is not None:
                yield (one,), limits.asked_for(client.house, bound.resolved.policy, one.index, goes)
            elif one.index is not None:
                yield (one,), limits.personal(then, bound.resolved.policy, one.index)


def _by_time(bound: Bound, world: World) -> list[tuple[datetime, tuple[Addressed, ...]]]:
    """The recipients by when their message goes: at once, or when their quiet hours end."""
    assert bound.resolved is not None
    hours, people = bound.resolved.policy.quiet.hours, bound.parsed.recipients
    if not hours:
        return [(bound.due, people)]
    found: dict[datetime, list[Addressed]] = {}
    for one in people:
        row = world.people.get((bound.caller.tenant_id, one.index)) if one.index else None
        zone = quiet.zone_of(row.timezone if row else None, bound.caller.timezone)
        found.setdefault(quiet.ends(bound.due, zone, hours) or bound.due, []).append(one)
    return [(goes, tuple(together)) for goes, together in found.items()]


def decisions(bound: Bound, world: World, shares: Shares, together: int = 0) -> list[Decision]:
    """One decision for each recipient; without a recipient, one that says so. together: rules.kept.Kept's."""
    common = _common(bound, world)
    people = bound.parsed.recipients or (None,)
    return [_decided(_facts(bound, world, shares, common, one), together) for one in people]


def _decided(facts: f.Facts, together: int) -> Decision:
    """The decision, with the facts that another policy may be tried on."""
    decision = decide(facts)
    return Decision(decision.outcome, decision.verdicts, keep(facts, decision, together))


def _common(bound: Bound, world: World) -> dict[str, Any]:
    asked, parsed = bound.parsed.asked, bound.parsed
    return {
        "now": world.now,
        "tenant": f.Tenant(
            str(bound.caller.tenant_id),
            "active" if bound.caller.tenant_state == 1 else "closed",
            world.paused(bound.caller.tenant_id, bound.category.row.subject if bound.category else None),
            bound.caller.timezone,
            bool(bound.caller.postal_address.strip()),
        ),
        "key": _key(bound, world),
        "category": _category(bound) or _proposed_category(bound, world),
        "template": _template(bound) or _proposed_template(bound, world),
        "domain": bound.domain[1] if bound.domain else None,
        "email": f.Email(
            parsed.sender,
            len(parsed.recipients),
            parsed.total_bytes,
            parsed.raw,
            parsed.attachments,
            parsed.variable_bytes,
            asked.scheduled_at,
            parsed.problems,
        ),
        "policy": bound.resolved.policy if bound.resolved else None,
        "content_problems": parsed.content_problems,
        "volume": world.volumes.fact(bound),
    }


def liveness(key: store.KeyRow, now: datetime, peer: str | None) -> str:
    """The rules' word for whether a key may be used, at this time and from this address."""
    if key.revoked_at is not None or not key.approved:
        return "revoked"
    if key.expires_at <= now:
        return "expired"
    return "live" if not key.networks or _within(key, peer) else "elsewhere"


def _within(key: store.KeyRow, peer: str | None) -> bool:
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return False  # no address that could be told, such as a Unix socket's
    address = (address.version == 6 and address.ipv4_mapped) or address
    return any(address in network for network in key.networks)


def _key(bound: Bound, world: World) -> f.Key:
    key = bound.key
    if key is None:
        return f.Key("system", "live")
    allowed = world.artefact(key.scope_snapshot).get("categories")
    return f.Key(str(key.key_id), bound.live, None if allowed is None else frozenset(allowed), test=key.test)


def _category(bound: Bound) -> f.Category | None:
    version = bound.category
    if version is None:
        return None
    artefact, row = version.artefact, version.row
    return f.Category(
        row.code,
        artefact["name"],
        str(row.snapshot_id),
        row.version,
        version.usable and version.digest_matches,
        artefact["sender"]["address"],
        _sender_domain(version),
        row.retired,
        artefact["legal_class"],
        artefact.get("raw", False),
        lawful_basis(artefact),
        bool(artefact["sender"]["name"].strip()),
    )


def _template(bound: Bound) -> f.Template | None:
    version = bound.template
    if version is None:
        return None
    found = variables.check(bound.parsed.asked.variables or {}, version.artefact["schema"])
    problems = tuple(f.FieldProblem(f"template.variables.{p.field}", p.code, p.hint) for p in found)
    usable = version.usable and not version.row.retired
    return f.Template(
        version.row.code, str(version.row.snapshot_id), version.row.version, usable, version.digest_matches, problems
    )


def _proposed_category(bound: Bound, world: World) -> f.Category | None:
    """A category that a second person has not approved yet; the chain refuses it for that and looks no further."""
    code = bound.parsed.asked.tags.get("category", "") if bound.template is None else ""
    if (bound.caller.tenant_id, "category", code) not in world.proposed:
        return None
    return f.Category(code, code, "", 0, approved=False, sender_addr="", sender_domain="")


def _proposed_template(bound: Bound, world: World) -> f.Template | None:
    code = bound.parsed.asked.template or ""
    if (bound.caller.tenant_id, "template", code) not in world.proposed:
        return None
    return f.Template(code, "", 0, approved=False, digest_matches=None)


def _facts(bound: Bound, world: World, shares: Shares, common: dict[str, Any], one: Addressed | None) -> f.Facts:
    row = world.people.get((bound.caller.tenant_id, one.index)) if one and one.index else None
    rates = tuple(shares.rate(a) for who, a in bound.counters if any(x is one for x in who))
    return f.Facts(
        **common,
        recipient=_recipient(bound, world, one, row),
        suppression=_suppression(row, one),
        opted_out=_opted_out(bound, row, one),
        consent=_consent(bound, world, row),
        rates=rates,
    )


def _recipient(bound: Bound, world: World, one: Addressed | None, row: store.PersonRow | None) -> f.Recipient | None:
    if one is None:
        return f.Recipient("unknown", f.FieldProblem("to", "missing", "Put at least one address in `to`."))
    if one.problem is not None or row is None or row.status is None:
        return f.Recipient("unknown", one.problem, field=one.path)
    status = _STATUS[row.status]
    if status == "verified" and row.expires_at is not None and row.expires_at <= world.now:
        status = "expired"
    if status == "pending" and bound.caller.tenant_kind == 2:
        # Troth's own mail is what asks for the confirmation: the system pathway
        return f.Recipient("verified", None, "system", world.now, one.path, row.timezone)
    return f.Recipient(status, None, row.pathway, row.verified_at, one.path, row.timezone)


def _suppression(row: store.PersonRow | None, one: Addressed | None) -> f.Suppression | None:
    if row is None:  # a bad address or none: refused for that, so nothing is on a list
        return f.CLEAR if one is None or one.index is None else None
    if row.reason is None:
        return f.CLEAR
    return f.Suppression(listed=True, reason=_REASONS[row.reason], source="", own=row.own, override=row.overridden)


def _opted_out(bound: Bound, row: store.PersonRow | None, one: Addressed | None) -> bool | None:
    if row is None:
        return False if one is None or one.index is None else None
    return bound.category is not None and bound.category.row.subject in row.opted_out


def _consent(bound: Bound, world: World, row: store.PersonRow | None) -> f.Consent | None:
    if bound.category is None or not on_consent(bound.category):
        return f.UNASKED
    entries = world.consents.get(row.person_id) if row is not None and row.person_id is not None else None
    return None if entries is None else standing(entries, str(bound.category.row.subject), bound.due)


def on_consent(category: Version) -> bool:
    """Whether it is sent on the recipient's consent, which must then be looked up."""
    return lawful_basis(category.artefact) == NEEDED


def lifetime_ends(bound: Bound, decision: Decision) -> datetime:
    """When the message may be sent no more: the category's lifetime after its due time, or with its consent."""
    assert bound.resolved is not None
    ends = bound.due + timedelta(minutes=bound.resolved.policy.delivery.lifetime_minutes)
    until = consent_until(decision) if bound.category is not None and on_consent(bound.category) else None
    return ends if until is None else min(ends, until)
