"""The simulator's past: which policy ruled a message when the gate decided it, and which would rule it now.

Approved versions are never changed, so the levels of any moment can be read: a category's and a template's by the
version that the decision names, the others by when they were approved.
"""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from troth.control.audit.scope import Connection
from troth.control.simulator.candidate import Candidate
from troth.rules.kept import Shape
from troth.rules.policy import (
    FIELDS,
    Document,
    Policy,
    PolicyError,
    PolicyLoosened,
    from_document,
    resolve,
    to_document,
)
from troth.rules.profile import load_profile
from troth.rules.strictness import freeze, thaw

_VERSIONS = """
SELECT kind, tenant_id IS NULL, code, subject, version, extract(epoch FROM approved_at)::float8,
       CASE kind WHEN 'policy' THEN artefact WHEN 'template' THEN (artefact::jsonb -> 'targeting')::text
            WHEN 'tenant' THEN artefact::jsonb ->> 'plan' ELSE (artefact::jsonb -> 'policy')::text END
FROM troth.snapshot
WHERE (kind = 'policy' AND (tenant_id = %(tenant)s OR tenant_id IS NULL AND code = ANY(%(codes)s)))
   OR (kind IN ('category', 'template', 'api-key') AND tenant_id = %(tenant)s)
   OR (kind = 'tenant' AND subject = %(tenant)s)
ORDER BY approved_at, version
"""

type Levels = list[tuple[str, Document]]
_Place = tuple[str, bool, str]


@dataclass(slots=True)
class Line:
    """One thing's versions, oldest first: when each was approved, and what it says."""

    since: list[float] = field(default_factory=list)
    says: list[Any] = field(default_factory=list)

    def at(self, second: float) -> int:
        """Which was in force; -1 for none yet."""
        return bisect_right(self.since, second) - 1

    def said(self, place: int) -> Any:
        return self.says[place] if place >= 0 else None


@dataclass(slots=True)
class Client:
    """A client and all versions that ever ruled it."""

    id: UUID
    programme_code: str
    profile: str
    lines: Mapping[_Place, Line]
    versions: Mapping[tuple[str, str, int], Any]
    keys: Mapping[bytes, Line]

    def line(self, kind: str, code: str, *, shared: bool) -> Line:
        return self.lines.get((kind, shared, code)) or Line()


def client(connection: Connection, tenant: UUID, programme_code: str, profile: str) -> Client:
    """Read within the client's own transaction."""
    codes = [f"programme:{programme_code}", "operator"]
    lines: dict[_Place, Line] = defaultdict(Line)
    versions: dict[tuple[str, str, int], Any] = {}
    keys: dict[bytes, Line] = defaultdict(Line)
    rows = connection.execute(_VERSIONS, {"tenant": tenant, "codes": codes}).fetchall()
    for kind, shared, name, subject, version, approved, text in rows:
        says = text if kind == "tenant" else json.loads(text) if text else None
        if kind in ("category", "template"):
            versions[kind, name, version] = says
            continue
        line = keys[subject.bytes] if kind == "api-key" else lines[kind, shared, "plan" if kind == "tenant" else name]
        line.since.append(approved)
        line.says.append(says)
    return Client(tenant, programme_code, profile, dict(lines), versions, dict(keys))


@dataclass(frozen=True, slots=True)
class Ruled:
    """The policy of the day and the one that is tried. same_watch: an anomaly is the same to both."""

    then: Policy | None
    now: Policy | None
    same_watch: bool


@dataclass(slots=True)
class Past:
    """Finds the two policies of each message; each combination of versions is resolved once."""

    client: Client
    candidate: Candidate
    _edges: list[float] = field(default_factory=list)
    _known: dict[tuple[int, bytes], Ruled] = field(default_factory=dict)
    _resolved: dict[tuple[Any, ...], Ruled] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lines = (*self.client.lines.values(), *self.client.keys.values())
        self._edges = sorted({since for line in lines for since in line.since})

    def ruled(self, shape: Shape, written: bytes, millisecond: int) -> Ruled:
        """Give the policies of a message decided in this millisecond of the epoch. written: its shape's bytes."""
        late = (millisecond + 1) / 1000
        place = (bisect_right(self._edges, late), written)
        found = self._known.get(place)
        if found is None:
            found = self._known[place] = self._ruled(shape, late)
        return found

    def _ruled(self, shape: Shape, late: float) -> Ruled:
        one = self.client
        promise = one.line("policy", f"programme:{one.programme_code}", shared=True)
        operator = one.line("policy", "operator", shared=True)
        own, plan = one.line("policy", "tenant", shared=False), one.line("tenant", "plan", shared=True)
        key = one.keys.get(shape.key.id) if shape.key else None
        category = (shape.category.code, shape.category.version) if shape.category else None
        template = (shape.template.code, shape.template.version) if shape.template else None
        at = (promise.at(late), operator.at(late), plan.at(late), own.at(late), key.at(late) if key else -1)
        place = (*at, category, template, shape.key.id if shape.key else b"")
        if place not in self._resolved:
            said = (promise.said(at[0]), operator.said(at[1]), plan.said(at[2]), own.said(at[3]))
            self._resolved[place] = self._resolve(said, category, template, key.said(at[4]) if key else None)
        return self._resolved[place]

    def _resolve(
        self,
        said: tuple[Any, ...],
        category: tuple[str, int] | None,
        template: tuple[str, int] | None,
        key: Document | None,
    ) -> Ruled:
        promise, operator, plan, own = said
        pathways = (self._version("template", template) or {}).get("pathways")
        levels: dict[str, Document | None] = {
            "promise": promise,
            "operator": operator,
            "plan": load_profile(self.client.profile).plans.get(plan or ""),
            "tenant": own,
            "category": self._version("category", category),
            "template": {"recipients": {"pathways": pathways}} if pathways else None,
            "key": key,
        }
        then = combined(levels, strict=True)
        if self._touched(category):
            levels[self.candidate.level] = self.candidate.document
        now = combined(levels, strict=False)
        return Ruled(then, now, then is not None and now is not None and then.anomaly == now.anomaly)

    def _version(self, kind: str, named: tuple[str, int] | None) -> Any:
        return self.client.versions.get((kind, *named)) if named else None

    def _touched(self, category: tuple[str, int] | None) -> bool:
        if self.candidate.level == "category":
            return category is not None and category[0] == self.candidate.code
        return True


def combined(levels: Mapping[str, Document | None], *, strict: bool) -> Policy | None:
    """Combine the levels as the gate does: None where one is missing or contradicts another. Not strict: a level of
    those days that is looser than the document tried counts as far as it is stricter.
    """
    given = [(name, document) for name, document in levels.items() if document]
    try:
        return resolve(given)
    except PolicyLoosened:
        return None if strict else _met(given)
    except PolicyError:
        return None


def _met(levels: Levels) -> Policy | None:
    found: dict[str, dict[str, Any]] = to_document(from_document(levels[0][1]))
    for _, document in levels[1:]:
        for each in FIELDS:
            said = document.get(each.section, {}).get(each.name)
            if said is not None:
                value = freeze(found[each.section][each.name])
                found[each.section][each.name] = thaw(each.strictness.meet(value, freeze(said)))
    try:
        return from_document(found)
    except PolicyError:
        return None
