"""Generated history of a client's volume, and the test clock under which it is told."""

from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)


def now(operator):
    return operator.admin.execute("SELECT now_v1()").fetchone()[0]


def move(operator, by):
    """The test clock goes on by this much; who is signed in stays so."""
    operator.admin.execute("UPDATE session SET expires_at = expires_at + greatest(%s, interval '0')", (by,))
    operator.admin.execute("UPDATE installation SET clock_offset = coalesce(clock_offset, interval '0') + %s", (by,))


def within_a_day(operator, left=timedelta(hours=3)):
    """Late in the day of UTC the clock goes on to the next one: what is counted by the day stays in one for `left`."""
    moment = now(operator).astimezone(UTC)
    tomorrow = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    if tomorrow - moment < left:
        move(operator, tomorrow - moment + timedelta(minutes=1))
        operator.admin.execute("UPDATE domain_state SET ready_until = now_v1() + %s, checked_at = now_v1()", (left,))


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


def unusual(operator, firm, held=0):
    """A client with an ordinary fortnight, a burst and what the watch made of it; `held` messages wait. The anomaly."""
    moment = now(operator)
    counts = [60 + 5 * ((moment - hour * HOUR).hour + 5) % 120 + (900 if hour < 3 else 0) for hour in range(14 * 24)]
    for hour, n in enumerate(counts):
        slot(operator, firm.tenant, moment - hour * HOUR - timedelta(minutes=30), n)
    recent, week = sum(counts[:24]), sum(counts[24:192])
    admin = operator.admin
    anomaly = admin.execute(
        "SELECT anomaly_raise_v1(%s, 'volume', 'stop-new', 240, %s, %s, 150, 200, %s)",
        (firm.tenant, recent, week, (f"{recent:,} messages in 24 hours against a 7-day mean of {week / 7:,.1f}: an anomaly"
                                    " (above 150 % of the mean and above 200 messages is one).")),
    ).fetchone()[0]  # fmt: skip
    admin.execute(
        "INSERT INTO volume_gauge (tenant_id, first_at, counted_at, recent, previous, percent, floor, action)"
        " SELECT %s, %s, date_bin('5 minutes', now_v1(), 'epoch'), w.recent, w.previous, 150, 200, 'stop-new'"
        " FROM volume_windows(%s, %s, date_bin('5 minutes', now_v1(), 'epoch'), '0') AS w",
        (firm.tenant, moment - 14 * 24 * HOUR, firm.tenant, moment - 14 * 24 * HOUR),
    )
    for n in range(held):
        admin.execute(
            "INSERT INTO held_mail (message_id, tenant_id, pause_id, category_id, template_id, at, ends_at)"
            " SELECT uuid7_now(), %s, pause_id, %s, %s, now_v1(), now_v1() + interval '3 days' FROM anomaly WHERE id = %s",
            (firm.tenant, firm.category, firm.template if n % 3 else None, anomaly),
        )
    return anomaly


def warming(operator):
    """A route on the third day of its warm-up; its code."""
    starts = operator.admin.execute("SELECT (now_v1() AT TIME ZONE 'UTC')::date - 2").fetchone()[0]
    operator.govern("route", None, "relay", {"starts": f"{starts}", "caps": [50 * 2**n for n in range(16)]})
    return "relay"
