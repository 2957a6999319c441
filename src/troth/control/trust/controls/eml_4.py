"""Control of EML-4: aggregate DMARC reports are taken in, and a person reads them on a schedule."""

from datetime import datetime, timedelta
from typing import Any, LiteralString

from troth.control.trust import fences
from troth.control.trust.control import DAY, HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import LOG, Look, Programme

_CLIENTS: LiteralString = "SELECT * FROM dmarc_fact_v1(%s, %s)"
_REVIEWS: LiteralString = "SELECT * FROM dmarc_review_fact_v1(%s, %s)"
_WEEKLY = 7  # days: what `construction` says
_GRACE = DAY  # a review that is due on a day is done within it
_SILENT = timedelta(days=14)  # without any report
_ENOUGH = 500  # messages of nine days: below it receivers may have nothing to tell
_TABLES = ("dmarc_report", "dmarc_record", "dmarc_review", "dmarc_finding")
_FUNCTIONS = ("dmarc_take_v1", "report_answer", "report_owner", "report_known", "report_room",
              "dmarc_shown", "dmarc_from", "dmarc_review_open_v1",
              "dmarc_review_v1", "dmarc_fact_v1", "dmarc_review_fact_v1", "insert_only")  # fmt: skip


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    _stands(findings, look, programme)
    _taken_in(findings, look, programme)
    _read(findings, look, programme)
    return findings.done()


def _stands(findings: Findings, look: Look, programme: Programme) -> None:
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, *_TABLES))
    findings.take(fences.functions(schema, *_FUNCTIONS))
    findings.take(fences.keys(schema, "dmarc_report", "UNIQUE (key)"))
    findings.take(fences.keys(schema, "dmarc_review", "UNIQUE (programme_id, from_at)"))
    for tenant in look.of_programme(programme):
        policy = look.policy(tenant)
        days = policy.cases.dmarc_review if policy else None
        findings.need(days is not None and days <= _WEEKLY, f"the policy of {tenant.id} asks for no weekly review")


def _taken_in(findings: Findings, look: Look, programme: Programme) -> None:
    """Whoever sent much for two weeks was told of by somebody."""
    rows = _asked(look, _CLIENTS, programme, look.now)
    for tenant, sent, last, domains in rows:
        heard = last is not None and look.now - last <= _SILENT
        silent = domains and sent >= _ENOUGH and not heard
        findings.need(
            not silent, f"no signed DMARC report on a domain of {tenant} came for 14 days, after {sent} messages"
        )
    findings.seen["clients_told_of"] = sum(last is not None for _, _, last, _ in rows)


def _read(findings: Findings, look: Look, programme: Programme) -> None:
    """Each review is whole and came in time, and the next one is not late."""
    *signed, (_, begins, covered, _, _) = _asked(look, _REVIEWS, programme, look.now - LOG)
    for review, first, _, at, sound in signed:
        findings.need(
            sound, f"the review {review} is not over the figures that it keeps, or not as its entry of the ledger says"
        )
        late = at - first > timedelta(days=_WEEKLY) + _GRACE
        findings.need(not late, f"the review {review} was signed {(at - first).days} days after the one before it")
    findings.seen["reviews_signed"] = len(signed)
    if begins is None:
        findings.missing.append("no DMARC report on a domain of this programme has come yet")
        return
    due: datetime = begins + timedelta(days=_WEEKLY)
    findings.seen["next_due"] = due.date().isoformat()
    findings.need(due + _GRACE >= look.now, f"the review that was due {due:%Y-%m-%d} is not signed")
    if covered is None:
        findings.missing.append(f"the first review is due {due:%Y-%m-%d}")


def _asked(look: Look, query: LiteralString, programme: Programme, at: datetime) -> list[tuple[Any, ...]]:
    with look.of(None) as connection:
        return connection.execute(query, (programme.id, at)).fetchall()


CONTROL = Control(
    "EML-4",
    "eml_4",
    HOUR,
    "What the desk took in is looked at: who sent and was told of by nobody for 14 days is found; each review that a "
    "person signed must be over the figures that it keeps and as its entry of the ledger says, within a week of the "
    "last and a day. Who sent under 500 messages is not asked for.",
    check,
)
