"""The page for programs names every path, field and way to say a time that the door has, and none that it has not."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from starlette.routing import Route

from troth.flow.submission import door, when, wire

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text("utf-8")


def section(heading: str) -> str:
    return PAGE.partition(f"\n{heading}\n")[2].partition("\n## ")[0]


def served() -> set[str]:
    """Each method of each path, as the door has it."""
    found: set[str] = set()
    for route in door.routes(None):  # type: ignore[arg-type] - none is called
        assert isinstance(route, Route)
        found |= {f"{method} {route.path}" for method in route.app.handlers}
    return found


def test_each_path_of_the_door_is_named_and_no_other():
    told = PAGE.partition("\n## ")[0]
    assert set(re.findall(r"`((?:GET|POST|PATCH|DELETE|PUT) [^`]+)`", told)) == served()


@pytest.mark.parametrize(
    ("heading", "shape"),
    [
        ("## POST /emails", wire.Email),
        ("## POST /emails", wire.Attachment),
        ("## POST /emails", wire.Tag),
        ("## POST /emails", wire.Template),
        ("## Reading, moving, calling back", wire.Reschedule),
        ("## POST /recipients", wire.Recipient),
        ("## POST /recipients", wire.Agreement),
        ("## POST /recipients", wire.Consent),
    ],
)
def test_each_field_is_named(heading, shape):
    text = section(heading)
    names = [each.encode_name for each in msgspec.structs.fields(shape)]
    assert [name for name in names if f"`{name}`" not in text and f'"{name}"' not in text and name != "id"] == []


def test_each_field_that_the_tables_name_is_one_of_the_requests():
    for heading, shape in (("## POST /emails", wire.Email), ("## POST /recipients", wire.Recipient)):
        rows = re.findall(r"^\| ([^|]+) \|", section(heading), re.MULTILINE)
        told = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
        assert told == {each.encode_name for each in msgspec.structs.fields(shape)}


def test_each_time_that_is_shown_can_be_read():
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    text = section("## POST /emails").partition("### scheduled_at")[2].partition("A clock is read")[0]
    shown = re.findall(r"`([^`]+)`", text)
    assert len(shown) > 10
    for each in shown:
        found = when.parse_english(each, now, ZoneInfo("UTC")) if when.needs_now(each) else when.parse_iso(each)
        assert found.tzinfo is not None
