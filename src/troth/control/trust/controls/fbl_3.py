"""Control of FBL-3: complaints are shown as a trend, and a person reviews them every month."""

from datetime import datetime, timedelta
from typing import Any, LiteralString

from troth.control.trust import complaints, fences
from troth.control.trust.control import DAY, HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import LOG, Look, Programme

_REVIEWS: LiteralString = "SELECT * FROM complaint_review_fact_v1(%s, %s)"
_SHOWN: LiteralString = """
SELECT coalesce((SELECT sum(complained) FROM complaint_weeks_v1(%(since)s, 'infinity', NULL, NULL, NULL)), 0)::bigint,
       (SELECT count(*) FROM (SELECT message_id FROM complaint WHERE tenant_id = %(tenant)s
                              GROUP BY message_id HAVING min(at) >= %(since)s) AS c)
"""
_MONTHLY = 31  # days
_GRACE = DAY  # a review that is due on a day is done within it
_TABLES = ("complaint", "complaint_review", "complaint_finding", "template_hour", "template_hour_read")
_FUNCTIONS = (
    "complaint_weeks_v1", "complaint_by_v1", "complaint_clients", "complaint_sent", "complaint_told", "complaint_shown",
    "complaint_bounds", "complaint_review_from", "complaint_review_open_v1", "complaint_review_v1",
    "complaint_review_fact_v1", "template_hours_v1", "insert_only",
)  # fmt: skip


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, *_TABLES))
    findings.take(fences.functions(schema, *_FUNCTIONS))
    findings.take(fences.keys(schema, "complaint_review", "UNIQUE (programme_id, from_at)"))
    for tenant, policy in complaints.clients(look, programme):
        days = policy.cases.loops_review if policy else None
        findings.need(days is not None and days <= _MONTHLY, f"the policy of {tenant.id} asks for no monthly review")
    _shown(findings, look, programme)
    _reviewed(findings, look, programme)
    return findings.done()


def _shown(findings: Findings, look: Look, programme: Programme) -> None:
    """What the page shows is what there is: every complaint of the window is in one of its weeks."""
    complaints.counted(
        findings, look, programme, {"told": "complaints are not both an event of their message and a record"}
    )
    shown = there = 0
    for tenant in look.of_programme(programme):
        with look.of(tenant.id) as connection:
            row = connection.execute(_SHOWN, {"since": look.now - LOG, "tenant": tenant.id}).fetchone()
            assert row is not None
            shown, there = shown + row[0], there + row[1]
    findings.seen["complaints_shown"] = shown
    findings.need(shown == there, f"the trend shows {shown} of {there} complaints of {LOG.days} days")


def _reviewed(findings: Findings, look: Look, programme: Programme) -> None:
    """Each review is whole and came in time, and the next one is not late."""
    *signed, (_, begins, covered, _, _) = _asked(look, programme)
    for review, first, _, at, sound in signed:
        findings.need(
            sound, f"the review {review} is not over the figures that it keeps, or has no entry of the ledger"
        )
        late = at - first > timedelta(days=_MONTHLY) + _GRACE
        findings.need(not late, f"the review {review} was signed {(at - first).days} days after what it begins with")
    findings.seen["reviews_signed"] = len(signed)
    if begins is None:
        findings.missing.append("nothing was sent yet that anybody could complain about")
        return
    due: datetime = begins + timedelta(days=_MONTHLY)
    findings.seen["next_due"] = due.date().isoformat()
    findings.need(due + _GRACE >= look.now, f"the review that was due {due:%Y-%m-%d} is not signed")
    if covered is None:
        findings.missing.append(f"the first review is due {due:%Y-%m-%d}")


def _asked(look: Look, programme: Programme) -> list[tuple[Any, ...]]:
    with look.of(None) as connection:
        return connection.execute(_REVIEWS, (programme.id, look.now - LOG)).fetchall()


CONTROL = Control(
    "FBL-3",
    "fbl_3",
    HOUR,
    "The figures of the trend are asked for and compared with the complaints themselves; each review that a person "
    "signed must be over the figures that it keeps, with its entry of the ledger, a month after the last.",
    check,
)
