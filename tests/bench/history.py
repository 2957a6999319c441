"""Along the bench's river: a week of a million messages, each decided by the chain as its hour had it, put in by COPY.

Facts are those of twelve client firms of three profiles, with busy hours, limits that are reached, a day on which one
firm sends three times as much as ever, people who are suppressed, and refusals of every common sort. Decisions and facts
are sealed as the gate seals them. Letters and events are left out: nothing here reads them.
"""

import multiprocessing
import os
import random
from bisect import bisect_left
from collections import Counter as Sum
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from msgspec.structs import replace
from tests.support import seeding
from tests.support.firm import Firm, Operator, make_firm
from tests.support.simulating import opened

from troth.flow.gate.limits import Windows, personal, shared
from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import PersonKey, TenantKeys
from troth.rules import anomaly
from troth.rules import facts as f
from troth.rules.chain import decide
from troth.rules.decision import Decision, Outcome
from troth.rules.kept import bundle, keep
from troth.rules.policy import Policy, resolve
from troth.rules.profile import load_profile

PROFILES = ("property", "construction", "retail")
FIRMS, PEOPLE, DAYS = 12, 2_000, 7
_NAMES = {
    1: ("tenant", "hour"),
    2: ("tenant", "day"),
    3: ("key", "hour"),
    4: ("template", "hour"),
    5: ("recipient", "day"),
}
_HOURS = (1, 1, 1, 1, 2, 3, 6, 10, 14, 16, 15, 12, 11, 13, 14, 12, 10, 8, 6, 5, 4, 3, 2, 1)  # a day's shares, in UTC
_UUIDS = ("uuid",) * 6
_EMAIL = (
    (
        "email (id, tenant_id, api_key_id, category_id, category_snapshot, template_snapshot, policy_digest,"
        " created_at, scheduled_at, recipients)"
    ),
    (*_UUIDS, "bytea", "timestamptz", "timestamptz", "int2"),
)
_MESSAGE = (
    (
        "message (id, email_id, tenant_id, person_id, blind_index, category_id, field, created_at, decision_ct,"
        " facts_ct, state, state_at)"
    ),
    (*_UUIDS[:4], "bytea", "uuid", "int2", "timestamptz", "bytea", "bytea", "int2", "timestamptz"),
)
_REQUEST = (
    "api_request (id, tenant_id, api_key_id, at, method, route, status, problem, decision_ct, facts_ct)",
    (*_UUIDS[:3], "timestamptz", "text", "text", "int2", "text", "bytea", "bytea"),
)
_AT_ONCE = 20_000  # rows of one COPY


@dataclass(frozen=True, slots=True)
class Cast:
    """One firm as a process needs it to go on by itself."""

    tenant: UUID
    code: str
    keyset: bytes
    key: UUID
    category: tuple[UUID, UUID]  # subject and snapshot
    template: tuple[UUID, UUID]
    policy: Policy
    plan: int  # messages in the week
    spike: bool


def cast(operator: Operator, messages: int) -> list[Cast]:
    """Govern the firms nine days ago, so that their policies are those of the week."""
    admin = operator.admin
    admin.execute("UPDATE installation SET clock_offset = interval '-9 days'")
    operator.govern("policy", None, "operator", {"content": {"schedule_days": 7}})
    weights = [4, 3, 2, *(1,) * (FIRMS - 3)]
    made = [_one(operator, n, messages * weights[n] // sum(weights)) for n in range(FIRMS)]
    admin.execute("UPDATE installation SET clock_offset = interval '0'")
    return made


def _one(operator: Operator, n: int, plan: int) -> Cast:
    profile = PROFILES[n % len(PROFILES)]
    firm = make_firm(operator, f"firm-{n:02}", profile)
    busiest = plan * max(_HOURS) // sum(_HOURS) // DAYS
    most = 1_000 if profile == "retail" else 1_000_000  # what its plan gives
    hour = min(most, max(20, busiest * (9 if n % 4 else 19) // 10 + 5))
    own = {"limits": {"tenant_hour": hour, "recipient_template_day": 6}}
    operator.govern("policy", firm.tenant, "tenant", own)
    if n == 0:
        seeding.partitions(firm, 2)
    firm.person("nobody@example.net")
    seeding.people(firm, PEOPLE)
    promise = {**load_profile(profile).document}
    promise["limits"] = dict.fromkeys(promise["limits"], 1_000_000)
    levels = [("promise", promise), ("operator", {"content": {"schedule_days": 7}}),
              ("plan", load_profile(profile).plans.get("standard", {})), ("tenant", own)]  # fmt: skip
    policy = resolve([(name, document) for name, document in levels if document])
    return Cast(firm.tenant, f"firm-{n:02}", _keyset(operator, firm), firm.key,
                (firm.category, operator.snapshot(firm.category)), (firm.template, operator.snapshot(firm.template)),
                policy, plan, n == 1)  # fmt: skip


def _keyset(operator: Operator, firm: Firm) -> bytes:
    query = "SELECT keyset FROM tenant WHERE id = %s"
    return bytes(operator.admin.execute(query, (firm.tenant,)).fetchone()[0])


def fill(operator: Operator, casts: list[Cast], processes: int = 2) -> int:
    """Write everything; how many messages, refused ones among them."""
    now = operator.admin.execute("SELECT now_v1()").fetchone()[0]
    connect = partial(opened, operator.database.conninfo("postgres"), operator.kms_path)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        ordered = sorted(casts, key=lambda one: -one.plan)
        return sum(pool.imap_unordered(partial(_firm, connect, now), ordered))


def _firm(connect: Any, now: datetime, one: Cast) -> int:
    connection, keyring = connect()
    with connection:
        connection.execute("SET session_replication_role = replica")
        return _Week(one, keyring.tenant(one.tenant, one.keyset), connection, random.Random(one.code)).run(now)  # noqa: S311 - traffic, no secret


@dataclass(slots=True)
class _Week:
    """One firm's week. `used`: its counters as the gate would have them; `slots`, `sums`: its volume."""

    cast: Cast
    keys: TenantKeys
    connection: psycopg.Connection[Any]
    dice: random.Random
    used: Sum[tuple[int, UUID, datetime]] = field(default_factory=Sum)
    slots: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)
    paused_until: int = 0
    reviewed: tuple[int, int] = (0, 0)  # how much, and until when
    people: list[tuple[UUID, bytes, PersonKey, bool]] = field(default_factory=list)
    rows: dict[str, list[tuple[Any, ...]]] = field(
        default_factory=lambda: {"email": [], "message": [], "api_request": []}
    )
    made: int = 0

    def run(self, now: datetime) -> int:
        query = "SELECT id, blind_index, data_key FROM person WHERE tenant_id = %s ORDER BY id"
        for n, (person, index, wrapped) in enumerate(self.connection.execute(query, (self.cast.tenant,)).fetchall()):
            self.people.append((person, bytes(index), self.keys.person(bytes(wrapped), person), n % 50 == 0))
        for at in self._times(now):
            self._email(at)
            if len(self.rows["message"]) + len(self.rows["api_request"]) >= _AT_ONCE:
                self._write()
        self._write()
        return self.made

    def _times(self, now: datetime) -> Iterator[datetime]:
        """Every email's moment, in order. The week's sum is the plan; the spiked firm's fifth day is three times as full."""
        start = now - timedelta(days=DAYS) + timedelta(minutes=1)
        first = start.replace(minute=0, second=0, microsecond=0)
        hours = [first + timedelta(hours=n) for n in range(DAYS * 24 + 1)]
        shares = [_HOURS[hour.hour] * (3 if self.cast.spike and 96 <= n < 120 else 1) for n, hour in enumerate(hours)]
        for hour, share in zip(hours, shares, strict=True):
            n = round(self.cast.plan * share / sum(shares) / 1.1)  # an email has 1.1 messages
            moments = sorted(hour + timedelta(microseconds=self.dice.randrange(3_600_000_000)) for _ in range(n))
            yield from (moment for moment in moments if start < moment < now - timedelta(minutes=1))

    def _email(self, at: datetime) -> None:
        many = 1 if self.dice.random() < 0.95 else 3
        people = self.dice.sample(self.people, many)
        asked = self._asked(people, at)
        made = [self._decide(at, person, asked, many) for person in people]
        if any(self._raises(decision, at) for decision, _ in made):
            self.paused_until = int(at.timestamp()) + self.cast.policy.anomaly.review_minutes * 60
        self.made += many
        if any(decision.outcome is Outcome.REFUSE for decision, _ in made):
            self._refused(at, made)
            return
        for counter, amount in asked:
            self.used[counter.counter.scope, counter.counter.subject, counter.counter.window_start] += amount
        self._count(int(at.timestamp()), many)
        self._accepted(at, people, made)

    def _asked(self, people: list[Any], at: datetime) -> list[tuple[Any, int]]:
        windows = Windows(self.cast.tenant, "Europe/London", self.cast.key, self.cast.template[0], at)
        slow = at.timestamp() < self.paused_until and self.cast.policy.anomaly.action == "slow"
        common = [(one, one.amount) for one in shared(windows, self.cast.policy, len(people), slow=slow)]
        return [*common, *((personal(windows, self.cast.policy, person[1]), 1) for person in people)]

    def _decide(self, at: datetime, person: Any, asked: list[tuple[Any, int]], many: int) -> tuple[Decision, bytes]:
        own = personal(Windows(self.cast.tenant, "Europe/London", self.cast.key, self.cast.template[0], at),
                       self.cast.policy, person[1])  # fmt: skip
        counters = [one for one, _ in asked[:4]] + [own]
        facts = self._facts(at, person, tuple(self._rate(one) for one in counters), many)
        decision = decide(facts)
        return decision, keep(facts, decision)

    def _raises(self, decision: Decision, at: datetime) -> bool:
        unusual = any(each.check == "volume_usual" and each.saw.get("raised") for each in decision.verdicts)
        return unusual and at.timestamp() >= self.paused_until

    def _rate(self, one: Any) -> f.Rate:
        counter = one.counter
        used = self.used[counter.scope, counter.subject, counter.window_start]
        return f.Rate(*_NAMES[counter.scope][:1], str(counter.subject), _NAMES[counter.scope][1], counter.cap, used,
                      one.amount, one.resets_at)  # fmt: skip

    def _facts(self, at: datetime, person: Any, rates: tuple[f.Rate, ...], many: int) -> f.Facts:
        odd, second = self.dice.random(), int(at.timestamp())
        paused = "anomaly" if second < self.paused_until else None
        facts = f.Facts(
            now=at,
            tenant=f.Tenant(str(self.cast.tenant), "active", paused, "Europe/London", addressed=True),
            key=f.Key(str(self.cast.key), "live", frozenset({"rent"})),
            category=f.Category("rent", "Rent", str(self.cast.category[1]), 1, True, f"rent@mail.{self.cast.code}.example",
                                f"mail.{self.cast.code}.example", lawful_basis="contract", named=True),
            template=f.Template("reminder", str(self.cast.template[1]), 1, True, True),
            domain=f.Domain(f"mail.{self.cast.code}.example", True, (), at - timedelta(seconds=self.dice.randrange(1_800))),
            email=f.Email(None, many, self.dice.randrange(2_000, 60_000), False, variable_bytes=self.dice.randrange(20, 900)),
            recipient=f.Recipient("verified", None, self.cast.policy.recipients.pathways[0], at - timedelta(days=30)),
            suppression=f.Suppression(True, "hard_bounce", "dsn", own=True) if person[3] else f.CLEAR,
            opted_out=False,
            rates=rates,
            policy=self.cast.policy,
            consent=f.Consent("unasked"),
            volume=self._volume(second, many),
        )  # fmt: skip
        if odd < 0.004:
            return replace(facts, recipient=f.Recipient("pending"))
        if odd < 0.006:
            return replace(
                facts, template=replace(facts.template, variable_problems=(f.FieldProblem("x", "missing", "x"),))
            )
        return (
            replace(facts, email=replace(facts.email, scheduled_at=at + timedelta(minutes=9))) if odd < 0.02 else facts
        )

    # ---- the client's volume, as its gauge has it

    def _count(self, second: int, messages: int) -> None:
        slot = second // 300 * 300
        if self.slots and self.slots[-1] == slot:
            self.sums[-1] += messages
        else:
            self.slots.append(slot)
            self.sums.append((self.sums[-1] if self.sums else 0) + messages)

    def _volume(self, second: int, asking: int) -> f.Volume:
        end = second // 300 * 300 + 300
        marks = [self._until(end - day * 86_400) for day in range(anomaly.WINDOWS + 2)]
        spans = [late - early for late, early in zip(marks, marks[1:], strict=False)]
        lived = (end - self.slots[0]) // 86_400 if self.slots else 0
        if self.paused_until and second >= self.paused_until > self.reviewed[1] - 86_400:
            self.reviewed = spans[0], self.paused_until + 86_400
        reviewed = self.reviewed[0] if second < self.reviewed[1] else 0
        return f.Volume(spans[0], tuple(spans[1 : 1 + min(lived, anomaly.WINDOWS)]), reviewed, asking)

    def _until(self, second: int) -> int:
        place = bisect_left(self.slots, second)
        return self.sums[place - 1] if place else 0

    # ---- rows

    def _refused(self, at: datetime, made: list[tuple[Decision, bytes]]) -> None:
        refusing = next(decision for decision, _ in made if decision.outcome is Outcome.REFUSE)
        one = uuid7(at)
        verdicts = msgspec.json.encode([each.to_document() for each in refusing.verdicts])
        self.rows["api_request"].append(
            (one, self.cast.tenant, self.cast.key, at, "POST", "/emails", 422, refusing.deciding.code,
             self.keys.seal(verdicts, places.request(one)),
             self.keys.seal(bundle([[kept for _, kept in made]]), places.request_facts(one)))
        )  # fmt: skip

    def _accepted(self, at: datetime, people: list[Any], made: list[tuple[Decision, bytes]]) -> None:
        email = uuid7(at)
        scheduled = None
        self.rows["email"].append(
            (email, self.cast.tenant, self.cast.key, *self.cast.category, self.cast.template[1], b"\0" * 32, at,
             scheduled, len(people))
        )  # fmt: skip
        for (person, index, key, _), (decision, kept) in zip(people, made, strict=True):
            one = uuid7(at)
            document = msgspec.json.encode(decision.to_document())
            state = {Outcome.ACCEPT: 6, Outcome.HOLD: 10, Outcome.SUPPRESS: 11}[decision.outcome]
            self.rows["message"].append(
                (one, email, self.cast.tenant, person, index, self.cast.category[0], 1, at,
                 key.seal(document, places.decision(one)), key.seal(kept, places.facts(one)), state, at)
            )  # fmt: skip

    def _write(self) -> None:
        with self.connection.transaction(), self.connection.cursor() as cursor:
            for table, types in (_EMAIL, _MESSAGE, _REQUEST):
                rows = self.rows[table.partition(" ")[0]]
                with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(types)
                    for row in rows:
                        copy.write_row(row)
                rows.clear()


def analyze(operator: Operator) -> None:
    """What autovacuum would have done long ago, among other things the visibility of all those rows."""
    for table in ("message", "email", "api_request", "person"):
        operator.admin.execute(f"VACUUM (ANALYZE) {table}")


def started() -> str:
    """The machine's word for how busy it is, to be printed beside a figure."""
    return f"load {os.getloadavg()[0]:.1f} at {datetime.now(UTC):%H:%M} UTC"
