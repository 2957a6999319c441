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
from typing import Any, get_args, get_type_hints

from troth.rules.earlier import of_today
from troth.rules.policy_promises import Hosting, Response, Schedule, Targets, Trust
from troth.rules.policy_sections import (
    HOURS,
    PATHWAYS,
    Access,
    Anomaly,
    Bounce,
    Cases,
    Content,
    Delivery,
    Domain,
    Governance,
    Installation,
    Limits,
    Quiet,
    Recipients,
    Records,
)
from troth.rules.strictness import Figure, Json, Named, Strictness, Value, freeze, thaw

__all__ = (
    "FIELDS",
    "HOURS",
    "LEVELS",
    "PATHWAYS",
    "SECTIONS",
    "Access",
    "Anomaly",
    "Bounce",
    "Cases",
    "Content",
    "Delivery",
    "Document",
    "Domain",
    "Field",
    "Governance",
    "Hosting",
    "Installation",
    "Limits",
    "Policy",
    "PolicyError",
    "PolicyInvalid",
    "PolicyLoosened",
    "Problem",
    "Quiet",
    "Recipients",
    "Records",
    "Response",
    "Schedule",
    "Targets",
    "Trust",
    "from_document",
    "looser_fields",
    "policy_markdown",
    "resolve",
    "strictest",
    "to_document",
    "validate",
    "value_of",
)

LEVELS = ("promise", "operator", "plan", "tenant", "category", "template", "key")


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
    cases: Cases
    response: Response
    schedule: Schedule
    targets: Targets
    hosting: Hosting
    trust: Trust
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
        named = isinstance(strictness, Named | Figure) and value != above
        if level != "plan" and (named or strictness.looser(above, value)):
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
