"""Cases: what a list is narrowed to, as it stands in the address bar."""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from troth.control.incidents.reading import Filters, Line
from troth.rules.cases import KINDS, STATES

_REFERENCE = re.compile(r"\s*([a-z]{3})[\s-]*(\d{4})?[\s-]*(\d*)\s*", re.IGNORECASE)


def read(query: Mapping[str, str]) -> Filters:
    """What is unknown narrows nothing."""
    kind, state = query.get("kind", ""), query.get("state", "unclosed")
    return Filters(
        kind if kind in KINDS else "",
        state if state in (*STATES, "unclosed", "") else "unclosed",
        query.get("mine") == "1",
        query.get("overdue") == "1",
        reference(query.get("q", "")),
        _before(query.get("before", "")),
    )


def reference(text: str) -> str:
    """A reference, or how one begins, as people type it: inc 2026 12 is INC-2026-0012."""
    found = _REFERENCE.fullmatch(text.replace("\0", "")[:40])
    if found is None:
        return text.replace("\0", "").strip().upper()[:40]
    parts = [found[1].upper(), *([found[2]] if found[2] else []), *([found[3].zfill(4)] if found[3] else [])]
    return "-".join(parts)


def _before(text: str) -> tuple[datetime, UUID] | None:
    """The place of the last line of the page before; None for none, or what is none."""
    at, _, identity = text.partition("_")
    try:
        moment, one = datetime.fromisoformat(at), UUID(identity)
    except ValueError:
        return None
    return (moment, one) if moment.tzinfo else None


def query(filters: Filters, last: Line | None = None) -> str:
    """The address of the same list, from behind `last` on."""
    kept = {
        "kind": filters.kind,
        "state": filters.state if filters.state != "unclosed" else None,
        "mine": "1" if filters.mine else "",
        "overdue": "1" if filters.overdue else "",
        "q": filters.search,
        "before": f"{last.opened_at.isoformat()}_{last.id}" if last else "",
    }
    return urlencode({name: value for name, value in kept.items() if value or (name == "state" and value == "")})
