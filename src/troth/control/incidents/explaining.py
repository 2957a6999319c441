"""Cases: why a clock ends when it does: the days in between on which business was closed, as its calendar has them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from troth.control.incidents import acts
from troth.control.incidents.reading import Case, ClockRow
from troth.control.people.actor import Actor
from troth.rules import cases
from troth.rules.business_time import Calendar, days_off, due, parse_span
from troth.rules.policy import Policy

_MOST = 6  # days that are named
_SAME = timedelta(minutes=1)  # between reckoning a clock and starting it


def explained(actor: Actor, case: Case, found: Sequence[ClockRow]) -> list[ClockRow]:
    """Each clock that may be in business time with what it left out."""
    policies = acts.policies(actor, case)
    return [replace(each, why=_why(each, case, policies)) for each in found]


def _why(clock: ClockRow, case: Case, policies: Sequence[Policy]) -> str:
    """Of the policy that gives this very time; "" for a clock that runs through, or was set by another policy."""
    for policy in policies:
        said, calendar = cases.promised(case.kind, clock.name, policy, case.severity), cases.calendar(policy)
        if "business" in said and abs(due(clock.started_at, parse_span(said), calendar) - clock.due_at) < _SAME:
            return f"{said[:1].upper()}{said[1:]}, in {_words(clock, calendar)}"
    return ""


def _words(clock: ClockRow, calendar: Calendar) -> str:
    zone = ZoneInfo(calendar.zone)
    opens, closes = (f"{minute // 60:02}:{minute % 60:02}" for minute in (calendar.opens, calendar.closes))
    out = days_off(clock.started_at, clock.due_at, calendar)
    named = [f"{_day(each.day)}{'' if each.why == 'weekend' else f' ({each.why})'}" for each in out]
    left = ", ".join(named[:_MOST]) + (f" and {len(named) - _MOST} more" if len(named) > _MOST else "")
    ends = clock.due_at.astimezone(zone)
    where = f", without holidays of {calendar.country}" if calendar.country else ""
    told = f"{calendar.zone}, {opens} to {closes}{where}: until {_day(ends)}, {ends:%H:%M} there."
    return f"{told} Not counted: {left}." if left else told


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"
