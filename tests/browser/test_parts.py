"""The parts of pages and troth.js in a real Chromium, under the pages' own policy: keys, dialogs, copies, clocks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.browser.bench import Bench, page
from tests.browser.conftest import _WIDER, WIDTHS, axe_findings, photograph

_OLD = (
    "<mjml>\n"
    + "\n".join(f"  <mj-text>Line {n}</mj-text>" for n in range(12))
    + "\n  <mj-text>If you have paid already, thank you.</mj-text>\n</mjml>"
)
_NEW = _OLD.replace(
    "If you have paid already, thank you.",
    "After {{ late_from | day }} a late fee of {{ late_fee }} is added.\n  Thank you.",
)
_CHOICES = [
    ("transactional", "Transactional", "They asked for it by doing something."),
    ("commercial", "Commercial", "It sells."),
]
_TYPED = {
    "code": "Rent Reminder",
    "why": "",
    "pace": "150",
    "class": "commercial",
    "list": "commercial",
    "body": "\n<mjml>",
}
_FAULTS = {"code": "A code has no spaces and no capitals: rent-reminder.", "why": "Say why, in a sentence."}


def parts(**context):
    given = {
        "typed": _TYPED, "faults": _FAULTS, "choices": _CHOICES, "old": _OLD, "new": _NEW, "sort": "-used",
        "steps": [("Draft", "done"), ("Proposed", "done"), ("Second person", "now", "proposed"), ("Live", "ahead")],
        "tabs": [("?view=desktop", "Desktop", True), ("?view=phone", "Phone", False), ("?view=text", "Text", False)],
        "rows": [("Pause at", "200 %", "150 %", "of the 7-day average"), ("Retries", "3", "3"), ("Cap", "", "900 an hour")],
        "sorts": {"code": "?sort=code", "used": "?sort=used", "-used": "?sort=-used"},
        "section": "changes", "now": datetime.now(UTC), "until": timedelta(seconds=62), "since": timedelta(minutes=59, seconds=58),
    }  # fmt: skip
    return page((Path(__file__).parent / "parts.html").read_text(), **{**given, **context})


def shell(title):
    return page(
        '{% extends "web/base.html" %}{% block title %}{{ name }}{% endblock %}{% block heading %}{{ name }}{% endblock %}',
        name=title,
    )


@pytest.fixture(scope="module")
def bench():
    made = Bench({"/": parts(), "/calm": parts(faults={}), "/saved": shell("saved"), "/one": shell("one"), "/messages": shell("messages"),
                  "/approve": shell("approved"), "/two": shell("two")})  # fmt: skip
    yield made
    made.close()


@pytest.fixture
def view(chromium, bench):
    """`view(path)`: a page of the bench; what the browser complained of is in `view.console`."""
    context = chromium.new_context(
        locale="en-GB", reduced_motion="reduce", permissions=["clipboard-read", "clipboard-write"]
    )
    tab = context.new_page()
    tab.set_default_timeout(8_000)
    console = []
    tab.on("console", lambda said: console.append(said.text) if said.type in ("error", "warning") else None)
    tab.on("pageerror", lambda wrong: console.append(str(wrong)))

    def opened(path="/calm"):
        tab.goto(bench.url + path)
        return tab

    yield opened
    assert not console, console
    context.close()


def test_every_part_in_both_widths_and_colours(view):
    tab = view("/")
    for width, height in WIDTHS.items():
        tab.set_viewport_size({"width": width, "height": height})
        for colours in ("light", "dark"):
            tab.emulate_media(color_scheme=colours)
            photograph(tab, f"parts-{width}-{colours}")
            assert not axe_findings(tab), (width, colours)
            assert tab.evaluate(_WIDER) <= 0, width
            tab.keyboard.press("Escape")
            tab.evaluate("document.activeElement.blur()")
            tab.keyboard.press("a")
            tab.get_by_role("dialog").wait_for()
            photograph(tab, f"parts-dialog-{width}-{colours}", whole=False)
            assert not axe_findings(tab), (width, colours)
            tab.keyboard.press("Escape")


def test_the_summary_has_the_focus_and_leads_to_the_field(view):
    tab = view("/")
    assert tab.evaluate("document.activeElement.id") == "faults"
    tab.get_by_role("link", name="Code: A code has no spaces").click()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.name") in ("code", "why")


def test_an_act_asks_first_and_is_sent_once(view, bench):
    tab = view()
    tab.keyboard.press("a")
    dialog = tab.get_by_role("dialog", name="Approve version 15 of “Rent reminder”?")
    assert "Version 14 can be restored" in dialog.inner_text()
    tab.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    tab.wait_for_function("document.activeElement.tagName == 'SUMMARY'")
    tab.locator("summary", has_text="Approve version 15").click()
    bench.posted.clear()
    tab.evaluate("const b = document.querySelector('dialog[open] [type=submit]'); b.click(); b.click(); b.click()")
    tab.wait_for_url("**/approve")
    assert len(bench.posted) == 1
    assert "csrfmiddlewaretoken=token" in bench.posted[0]


def test_without_script_an_act_opens_below_its_button(chromium, bench):
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{bench.url}/calm")
    assert not tab.get_by_role("button", name="Approve and make live").is_visible()
    tab.locator("summary", has_text="Approve version 15").click()
    assert not tab.get_by_role("button", name="Cancel").count()
    tab.get_by_role("button", name="Approve and make live").click()
    assert tab.url.endswith("/approve")
    assert not tab.get_by_role("button", name="Copy the digest").count()
    context.close()


def test_keys_go_step_and_search(view):
    tab = view()
    tab.keyboard.press("/")
    assert tab.evaluate("document.activeElement.id") == "rail-q"
    tab.keyboard.type("gmj/?")
    assert tab.input_value("#rail-q") == "gmj/?"
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    tab.keyboard.press("k")
    assert tab.evaluate("document.activeElement.textContent") == "one"
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/one")
    tab.keyboard.press("g")
    tab.keyboard.press("m")
    tab.wait_for_url("**/messages")


def test_a_person_can_turn_single_keys_off(view):
    tab = view()
    tab.keyboard.press("?")
    tab.get_by_role("dialog", name="Keyboard").wait_for()
    assert "M Messages" in tab.get_by_role("dialog").inner_text()
    photograph(tab, "keys", whole=False)
    tab.get_by_label("Single keys work").uncheck()
    tab.get_by_role("button", name="Close").click()
    for key in "a?gmj":
        tab.keyboard.press(key)
    assert not tab.get_by_role("dialog").count()
    tab.reload()
    tab.keyboard.press("?")
    assert not tab.get_by_role("dialog").count()
    tab.get_by_role("button", name="Keyboard").click()
    tab.get_by_label("Single keys work").check()
    tab.keyboard.press("Escape")
    tab.keyboard.press("?")
    tab.get_by_role("dialog", name="Keyboard").wait_for()


def test_keys_with_control_are_the_browsers_own(view):
    tab = view()
    for key in ("Control+a", "Alt+a", "Meta+a"):
        tab.keyboard.press(key)
    assert not tab.get_by_role("dialog").count()


def test_a_copy_is_said(view):
    tab = view()
    tab.get_by_role("button", name="Copy the digest").click()
    tab.get_by_role("status").get_by_text("Copied: sha256:6c1fe09b").wait_for()
    assert tab.evaluate("navigator.clipboard.readText()") == "sha256:6c1fe09b"


def test_clocks_run_on(view):
    tab = view()
    tab.get_by_text("59\N{NO-BREAK SPACE}s left").wait_for()
    tab.get_by_text("1\N{NO-BREAK SPACE}h old").wait_for()


def test_what_is_typed_is_not_lost_without_a_question(view):
    tab = view()
    asked = []
    tab.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    tab.get_by_label("Code", exact=False).first.fill("rent-reminder")
    tab.get_by_role("link", name="one", exact=True).click()
    tab.wait_for_url("**/one")
    assert asked == ["beforeunload"]
    view()
    tab.get_by_label("Code", exact=False).first.fill("rent-reminder")
    tab.get_by_role("button", name="Save").click()
    tab.wait_for_url("**/saved")
    assert asked == ["beforeunload"]
