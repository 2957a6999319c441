"""The calendar, read: every duty that is promised, as it stands now."""

from datetime import datetime

from troth.control.audit.refusals import refusals
from troth.control.audit.scope import Connection
from troth.rules.due import Due, Fact, Home, all_due

_HOMES = "SELECT id, code, name, profile, begun, promise, operator FROM troth.duty_homes_v1()"
_DONE = "SELECT programme_id, claim, kind, since, done, until, account, ref FROM troth.duty_done_v1()"
_NOW = "SELECT troth.now_v1()"

__all__ = ["Due", "agenda", "clock"]


def agenda(connection: Connection, programme: str | None = None) -> list[Due]:
    """What is due first at the beginning; of one programme by its code, with what the installation owes for it."""
    with refusals():
        homes = [Home(*row) for row in connection.execute(_HOMES).fetchall()]
        facts = [Fact(*row) for row in connection.execute(_DONE).fetchall()]
    found = all_due(homes, facts, clock(connection))
    profile = next((home.profile for home in homes if home.code == programme), "")
    return [each for each in found if programme is None or _concerns(each, programme, profile)]


def clock(connection: Connection) -> datetime:
    with refusals():
        row = connection.execute(_NOW).fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


def _concerns(one: Due, programme: str, profile: str) -> bool:
    return one.programme == programme or (one.home is None and profile in one.duty.profiles)
