"""A real Chromium before the real pages: pictures in both colours and widths, axe-core on each, nothing that overflows."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Locator, Page, sync_playwright
from tests.support import pages
from tests.support.pages import PASSWORD, Site, Somebody, Visitor

PICTURES = Path(__file__).parents[2] / "var" / "pictures"
WIDTHS = {1440: 900, 390: 844}
_WIDER = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


@dataclass
class Looker:
    """Somebody at a browser. `console` holds what the browser complained of: a policy's refusal, a missing file."""

    page: Page
    site: Site
    console: list[str]

    def sign_in(self, who: Somebody, password: str = PASSWORD) -> None:
        """At the door; whoever has a passkey, with the cookies that both factors gave a visitor without a browser."""
        if who.key is not None and password == PASSWORD:
            self.take(self.site.visitor(who))
            self.go("/")
            return
        self.page.goto(f"{self.site.url}/sign-in")
        self.page.get_by_label("E-mail").fill(who.address)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def take(self, visitor: Visitor) -> None:
        """Be who a visitor is."""
        self.page.context.add_cookies([
            {"name": each.name, "value": each.value or "", "url": self.site.url, "secure": True, "httpOnly": True}
            for each in visitor.cookies
        ])  # fmt: skip

    def go(self, path: str) -> None:
        self.page.goto(self.site.url + path)

    def look_at(self, path: str, name: str) -> None:
        """Open a page in both widths and colours: a picture of each, no finding of axe, nothing wider than the window."""
        for width, height in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": height})
            for colours in ("light", "dark"):
                self.page.emulate_media(color_scheme=colours)
                self.go(path)
                self.picture(f"{name}-{width}-{colours}")
                found = axe_findings(self.page)
                assert not found, f"{path} at {width}, {colours}: {found}"
                assert self.page.evaluate(_WIDER) <= 0, f"{path} at {width} is wider than the window"
        assert not self.console, self.console

    def picture(self, name: str) -> None:
        photograph(self.page, name)


def photograph(page: Page, name: str, *, whole: bool = True, tries: int = 3) -> None:
    """A picture of what is shown. A machine under load now and then cannot take one at once: Chromium says so."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    try:
        page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)
    except Error as wrong:
        if tries < 2 or "Unable to capture screenshot" not in wrong.message:
            raise
        page.wait_for_timeout(500)
        photograph(page, name, whole=whole, tries=tries - 1)


def axe_findings(page: Page) -> list[str]:
    """Each violation in a line: the rule, and where."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {[node['target'] for node in one['nodes']][:5]}" for one in found]


@pytest.fixture(scope="session", autouse=True)
def whole_pages():
    """A click is over when the page that it leads to is there as a whole: Playwright waits until it begins to be."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("click", "press"):
            patch.setattr(Locator, name, _and_loads(getattr(Locator, name)))
        yield


def _and_loads(act: Callable[..., None]) -> Callable[..., None]:
    def done(locator: Locator, *given: object, **named: object) -> None:
        act(locator, *given, **named)
        locator.page.wait_for_load_state()

    return done


@pytest.fixture(scope="session")
def chromium():
    """The system's own; its profile is new each time."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", chromium_sandbox=False, args=["--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def site(operator, tmp_path):
    """Running pages with an operator, two firms, and somebody on each side who can sign in."""
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


@pytest.fixture
def look(chromium, site) -> Callable[..., Looker]:
    """`look(who)`: a browser of their own, signed in; `look()`: before the door; `scripts=False`: without script."""
    opened = []

    def made(who: Somebody | None = None, *, scripts: bool = True) -> Looker:
        context = chromium.new_context(ignore_https_errors=True, java_script_enabled=scripts, locale="en-GB")
        opened.append(context)
        page, console = context.new_page(), []
        page.set_default_timeout(20_000)
        page.on("console", lambda said: console.append(said.text) if said.type in ("error", "warning") else None)
        looker = Looker(page, site, console)
        if who is not None:
            looker.sign_in(who)
        return looker

    yield made
    for context in opened:
        context.close()
