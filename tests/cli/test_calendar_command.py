"""`troth calendar` on an operator's first day: what is promised on a schedule, and what of it is due."""

import os

import psycopg


def test_it_lists_what_is_promised_and_what_falls_due(desk):
    found = desk.json("calendar", "list")
    assert {each["claim"] for each in found} >= {"APP-6", "INF-9", "CPL-5"}
    assert all(each["state"] in ("later", "waits") for each in found)
    first = found[0]
    assert first["due_at"] <= first["promised_at"]
    assert "Restore drill" in desk.ok("calendar", "list", "--programme", "property")
    assert desk.json("calendar", "due") == []
    assert "nothing is soon due" in desk.ok("calendar", "due")


def test_what_is_overdue_ends_it_with_1(desk):
    with psycopg.connect(os.environ["TROTH_DATABASE_URL"], autocommit=True) as outside:
        moved = "UPDATE troth.installation SET clock_offset = clock_offset + interval '40 days'"
        outside.execute(moved)
        try:
            status, told, _ = desk.run("calendar", "due")
        finally:
            outside.execute(moved.replace("+", "-"))
    assert status == 1
    assert "overdue  Static scan of the code" in told


def test_an_unknown_programme_is_said(desk):
    assert "There is no programme 'moon'" in desk.refused("calendar", "list", "--programme", "moon")
