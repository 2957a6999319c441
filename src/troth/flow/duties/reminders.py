"""Beside the river: people are told by mail of what they have promised to do: 14 and 3 days before it is due, and once
a week while it is late. The database keeps what was told, so that nothing is told twice, whoever asks and how often.
"""

from datetime import datetime

from troth.rules.due import Due, all_due
from troth.rules.duties import reminder
from troth.store import gate
from troth.store import reminders as store
from troth.store.connection import Connection

EVERY = 900.0  # seconds; the page tells to the minute, the mail to the day


async def remind(connection: Connection) -> int:
    """How many mails were written now."""
    now = await gate.now(connection)
    found = all_due(await store.homes(connection), await store.facts(connection), now)
    return sum([await _told(connection, each, each.due_at, now) for each in found if each.due_at is not None])


async def _told(connection: Connection, each: Due, at: datetime, now: datetime) -> int:
    """What makes a mail this one: the duty, the day on which it is due, and which of its reminders it is."""
    which = reminder(at, now, each.days)
    if not which:
        return 0
    about = f"{each.key} {at:%Y-%m-%d} {which}"
    said = {"duty": each.duty.title, "claim": each.duty.claim, "due": at.isoformat(),
            "client": each.home.name if each.home else "the whole installation",
            "late": "yes" if which.startswith("late") else ""}  # fmt: skip
    return await store.tell(connection, each.duty.owner, about, said, late=bool(said["late"]))
