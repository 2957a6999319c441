"""Clients as the pages name them: for staff, who look at one after the other; read from what was approved."""

from dataclasses import dataclass
from uuid import UUID

from troth.control.audit.asking import row, rows

_BASE = """
SELECT g.subject, s.artefact::jsonb ->> 'name', p.name, g.code
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
LEFT JOIN troth.programme p ON p.id = (s.artefact::jsonb ->> 'programme')::uuid
WHERE g.kind = 'tenant' AND g.tenant_id IS NULL
"""
_NAMED = f"""{_BASE} AND position(lower(%s) IN lower((s.artefact::jsonb ->> 'name') || ' ' || g.code)) > 0
ORDER BY lower(s.artefact::jsonb ->> 'name'), g.code OFFSET %s LIMIT %s"""
_ONE = f"{_BASE} AND g.subject = %s"


@dataclass(frozen=True, slots=True)
class Named:
    """`programme` is that programme's name."""

    id: UUID
    name: str
    programme: str
    code: str


def named(part: str, skip: int, most: int) -> list[Named]:
    """Clients whose name or code holds `part`, by name."""
    return [Named(*each) for each in rows(_NAMED, part, skip, most)]


def one(tenant: UUID) -> Named | None:
    found = row(_ONE, tenant)
    return Named(*found) if found else None
