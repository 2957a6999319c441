"""Control of FBL-2: the mailbox providers' reports come in by themselves and suppress within minutes."""

from datetime import timedelta
from typing import LiteralString

from troth.control.trust import complaints, fences
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import LOG, Look, Programme
from troth.control.trust.measures import DENIED

SAMPLE = 3  # reports before which nothing is said of them
PER_MILLE = 10  # of the reports may take longer
_WITHIN = {"property": timedelta(minutes=1), "construction": timedelta(minutes=5), "retail": timedelta(minutes=5)}
_TIMES: LiteralString = "SELECT * FROM complaint_times_v1(%s, %s, %s)"
_LOOPS: LiteralString = """
SELECT count(*), count(*) FILTER (WHERE greatest(l.added_at, d.last_at) < %s - make_interval(days => l.silent_days))
FROM feedback_loop l
LEFT JOIN LATERAL (SELECT max(last_at) AS last_at FROM feedback_loop_day WHERE loop_id = l.id) AS d ON true
WHERE l.ended_at IS NULL
"""
_ASIDE: LiteralString = """
SELECT (SELECT count(*) FROM inbound_letter
        WHERE desk = 'complaint' AND done_at IS NULL AND at < %(now)s::timestamptz - %(within)s),
       (SELECT coalesce(sum(dropped), 0) FROM inbound_count
        WHERE desk = 'complaint' AND day > (%(now)s::timestamptz - %(within)s)::date)
"""
_ASIDE_DAYS = timedelta(days=7)  # within which somebody looks at what could not be read, or believed


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    complaints.stands(findings, look, "complaint_times_v1", "feedback_loop_told_v1", "feedback_loop_add_v1",
                      "feedback_loop_end_v1", "feedback_loop_guard")  # fmt: skip
    findings.take(fences.tables(look.schema, "feedback_loop", "feedback_loop_day"))
    complaints.attempted(findings, look, {"change-complaint": DENIED, "change-delete": DENIED})
    complaints.counted(findings, look, programme, {
        "told": "complaints are not both an event of their message and a record",
        "suppressed": "complaints did not suppress their recipient in the same moment",
    })  # fmt: skip
    _measure(findings, look, programme)
    _listening(findings, look)
    return findings.done()


def _listening(findings: Findings, look: Look) -> None:
    """Who tells nothing any more, and what lies unread, would suppress nobody."""
    with look.of(None) as connection:
        loops, silent = connection.execute(_LOOPS, (look.now,)).fetchone() or (0, 0)
        row = connection.execute(_ASIDE, {"now": look.now, "within": _ASIDE_DAYS}).fetchone()
    waiting, dropped = row or (0, 0)
    findings.seen |= {"loops": loops, "silent_loops": silent, "set_aside": waiting, "not_kept": int(dropped)}
    if silent:
        findings.old.append(f"{silent} of {loops} feedback loops told nothing for longer than was said of them")
    if dropped:
        findings.old.append(f"{dropped} letters to the loops' addresses were not kept in {_ASIDE_DAYS.days} days")
    findings.need(
        not waiting, f"{waiting} letters to the loops' addresses wait longer than {_ASIDE_DAYS.days} days for a person"
    )


def _measure(findings: Findings, look: Look, programme: Programme) -> None:
    """Reports within their time, of all reports of the window."""
    limit, n, within, slowest = _WITHIN[programme.profile], 0, 0, timedelta()
    for tenant in look.of_programme(programme):
        with look.of(tenant.id) as connection:
            row = connection.execute(_TIMES, (tenant.id, limit, look.now - LOG)).fetchone()
        one, soon, longest = row or (0, 0, None)
        n, within, slowest = n + one, within + soon, max(slowest, longest or timedelta())
    findings.seen |= {
        "reports": n, "suppressed_in_time": within, "within_seconds": int(limit.total_seconds()),
        "slowest_seconds": round(slowest.total_seconds(), 3), "window_days": LOG.days,
    }  # fmt: skip
    if n < SAMPLE:
        findings.missing.append(f"{n} of {SAMPLE} reports that are needed came in the last {LOG.days} days")
    late = n - within
    findings.need(late * 1_000 <= n * PER_MILLE, f"{late} of {n} reports suppressed later than after {limit}")


CONTROL = Control(
    "FBL-2",
    "fbl_2",
    HOUR,
    "Of every report that named one of our messages in the last 90 days, the time from its arrival until its recipient "
    "was suppressed is measured: for 99 of 100 at most a minute (property) or five. A loop must not be silent for "
    "longer than was said of it, nor a letter to its address wait over a week; and changing what was measured is "
    "tried.",
    check,
)
