"""Weeks of mail and complaints in a test's database, as the river and the sequencer leave them behind."""

from datetime import UTC, datetime, timedelta

from tests.support.firm import now

from troth.keys.ids import uuid7

_TALLY = """
INSERT INTO event_tally VALUES (%s, date_trunc('hour', %s::timestamptz, 'UTC'), %s, %s)
ON CONFLICT (tenant_id, hour, kind) DO UPDATE SET n = event_tally.n + EXCLUDED.n
"""
_CASE = """
INSERT INTO case_file (id, kind, cause, key, reference, tenant_id, message_id, severity, state, title, opened_at)
VALUES (%s, 'incident', 'complaint', %s, %s, %s, %s, '', 'open', 'A recipient complained', %s)
"""


def ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def this_week() -> float:
    """Days since Monday began, UTC, as the trend's weeks do."""
    at = datetime.now(UTC)
    return at.weekday() + (at - at.replace(hour=0, minute=0, second=0, microsecond=0)) / timedelta(days=1)


def sent(operator, tenant, n, days, kind=8) -> None:
    """So many messages that a next hop took, so many days ago."""
    operator.database.fill(_TALLY, tenant, ago(days), kind, n)


def from_template(operator, tenant, subject, n, days) -> None:
    operator.database.fill(
        "INSERT INTO template_hour VALUES (%s, %s, date_trunc('hour', %s::timestamptz, 'UTC'), %s)"
        " ON CONFLICT (tenant_id, subject, hour) DO UPDATE SET sent = template_hour.sent + EXCLUDED.sent",
        tenant, subject, ago(days), n,
    )  # fmt: skip


def complaint(operator, firm, days, *, loop=None, via="mailgun", template=True, message=None, event=True):
    """One of a message of long ago; its case. Triggers are off: what must stand around it is tested elsewhere."""
    made, case, of, at = uuid7(now()), uuid7(now()), message or uuid7(ago(days)), ago(days)
    number = operator.admin.execute("SELECT count(*) FROM case_file").fetchone()[0] + 1
    operator.database.fill(_CASE, case, f"complaint:{made}", f"INC-2025-{number:04d}", firm.tenant, of, at)
    snapshot = operator.snapshot(firm.template) if template else None
    operator.database.fill(
        "INSERT INTO complaint VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'abuse', %s, %s)",
        made, of, f"told:{made}", firm.tenant, firm.category, firm.template if template else None, snapshot, case, loop,
        "fbl" if loop else via, at, at,
    )  # fmt: skip
    if event:
        sent(operator, firm.tenant, 1, days, 14)
    return case


def loop(operator, provider="Yahoo CFL", name="yahoo"):
    made = uuid7(now())
    operator.database.fill(
        "INSERT INTO feedback_loop (id, name, provider, domains, sender, silent_days, enrolled_on, added_at, added_by)"
        " SELECT %s, %s, %s, ARRAY['fbl.example'], 'fbl@fbl.example', 30, '2026-01-05', now_v1(), id FROM account LIMIT 1",
        made, name, provider,
    )  # fmt: skip
    return made


def quarter(operator, firm, per_week=9_000):
    """Twelve weeks, with more complaints in the last ones; the loop that told of most."""
    told, into = loop(operator), this_week()
    first, step = min(0.2, into / 4), min(0.01, into / 40)  # each within its own week, on a Monday morning, too
    for week in range(12):
        days = 7 * week + first
        sent(operator, firm.tenant, per_week + 370 * (week % 4), days)
        from_template(operator, firm.tenant, firm.template, per_week * 2 // 3, days)
        for n in range((6, 3, 4, 1, 2, 0, 1, 2, 1, 0, 1, 1)[week]):
            complaint(operator, firm, days + n * step, loop=told if n % 3 else None, template=n % 4 != 3)
    return told
