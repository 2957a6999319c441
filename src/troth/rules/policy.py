"""The gate's and the worker's numbers: the policy document, and how its levels combine, each only stricter.

promise (the profile) <= operator <= plan <= tenant <= category <= template <= key. A document is a tree of two storeys,
{section: {field: value}}, with ASCII keys and integers, booleans, strings and lists only, so that a canonical JSON
digest can be taken of it. The promise's is complete; every other level's holds what it tightens. A plan ships with the
profile, so what the operator tightened already stays: of the two, the stricter number counts.

    PolicyError(ValueError)
     +- PolicyInvalid      the document itself is wrong; .problems says where
     '- PolicyLoosened     a level permits what one above it does not; .level .field .theirs .ours
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import reduce
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_type_hints

from troth.rules.earlier import of_today
from troth.rules.strictness import (
    Allowed,
    AtLeast,
    AtMost,
    Json,
    LockedMinutes,
    LockedNumber,
    Ordered,
    Required,
    Strictness,
    Switch,
    Value,
    freeze,
    thaw,
)

LEVELS = ("promise", "operator", "plan", "tenant", "category", "template", "key")
PATHWAYS = ("confirmation-link", "employer-invitation", "multi-step", "system", "vendor-agreement")
HOURS = tuple(f"{hour:02}" for hour in range(24))
_MANY = 100_000_000
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Messages a window. An hour is UTC's; a day is the tenant's own."""

    tenant_hour: Annotated[int, AtMost(0, _MANY), "messages a tenant may send in an hour"]
    tenant_day: Annotated[int, AtMost(0, _MANY), "messages a tenant may send in its local day"]
    key_hour: Annotated[int, AtMost(0, _MANY), "messages one API key may send in an hour"]
    template_hour: Annotated[int, AtMost(0, _MANY), "messages of one template in an hour"]
    recipient_template_day: Annotated[int, AtMost(0, _MANY), "messages of one template to one recipient in a day"]


@dataclass(frozen=True, slots=True)
class Bounce:
    """What failures of an address lead to."""

    soft_retry_minutes: Annotated[tuple[int, ...], LockedMinutes(1, 10_080, 3), "waits before each soft retry"]
    soft_window_minutes: Annotated[int, LockedNumber(1, 20_160), "window of the soft retries; then the address is bad"]
    hard_suppresses: Annotated[bool, Switch(strict=True), "a hard bounce suppresses at once and for good"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How long and how a message is tried."""

    lifetime_minutes: Annotated[int, AtMost(1, 43_200), "life of a message of the category, from its due time"]
    uncertain: Annotated[str, Ordered(("redeliver", "hold")), "what is done when a worker was lost mid-send"]


@dataclass(frozen=True, slots=True)
class Quiet:
    """When a recipient is left in peace; what is due then is held until the next other hour (rules/quiet.py)."""

    hours: Annotated[tuple[str, ...], Required(HOURS), "hours of the recipient's own day in which nothing is sent"]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What is unusual: volume against its own past (24 h against the mean of the seven before), bounces, complaints."""

    percent: Annotated[int, AtMost(100, 1_000), "volume in percent of the mean above which the action is taken"]
    action: Annotated[str, Ordered(("slow", "stop-new", "stop-delivery")), "what happens until a person has looked"]
    new_mail: Annotated[str, Ordered(("hold", "refuse")), "what new mail gets while stopped"]
    floor: Annotated[int, AtMost(0, _MANY), "messages in 24 h at or below which nothing is an anomaly"]
    first_week_floor: Annotated[int, AtMost(0, _MANY), "the same floor while there are not yet seven days of past"]
    slow_percent: Annotated[int, AtMost(1, 100), "share of the hourly limits left while slowed"]
    review_minutes: Annotated[int, AtMost(1, 10_080), "time in which a person looks"]
    ratio_hours: Annotated[int, LockedNumber(1, 168), "hours over which bounces and complaints are weighed"]
    bounce_permille: Annotated[int, AtMost(1, 1_000), "bounces per mille of what was answered, above which is one"]
    bounce_sample: Annotated[int, AtMost(1, _MANY), "answered messages before which bounces are not weighed"]
    complaint_permille: Annotated[int, AtMost(1, 1_000), "complaints per mille of what was taken, above which is one"]
    complaint_sample: Annotated[int, AtMost(1, _MANY), "taken messages before which complaints are not weighed"]


@dataclass(frozen=True, slots=True)
class Content:
    """What a message may carry."""

    raw: Annotated[bool, Switch(strict=False), "a category's approved policy may permit content without a template"]
    variable_bytes: Annotated[int, AtMost(0, _MEBIBYTE), "bytes of one message's variables, as JSON"]
    message_bytes: Annotated[int, AtMost(1_024, 40 * _MEBIBYTE), "bytes of one message, attachments encoded"]
    attachment_count: Annotated[int, AtMost(0, 100), "attachments of one message"]
    attachment_bytes: Annotated[int, AtMost(0, 40 * _MEBIBYTE), "bytes of all attachments, decoded"]
    attachment_types: Annotated[tuple[str, ...], Allowed(), "media types an attachment may have"]
    max_recipients: Annotated[int, AtMost(1, 50), "recipients of one email: to, cc and bcc together"]
    schedule_days: Annotated[int, AtMost(0, 30), "days ahead for which an email may be scheduled"]


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who may be mailed."""

    pathways: Annotated[tuple[str, ...], Allowed(PATHWAYS), "ways in which an address may have been verified"]
    unsubscribe_scope: Annotated[str, Ordered(("category", "all")), "what one opt-out covers"]
    overrides: Annotated[bool, Switch(strict=False), "an approved, expiring override of a suppression is possible"]
    disposable: Annotated[str, Ordered(("take", "refuse")), "what registration does with a disposable address"]
    roles: Annotated[str, Ordered(("take", "refuse")), "what registration does with the address of a role or a list"]
    verified_days: Annotated[int, AtMost(1, 3_650), "days a verification stands before the recipient is asked again"]


@dataclass(frozen=True, slots=True)
class Domain:
    """What a sending domain must show, and for how long its last good look stands."""

    required: Annotated[tuple[str, ...], Required(("dkim", "dmarc-reject", "spf")), "what must hold in DNS"]
    dkim_bits: Annotated[int, AtLeast(2_048, 8_192), "least size of its DKIM key"]
    grace_minutes: Annotated[int, AtMost(0, 120), "how long the last good look stands while DNS does not answer"]


@dataclass(frozen=True, slots=True)
class Governance:
    """How many eyes a change needs, and for how long it may wait for them."""

    approvers: Annotated[int, AtLeast(1, 5), "people who must approve a change, its author never among them"]
    change_days: Annotated[int, AtMost(1, 14), "days after which a proposed change that nobody decided expires"]


@dataclass(frozen=True, slots=True)
class Access:
    """Who is still let in: sessions, accounts and API keys, and when each ends by itself."""

    idle_minutes: Annotated[int, AtMost(5, 30), "minutes without a request after which a session ends"]
    sessions: Annotated[int, AtMost(1, 10), "sessions one person may have at the same time"]
    unused_days: Annotated[int, AtMost(7, 365), "days without a sign-in after which an account is deactivated"]
    leaver_hours: Annotated[int, AtMost(0, 24), "hours after the mark in which a leaver's access has ended"]
    review_days: Annotated[int, AtMost(7, 366), "days from one access review to the next"]
    key_days: Annotated[int, AtMost(1, 365), "days an API key may live before it must be rotated"]
    key_overlap_hours: Annotated[int, AtMost(0, 168), "hours a rotated key's old secret still works beside the new"]


@dataclass(frozen=True, slots=True)
class Records:
    """How long each record is kept; longer is stricter."""

    access_days: Annotated[int, AtLeast(1, 3_650), "days the access log is kept: sign-ins, failures, addresses"]
    change_days: Annotated[int, AtLeast(1, 36_500), "days the log of changes is kept, with its full differences"]
    request_days: Annotated[int, AtLeast(1, 3_650), "days the log of API requests is kept"]
    grant_days: Annotated[int, AtLeast(1, 3_650), "days the log of grants and permission changes is kept"]


@dataclass(frozen=True, slots=True)
class Installation:
    """Knobs that the whole installation shares: the strictest of all programmes counts (see strictest)."""

    relay_tls: Annotated[str, Ordered(("tls1.2", "tls1.3")), "least TLS towards a relay; without TLS none is sent"]
    request_bytes: Annotated[int, AtMost(1_024, 100 * _MEBIBYTE), "bytes of one request at the door"]
    batch_emails: Annotated[int, AtMost(1, 500), "emails of one batch request"]
    override_hours: Annotated[int, AtMost(0, 720), "hours after which an approved suppression override ends"]


@dataclass(frozen=True, slots=True)
class Policy:
    """Every number and switch that rules sending, resolved."""

    limits: Limits
    bounce: Bounce
    delivery: Delivery
    quiet: Quiet
    anomaly: Anomaly
    content: Content
    recipients: Recipients
    domain: Domain
    governance: Governance
    access: Access
    records: Records
    installation: Installation


@dataclass(frozen=True, slots=True)
class Field:
    """One number or switch: where it stands in the document, what stricter means, what it is for."""

    section: str
    name: str
    strictness: Strictness
    meaning: str

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}"


SECTIONS: MappingProxyType[str, type[Any]] = MappingProxyType(dict(get_type_hints(Policy)))


def _fields() -> Iterable[Field]:
    for section, shape in SECTIONS.items():
        for name, hint in get_type_hints(shape, include_extras=True).items():
            _, strictness, meaning = get_args(hint)
            yield Field(section, name, strictness, meaning)


FIELDS: tuple[Field, ...] = tuple(_fields())
_BY_PATH: MappingProxyType[str, Field] = MappingProxyType({field.path: field for field in FIELDS})

Document = Mapping[str, Mapping[str, Any]]
_Flat = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one place of a document. field: its path; code: a closed word; hint: what to do."""

    field: str
    code: str
    hint: str


class PolicyError(ValueError):
    """Nothing can be resolved from these documents."""


class PolicyInvalid(PolicyError):  # noqa: N818 - the hierarchy's root carries the word
    """A document is wrong in itself."""

    def __init__(self, level: str, problems: Sequence[Problem]) -> None:
        super().__init__(f"The {level} policy: " + "; ".join(f"{p.field} {p.hint}" for p in problems))
        self.level = level
        self.problems = tuple(problems)


class PolicyLoosened(PolicyError):  # noqa: N818 - as above
    """A level permits what a level above it does not."""

    def __init__(self, level: str, field: str, theirs: Json, ours: Json) -> None:
        words = _BY_PATH[field].strictness.words
        super().__init__(
            f"The {level} policy sets {field} to {ours!r} where a level above has {theirs!r}; it may only {words}."
        )
        self.level = level
        self.field = field
        self.theirs = theirs
        self.ours = ours


def validate(doc: object, *, complete: bool = False) -> list[Problem]:
    """List everything wrong with a document; `complete` asks for every field, as the promise must have."""
    if not isinstance(doc, Mapping):
        return [Problem("", "bad-type", "must be a table of sections")]
    flat, problems = _flatten(doc)
    problems += [p for path, value in flat.items() if (p := _value_problem(path, value))]
    if complete:
        problems += [Problem(f.path, "missing-field", f"is missing: {f.meaning}") for f in FIELDS if f.path not in flat]
    return problems or _inconsistent(flat)


def _flatten(doc: Mapping[Any, Any]) -> tuple[dict[str, object], list[Problem]]:
    flat: dict[str, object] = {}
    problems: list[Problem] = []
    for section, body in doc.items():
        if section not in SECTIONS:
            problems.append(Problem(str(section), "unknown-field", "is not a section of a policy"))
        elif not isinstance(body, Mapping):
            problems.append(Problem(section, "bad-type", "must be a table"))
        else:
            flat |= {f"{section}.{name}": value for name, value in body.items()}
    return flat, problems


def _value_problem(path: str, value: object) -> Problem | None:
    field = _BY_PATH.get(path)
    if field is None:
        return Problem(path, "unknown-field", "is not a field of a policy")
    hint = field.strictness.problem(value)
    return Problem(path, "bad-value", hint) if hint else None


def _inconsistent(flat: Mapping[str, Any]) -> list[Problem]:
    if len(flat.get("quiet.hours", ())) == len(HOURS):
        return [Problem("quiet.hours", "inconsistent", "must leave an hour of the day in which mail may go")]
    delays = flat.get("bounce.soft_retry_minutes")
    window = flat.get("bounce.soft_window_minutes")
    if delays is None or window is None or sum(delays) <= window:
        return []
    return [Problem("bounce.soft_retry_minutes", "inconsistent", "must end within soft_window_minutes")]


def resolve(levels: Sequence[tuple[str, Document]]) -> Policy:
    """Combine the levels, the promise first and in the order of LEVELS; PolicyInvalid, PolicyLoosened."""
    _check_order([name for name, _ in levels])
    resolved: _Flat = {}
    for name, doc in levels:
        _tighten(resolved, name, of_today(doc) if name == "promise" else doc)
        if problems := _inconsistent(resolved):  # two levels that are fine apart may leave no hour together
            raise PolicyInvalid(name, problems)
    return _build(resolved)


def _check_order(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in LEVELS]
    if unknown or not names or names[0] != "promise" or list(names) != sorted(set(names), key=LEVELS.index):
        order = " <= ".join(LEVELS)
        raise PolicyError(f"Policy levels go {order}, the promise always first, each once; given: {list(names)}.")


def _tighten(resolved: _Flat, level: str, doc: Document) -> None:
    problems = validate(doc, complete=level == "promise")
    if problems:
        raise PolicyInvalid(level, problems)
    for path, raw in _flatten(doc)[0].items():
        value = freeze(raw)
        above, strictness = resolved.get(path, value), _BY_PATH[path].strictness
        if level != "plan" and strictness.looser(above, value):
            raise PolicyLoosened(level, path, thaw(above), thaw(value))
        resolved[path] = strictness.meet(above, value)


def _build(flat: Mapping[str, Value]) -> Policy:
    return Policy(**{name: _section(name, shape, flat) for name, shape in SECTIONS.items()})


def _section(section: str, shape: type[Any], flat: Mapping[str, Value]) -> Any:
    return shape(**{field.name: flat[f"{section}.{field.name}"] for field in fields(shape)})


def strictest(policies: Iterable[Policy]) -> Installation:
    """Give the installation-wide knobs, each the strictest of all programmes; PolicyError when there is none."""
    knobs = [policy.installation for policy in policies]
    if not knobs:
        raise PolicyError("There is no programme yet, so no installation-wide knob has a value.")
    return reduce(_meet, knobs)


def _meet(one: Installation, other: Installation) -> Installation:
    met = {
        field.name: field.strictness.meet(getattr(one, field.name), getattr(other, field.name))
        for field in FIELDS
        if field.section == "installation"
    }
    return Installation(**met)  # type: ignore[arg-type]  # the same fields' own values


def to_document(policy: Policy) -> dict[str, dict[str, Json]]:
    """Give the complete document of a policy: from_document's inverse."""
    document: dict[str, dict[str, Json]] = {section: {} for section in SECTIONS}
    for field in FIELDS:
        document[field.section][field.name] = thaw(value_of(policy, field.path))
    return document


def from_document(doc: Document) -> Policy:
    """Build a policy from its complete document; PolicyInvalid."""
    return resolve([("promise", doc)])


def value_of(policy: Policy, path: str) -> Value:
    """Give the frozen value at a path such as limits.tenant_hour."""
    field = _BY_PATH[path]
    value: Value = getattr(getattr(policy, field.section), field.name)
    return value


def looser_fields(above: Policy, below: Policy) -> tuple[str, ...]:
    """Name the fields in which `below` permits what `above` does not."""
    return tuple(f.path for f in FIELDS if f.strictness.looser(value_of(above, f.path), value_of(below, f.path)))


def policy_markdown() -> str:
    """Give the documentation's table of policy fields (Markdown)."""
    rows = [f"| `{f.path}` | {f.meaning} | {f.strictness.words} |" for f in FIELDS]
    return "\n".join(["| field | what it is | a lower level may only |", "|---|---|---|", *rows]) + "\n"
