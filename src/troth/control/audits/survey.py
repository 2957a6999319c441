"""Audits: a period of a programme, surveyed: its entries, its promises and their states, its populations and the draws.

What a page shows of it and what a bundle is made of are the same.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from troth.control.audit.scope import Connection
from troth.control.audits import populations, tellings
from troth.control.audits.ledgers import Head, head, rows
from troth.control.audits.period import CannotBundle, Entries, Period, Stretch, entries, stretch
from troth.control.audits.populations import Member
from troth.control.trust.look import Programme
from troth.control.trust.promised import promised
from troth.ledger import bundle as form
from troth.ledger.bundle import Population, counted, population

SAMPLE, MOST_SAMPLE = 25, 200  # members drawn of each population
LONGEST = timedelta(days=400)
_CLIENTS = """
SELECT s.subject FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'tenant' AND g.tenant_id IS NULL AND s.artefact::jsonb ->> 'programme' = %s ORDER BY 1
"""
_BEFORE = """
SELECT DISTINCT ON (h.claim, h.programme_id) h.claim, h.programme_id, h.state FROM troth.claim_history h
WHERE h.checked_at < %s AND h.checked_at >= %s AND (h.programme_id IS NULL OR h.programme_id = %s)
ORDER BY h.claim, h.programme_id, h.id DESC
"""
_TWO_DAYS = timedelta(days=2)  # each state is told once a day at least


@dataclass(frozen=True, slots=True)
class Wanted:
    """`sample`: how many members are drawn of each population."""

    programme: Programme
    period: Period
    sample: int = SAMPLE


@dataclass(frozen=True, slots=True)
class Survey:
    """`history`: tellings with what was seen; `promises`: each with its states; `members`: those the database lists."""

    wanted: Wanted
    head: Head
    clients: list[UUID]
    part: Stretch
    found: Entries
    history: list[dict[str, Any]]
    promises: list[dict[str, Any]]
    members: Mapping[str, list[Member]]
    populations: list[Population]


def survey(connection: Connection, wanted: Wanted) -> Survey:
    """In a transaction for the house's own rows. Raise CannotBundle, NoLedger (temporary)."""
    newest = head(connection)
    _sound(wanted, newest)
    clients = clients_of(connection, wanted.programme.id)
    part = stretch(connection, wanted.period, newest)
    found = entries(connection, clients, part.told, wanted.period)
    history = tellings.history(connection, wanted.programme, wanted.period, found)
    members = {
        form.MESSAGES: populations.messages(connection, clients, wanted.period),
        form.SUPPRESSIONS: populations.suppressions(connection, clients, wanted.period),
    }
    every = {name: [each.id for each in listed] for name, listed in members.items()} | _counted(found)
    drawn = [population(name, ids, part.root, wanted.period.numbers, wanted.sample) for name, ids in every.items()]
    told = _promises(connection, wanted, history)
    return Survey(wanted, newest, clients, part, found, history, told, members, drawn)


def clients_of(connection: Connection, programme: UUID) -> list[UUID]:
    """As two people approved them: the programme's own tenant, which sends Troth's mail, is one."""
    return [row[0] for row in rows(connection, _CLIENTS, str(programme))]


def _sound(wanted: Wanted, newest: Head) -> None:
    period = wanted.period
    if not period.begins < period.ends:
        raise CannotBundle("The period ends before it begins.")
    if period.ends > newest.now:
        raise CannotBundle("The period is not over: let it end now, or earlier.")
    if period.ends - period.begins > LONGEST:
        raise CannotBundle(f"A period has {LONGEST.days} days at most.")
    if not 1 <= wanted.sample <= MOST_SAMPLE:
        raise CannotBundle(f"A sample has 1 to {MOST_SAMPLE} members.")


def _promises(connection: Connection, wanted: Wanted, history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is promised now, under which framework, with its states over the period."""
    begins, programme = wanted.period.begins, wanted.programme
    was = {(claim, str(owner or "")): state
           for claim, owner, state in rows(connection, _BEFORE, begins, begins - _TWO_DAYS, programme.id)}  # fmt: skip
    found = []
    for each in promised(connection, programme):
        claim = each.claim
        owner = "" if claim.scope == "installation" else str(programme.id)
        told = [row["state"] for row in history if (row["claim"], row["programme"]) == (claim.id, owner)]
        before = was.get((claim.id, owner))
        found.append({
            "id": claim.id, "chapter": claim.chapter, "scope": claim.scope, "kind": claim.kind, "owner": claim.owner,
            "frameworks": list(claim.frameworks), "sentence": each.sentence, "before": before, "told": told,
            "after": told[-1] if told else before,
        })  # fmt: skip
    return found


def _counted(found: Entries) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {name: [] for name in form.COUNTED}
    for index, leaf in found.shown:
        for name in counted(json.loads(leaf)):
            members[name].append(str(index))
    return members


def by_framework(promises: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Framework -> its promises, each with the places that answer it; what answers to none comes last, under ""."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*FRAMEWORKS, "")}
    for each in promises:
        named = {name: [place for place in each["frameworks"] if place.startswith(start)]
                 for name, start in FRAMEWORKS.items()}  # fmt: skip
        answers = {name: places for name, places in named.items() if places}
        for name, places in (answers or {"": []}).items():
            found[name].append({**each, "places": places})
    return {name: listed for name, listed in found.items() if listed}


FRAMEWORKS = {"GDPR": "GDPR", "CCPA": "CCPA", "CAN-SPAM": "CAN-SPAM", "CASL": "CASL", "OWASP ASVS": "ASVS"}
