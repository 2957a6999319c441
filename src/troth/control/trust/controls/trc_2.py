"""Control of TRC-2: contacts for security, privacy and abuse are published, and whoever used them is answered."""

import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, LiteralString

from troth.control.trust import catalogue, desks, fences, web_probe
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import LOG, Look, Programme
from troth.control.trust.web_probe import Place

_KINDS = {
    "security": "security",
    "privacy": "privacy",
    "abuse": "abuse",
    "postal address": "postal",
    "telephone": "telephone",
}
_SHOWN = re.compile(r'data-contact="([a-z]+)">([^<]+(?:<br>[^<]+)*)<')
_EXPIRES = re.compile(r"^Expires: (\S+)$", re.MULTILINE)
_MOST = 5_000
_SAID = 20  # sentences
_MOMENT = timedelta(minutes=1)
_APPROVED: LiteralString = """
SELECT s.artefact FROM governed g JOIN snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'programme' AND g.tenant_id IS NULL AND g.subject = %s
"""
_LETTERS: LiteralString = """
SELECT at, done_at FROM inbound_letter WHERE desk = 'privacy' AND reason = 'own-data' AND at >= %s
ORDER BY at, id LIMIT %s
"""
_FACTS: LiteralString = "SELECT * FROM asked_facts_v1(%s, %s, %s)"
_DESKS: LiteralString = "SELECT * FROM asked_desks_v1(%s, %s, %s)"
_UNSOUND: LiteralString = "SELECT said FROM asked_unsound_v1(%s, %s, %s)"
_TABLES = ("asked", "asked_letter", "asked_published", "asked_taken")
_FUNCTIONS = ("asked_guard", "asked_entry", "asked_file_v1", "asked_confirm_v1", "asked_decide_v1", "asked_facts_v1",
              "asked_desks_v1", "asked_unsound_v1", "asked_sweep_v1")  # fmt: skip


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, *_TABLES))
    findings.take(fences.functions(look.schema, *_FUNCTIONS))
    _published(findings, look, programme)
    _answered(findings, look, programme)
    _desks(findings, look, programme)
    _privacy(findings, look, programme)
    return findings.done()


def _published(findings: Findings, look: Look, programme: Programme) -> None:
    """What two people approved is what anybody sees."""
    place = look.outside.pages
    if place is None:
        findings.missing.append("nobody has said where the pages listen")
        return
    path = f"/trust/{programme.code}/contacts"
    page, text = _asked(look, place, path), _asked(look, place, "/.well-known/security.txt")
    if page is None or text is None:
        findings.missing.append("the pages cannot be reached just now")
        return
    there = {kind: html.unescape(value.replace("<br>", "\n")) for kind, value in _SHOWN.findall(page)}
    approved = _contacts(look, programme)
    for kind in _wanted(programme):
        findings.need(there.get(kind), f"{path} shows no contact: {kind}")
        if kind in approved and there.get(kind):
            findings.need(there[kind] == approved[kind], f"{path} shows another contact than was approved: {kind}")
    findings.take(_security_txt(text, look.now))
    findings.seen["contacts"] = len(there)


def _asked(look: Look, place: Place, path: str) -> str | None:
    look.hurry()
    answer = web_probe.ask(place, "GET", path)
    if answer is None:
        return None
    return answer.body.decode(errors="replace") if answer.status == HTTPStatus.OK else ""


def _security_txt(text: str, now: datetime) -> Iterator[str]:
    if "Contact: " not in text:
        yield "security.txt names no contact"
    expires = _EXPIRES.search(text)
    try:
        over = expires is None or datetime.fromisoformat(expires[1]).astimezone(UTC) <= now
    except ValueError:
        over = True
    if over:
        yield "security.txt has no end, or is past it"


def _wanted(programme: Programme) -> list[str]:
    """What the profile promises to publish, in the claim's own words."""
    told = catalogue.shipped("TRC-2", programme.profile)
    return [kind for words, kind in _KINDS.items() if words in told]


def _contacts(look: Look, programme: Programme) -> dict[str, Any]:
    with look.of(None) as connection:
        row = connection.execute(_APPROVED, (programme.id,)).fetchone()
    return {kind: value for kind, value in ((json.loads(row[0]).get("contacts") or {}) if row else {}).items() if value}


def _answered(findings: Findings, look: Look, programme: Programme) -> None:
    """Each that was confirmed: due no later than promised, and decided by then; and the ledger tells the same."""
    trust = desks.promise(programme).trust
    days = {"question": trust.question_days, "documents": trust.request_days}
    with look.of(None) as connection:
        since = look.now - LOG
        rows = connection.execute(_FACTS, (programme.id, since, _MOST)).fetchall()
        findings.take(said for (said,) in connection.execute(_UNSOUND, (programme.id, since, _SAID)).fetchall())
    late = [row for row in rows if (row[4] or look.now) > row[3]]
    for reference, kind, confirmed, due, *_ in rows:
        latest = confirmed + timedelta(days=days[kind]) + _MOMENT
        findings.need(due <= latest, f"{reference} is due at {due}, promised in {days[kind]} days")
    findings.take(f"{row[0]} was due at {row[3]}, and was answered {row[4]}" for row in late[:_SAID])
    findings.take([f"the answer to {row[0]} was never mailed" for row in rows if row[6]][:_SAID])
    findings.seen |= {"asked": len(rows), "late": len(late), "put_aside": sum(row[5] == "put-aside" for row in rows)}


def _desks(findings: Findings, look: Look, programme: Programme) -> None:
    """Reports whose sender is certain are acknowledged by when they were due."""
    with look.of(None) as connection:
        rows = connection.execute(_DESKS, (programme.id, look.now - LOG, _MOST)).fetchall()
    late = [row for row in rows if (row[3] or look.now) > row[2]]
    findings.take(f"{row[0]} was to be acknowledged at {row[2]}, and was {row[3]}" for row in late[:_SAID])
    findings.seen["desk_letters"] = len(rows)


def _privacy(findings: Findings, look: Look, programme: Programme) -> None:
    """Letters to privacy@ that are certainly their senders': somebody was done with each in the days of a question."""
    days = timedelta(days=desks.promise(programme).trust.question_days)
    with look.of(None) as connection:
        rows = connection.execute(_LETTERS, (look.now - LOG, _MOST)).fetchall()
    late = sum((done or look.now) > at + days + _MOMENT for at, done in rows)
    findings.need(not late, f"{late} letters to privacy@ were not done in {days.days} days")
    findings.seen["privacy_letters"] = len(rows)


CONTROL = Control(
    "TRC-2",
    "trc_2",
    HOUR,
    "The page of contacts and security.txt are asked for over the network: each contact that the profile promises must "
    "be there, as two people approved it; each question and request of the last 90 days that its sender confirmed, and "
    "each letter or report whose sender is certain, must have been answered when due, as the ledger must tell.",
    check,
)
