"""Complaints, the feedback loops that are believed: what each told, which are silent, how one is added and ended."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from troth.control.audit.asking import row, rows
from troth.control.audit.refusals import refusals
from troth.control.audit.scope import within
from troth.control.people.actor import Actor, raw
from troth.keys.ids import uuid7
from troth.mail.address import AddressError, parse_address

WINDOW = 30  # days that are counted on the page
NO_COMPLAINT = ("not-spam", "auth-failure", "virus", "dmarc")
_MOST = 100  # loops on the page; there are few providers
_LIST = """
SELECT l.id, l.name, l.provider, l.domains, l.sender, l.covers, l.silent_days, l.enrolled_on, encode(l.evidence, 'hex'),
       l.added_at, a.name_ct, l.added_by, l.ended_at, l.ended_why, d.last_at, coalesce(d.reports, 0), coalesce(d.new, 0)
FROM feedback_loop l
LEFT JOIN account a ON a.id = l.added_by
LEFT JOIN LATERAL (SELECT max(last_at) AS last_at, sum(reports) FILTER (WHERE day > %s) AS reports,
                          sum(new) FILTER (WHERE day > %s) AS new
                   FROM feedback_loop_day WHERE loop_id = l.id) AS d ON true
ORDER BY l.ended_at DESC NULLS FIRST, l.provider, l.name LIMIT %s
"""
_domain_re = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+\Z")
_name_re = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop; `reports` and `new` of the last 30 days; `state`: the look's word, `words` what it says."""

    now: datetime
    id: UUID
    name: str
    provider: str
    domains: Sequence[str]
    sender: str
    covers: str
    silent_days: int
    enrolled_on: date
    evidence: str | None
    added_at: datetime
    added_name: bytes | None
    added_by: UUID
    ended_at: datetime | None
    ended_why: str | None
    last_at: datetime | None
    reports: int
    new: int

    @property
    def silent(self) -> bool:
        since = max(self.last_at or self.added_at, self.added_at)
        return self.ended_at is None and self.now - since > timedelta(days=self.silent_days)

    @property
    def state(self) -> str:
        return "ended" if self.ended_at else "silent" if self.silent else "heard" if self.last_at else "new"


def loops() -> list[Loop]:
    found = row("SELECT now_v1()")
    assert found is not None
    now: datetime = found[0]
    since = (now - timedelta(days=WINDOW)).date()
    return [Loop(now, *each) for each in rows(_LIST, since, since, _MOST)]


def one(loop: UUID) -> Loop | None:
    return next((each for each in loops() if each.id == loop), None)


@dataclass(frozen=True, slots=True)
class Wished:
    """What a person types of a loop, read."""

    name: str
    provider: str
    domains: tuple[str, ...]
    sender: str
    covers: str
    silent_days: int
    enrolled_on: date
    evidence: bytes | None


FIELDS = ("name", "provider", "domains", "sender", "covers", "silent_days", "enrolled_on", "evidence")


def read(typed: dict[str, str]) -> tuple[Wished | None, dict[str, str]]:
    """The loop, or what is wrong, by field, each with its fix."""
    faults: dict[str, str] = {}
    name, provider = typed["name"].strip().lower(), typed["provider"].strip()
    if not _name_re.match(name):
        faults["name"] = "Write a short name in small letters, digits and hyphens, such as yahoo-cfl."
    if not provider or len(provider) > 120:
        faults["provider"] = "Write who runs it, in at most 120 characters."
    domains = tuple(dict.fromkeys(typed["domains"].lower().replace(",", " ").split()))
    wrong = next((each for each in domains if len(each) > 253 or not _domain_re.match(each)), None)
    if not 1 <= len(domains) <= 10 or wrong:
        bad = f"“{wrong}” is none. " if wrong else ""
        faults["domains"] = (
            f"{bad}Write one to ten domains that sign its reports (d= of its DKIM signature), one a line."
        )
    sender, faults["sender"] = _sender(typed["sender"].strip())
    days = typed["silent_days"].strip()
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:4]) <= 366):
        faults["silent_days"] = "Write a number of days from 1 to 366."
    enrolled = _day(typed["enrolled_on"].strip())
    if enrolled is None:
        faults["enrolled_on"] = "Write the day on which the provider confirmed, as 2026-03-31."
    faults = {field: sentence for field, sentence in faults.items() if sentence}
    if faults or enrolled is None:
        return None, faults
    proof = typed["evidence"].strip()
    evidence = sha256(proof.encode()).digest() if proof else None
    return Wished(name, provider, domains, sender, typed["covers"].strip()[:500], int(days), enrolled, evidence), {}


def _sender(text: str) -> tuple[str, str]:
    if not text:
        return "", "Write the From address of its reports: no other mail that this domain signs is believed."
    try:
        return parse_address(text).addr_spec.lower(), ""
    except AddressError as wrong:
        return "", f"{wrong.hint} Where its reports come from several, enrol it once for each."


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def add(actor: Actor, wished: Wished) -> UUID:
    """Raise Refused."""
    found = row("SELECT now_v1()")
    assert found is not None
    made = uuid7(found[0])
    given = (
        made, wished.name, wished.provider, list(wished.domains), wished.sender, wished.covers, wished.silent_days,
        wished.enrolled_on, wished.evidence, actor.secret,
    )  # fmt: skip
    with refusals(), within(raw(), None) as connection:
        connection.execute("SELECT troth.feedback_loop_add_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)", given)
    return made


def end(actor: Actor, loop: UUID, why: str) -> None:
    """Raise Refused."""
    with refusals(), within(raw(), None) as connection:
        connection.execute("SELECT troth.feedback_loop_end_v1(%s, %s, %s)", (loop, why, actor.secret))
