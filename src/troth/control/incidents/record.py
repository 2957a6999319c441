"""Cases: one as a record for an auditor: what it is, its clocks, every entry with its leaf of the ledger."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from troth.control.incidents import reading
from troth.control.incidents.reading import Case, ClockRow, Entry, Paper
from troth.control.people.actor import Actor


def of(actor: Actor, case: Case) -> dict[str, Any]:
    """Times in UTC, RFC 3339. `proof`: where the entry's leaf and its path to a signed checkpoint are; a leaf's `words`
    and `paper` are SHA-256 of what is kept sealed. None: it is not sequenced yet.
    """
    given = {
        "reference": case.reference,
        "id": str(case.id),
        "kind": case.kind,
        "cause": case.cause,
        "title": case.title,
        "client": case.client,
        "programme": case.programme,
        "message": case.message_ref,
        "category": case.category,
        "template": case.template,
        "severity": case.severity,
        "state": case.state,
        "outcome": case.outcome,
        "owner": case.owner,
        "opened": _told(case.opened_at),
        "closed": _told(case.closed_at),
        "clocks": [_clock(each) for each in reading.clocks(actor, case.id)],
        "entries": [_entry(each) for each in reversed(reading.entries(actor, case))],
        "papers": [_paper(each) for each in (reading.papers(actor, case.id) if case.papers else [])],
        "taken": _told(reading.now()),
    }
    return {name: value if value != "" else None for name, value in given.items()}


def _clock(one: ClockRow) -> dict[str, Any]:
    times = {"started": one.started_at, "due": one.due_at, "met": one.met_at, "set_aside": one.void_at}
    return {"name": one.name, **{name: _told(at) for name, at in times.items()}, "missed": one.missed}


def _entry(one: Entry) -> dict[str, Any]:
    said = {"kind": one.kind, "value": one.value or None, "by": one.by or None, "words": one.said}
    return {"id": str(one.id), "at": _told(one.at), **said, "leaf": one.leaf, "proof": _proof(one.leaf)}


def _paper(one: Paper) -> dict[str, Any]:
    return {"id": str(one.id), "at": _told(one.at), "kind": one.kind, "sealed_octets": one.size}


def _proof(leaf: int | None) -> str | None:
    return None if leaf is None else f"{settings.TROTH_PUBLIC_URL}/ledger/entries/{leaf}"


def _told(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
