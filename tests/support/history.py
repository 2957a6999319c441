"""Generated history of a client's volume, and the test clock under which it is told."""

from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)


def now(operator):
    return operator.admin.execute("SELECT now_v1()").fetchone()[0]


def move(operator, by):
    """The test clock goes on by this much; who is signed in stays so."""
    operator.admin.execute("UPDATE session SET expires_at = expires_at + greatest(%s, interval '0')", (by,))
    operator.admin.execute("UPDATE installation SET clock_offset = coalesce(clock_offset, interval '0') + %s", (by,))


def past(operator, tenant, days, at=timedelta(hours=12)):
    """So many messages in each of the last windows of 24 hours, newest first, `at` before each window's end."""
    moment = now(operator)
    for n, count in enumerate(days, 1):
        slot(operator, tenant, moment - n * timedelta(days=1) - at, count)


def slot(operator, tenant, at, count):
    if count:
        operator.admin.execute(
            "INSERT INTO volume_slot VALUES (%s, date_bin('5 minutes', %s::timestamptz, 'epoch'), %s)"
            " ON CONFLICT (tenant_id, at) DO UPDATE SET n = volume_slot.n + EXCLUDED.n",
            (tenant, at, count),
        )
    operator.admin.execute("DELETE FROM volume_gauge WHERE tenant_id = %s", (tenant,))  # made anew from the slots


def today(operator, tenant, count):
    slot(operator, tenant, now(operator) - HOUR, count)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)
