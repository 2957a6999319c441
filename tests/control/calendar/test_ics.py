"""The calendar's file as RFC 5545 has it: CRLF, folded between characters, escaped; and a stranger's reader takes it."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from troth.control.calendar import ics
from troth.rules import duties
from troth.rules.due import Due, Home, all_due

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOME = Home(uuid4(), "p-x", "Höhe, Breite; Tiefe \\ GmbH\nund Co", "property", NOW)


def unfolded(made: bytes) -> list[str]:
    assert made.endswith(b"\r\n")
    assert b"\n" not in made.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in made.split(b"\r\n"))
    return made.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]


def plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)


@settings(deadline=None)
@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=400))
def test_any_words_come_back_whole(text):
    (line,) = unfolded(ics.fold(f"SUMMARY:{ics.escaped(text)}"))
    kept = re.sub(r"\r\n?", "\n", text)
    assert plain(line.removeprefix("SUMMARY:")) == "".join(
        each for each in kept if each in "\t\n" or not (ord(each) < 0x20 or ord(each) == 0x7F)
    )


def test_it_is_a_calendar_of_whole_days():
    found = all_due([HOME, Home(None, "", "", "", NOW)], [], NOW)
    lines = unfolded(ics.calendar(found, NOW, "troth.example"))
    assert (lines[0], lines[1], lines[-1]) == ("BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR")
    events = [each for each in found if each.due_at]
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == len(events) > 5
    assert len({line for line in lines if line.startswith("UID:")}) == len(events)
    assert "DTSTAMP:20261123T120000Z" in lines
    assert any(line.startswith("SUMMARY:Restore drill: Höhe\\, Breite\\; Tiefe \\\\ GmbH\\nund Co") for line in lines)
    assert all(re.fullmatch(r"DTSTART;VALUE=DATE:\d{8}", line) for line in lines if line.startswith("DTSTART"))


def test_a_duty_keeps_its_uid_when_it_moves():
    duty = duties.BY_CODE["restore-drill"]
    one, other = (Due(duty, HOME, at, at, None, "later", 92, "Europe/London") for at in (NOW, NOW + timedelta(days=40)))
    uids = [
        [line for line in unfolded(ics.calendar([each], NOW, "t.example")) if line.startswith("UID")]
        for each in (one, other)
    ]
    assert uids[0] == uids[1]


def test_what_waits_has_no_day():
    waits = Due(duties.BY_CODE["dmarc-review"], HOME, None, None, None, "waits", 7, "Europe/London")
    assert b"VEVENT" not in ics.calendar([waits], NOW, "t.example")
