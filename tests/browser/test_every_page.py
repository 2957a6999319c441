"""Every page of the urlconf in a real Chromium, at 1440 and 390 pixels, light and dark: axe-core finds nothing, the
browser complains of nothing, and nothing is wider than the window. The list of pages is the urlconf itself.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from tests.browser.conftest import _WIDER, WIDTHS, Looker, photograph
from tests.browser.every_page import (
    HALF,
    MEMBER,
    NOBODY,
    PAGES,
    STAFF,
    STAFF_AT,
    Act,
    Elsewhere,
    File,
    Frame,
    Look,
    Way,
)
from tests.browser.page_world import MAKERS
from tests.support import pages, postgres
from tests.support.firm import make_operator

ROOT = Path(__file__).parents[2]
_NAMES = """
import json
from django.conf import settings
settings.configure(ROOT_URLCONF="troth.control.urls", **__import__("troth.control.settings", fromlist=["SCHEMA"]).SCHEMA,
                   DATABASES={})
import django
django.setup()
from django.urls import get_resolver
print(json.dumps([pattern.name for pattern in get_resolver().url_patterns]))
"""
_AXE = "axe.run({resultTypes: ['violations']}).then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.target)]))"
_SHOWN = [(name, n, look) for name, row in PAGES.items() for n, look in enumerate(row if isinstance(row, list) else [row])
          if isinstance(look, Look)]  # fmt: skip
_REST = [(name, row) for name, row in PAGES.items() if isinstance(row, Act | Way | File | Frame | Elsewhere)]


@pytest.fixture(scope="module")
def house(pg_server, pg_template, tmp_path_factory):
    """One running site for all pages, with at least one thing of each kind; what paths call them."""
    with postgres.cloned(pg_server, pg_template) as database:
        site = pages.start(make_operator(database), tmp_path_factory.mktemp("every"))
        try:
            # in a thread of its own: the browser has this one's event loop, and the sequencer wants one
            with ThreadPoolExecutor(1) as own:
                world = own.submit(lambda: {name: make(site) for name, make in MAKERS.items()}).result()
            yield site, world
        finally:
            pages.stop(site)


@pytest.fixture(scope="module")
def looking(chromium, house):
    """`looking(who)`: a browser of theirs, signed in once for all pages."""
    site, _ = house
    opened: dict[str, Looker] = {}

    def found(who: str) -> Looker:
        if who not in opened:
            opened[who] = _looker(chromium, site, who)
        opened[who].console.clear()
        return opened[who]

    yield found
    for each in opened.values():
        each.page.context.close()


def _looker(chromium, site, who: str) -> Looker:
    context = chromium.new_context(ignore_https_errors=True, locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(20_000)
    looker = Looker(page, site, [])
    page.on("console", lambda said: looker.console.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda wrong: looker.console.append(str(wrong)))
    if who == HALF:
        visitor = pages.Visitor(site.url)
        visitor.get("/sign-in")
        visitor.post("/sign-in", login=site.member.address, password=pages.PASSWORD)
        looker.take(visitor)
    elif who != NOBODY:
        visitor = site.visitor(site.member if who == MEMBER else site.staff)
        if who == STAFF_AT:
            visitor.get("/clients")
            visitor.post("/scope", client=str(site.firm.tenant))
        looker.take(visitor)
    return looker


def test_no_page_is_missed():
    out = subprocess.run([sys.executable, "-c", _NAMES], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    names = set(json.loads(out))
    assert sorted(names - set(PAGES)) == [], "pages without a line in tests/browser/every_page.py"
    assert sorted(set(PAGES) - names) == [], "lines of pages that are no more"


@pytest.mark.parametrize(("name", "n", "look"), _SHOWN, ids=[f"{name}-{n}" if n else name for name, n, _ in _SHOWN])
def test_a_page_in_both_widths_and_colours(looking, house, name, n, look):
    site, world = house
    looker, path = looking(look.who), look.path.format(**world)
    page = looker.page
    page.set_viewport_size({"width": 1440, "height": WIDTHS[1440]})
    page.emulate_media(color_scheme="light")
    answer = page.goto(site.url + path)
    assert answer is not None
    assert (answer.status, page.url) == (look.status, site.url + path)
    page.evaluate(AXE_SCRIPT)
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours)
            photograph(page, f"every-{name}{f'-{n}' if n else ''}-{width}-{colours}")
            assert not (found := page.evaluate(_AXE)), f"{path} at {width}, {colours}: {found}"
            assert page.evaluate(_WIDER) <= 0, f"{path} at {width} is wider than the window"
    said = [each for each in looker.console if look.status < 400 or f"status of {look.status}" not in each]
    assert not said, f"{path}: {said}"


@pytest.mark.parametrize(("name", "row"), _REST, ids=[name for name, _ in _REST])
def test_what_is_no_page_to_look_at_is_none(looking, house, name, row):
    if isinstance(row, Elsewhere):
        assert (ROOT / row.test).exists(), f"{name}: no such test"
        return
    site, world = house
    answer = looking(row.who).page.context.request.get(
        site.url + row.path.format(**world), max_redirects=0, ignore_https_errors=True
    )
    kind, policy = (answer.headers.get(name, "") for name in ("content-type", "content-security-policy"))
    if isinstance(row, Act):
        assert answer.status == 405, "an act answers to forms alone; a page of its own wants a Look"
    elif isinstance(row, Way):
        assert answer.status == 302
        assert answer.headers["location"].startswith("/")
    elif isinstance(row, Frame):
        assert answer.status == 200
        assert "sandbox;" in f"{policy};", policy
    else:
        assert not kind.startswith("text/html"), kind
    answer.dispose()


def test_everybody_looks():
    assert {look.who for _, _, look in _SHOWN} == {MEMBER, STAFF, STAFF_AT, NOBODY, HALF}
