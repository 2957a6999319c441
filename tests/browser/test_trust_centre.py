"""The trust centre in a real Chromium: the three profiles' pages in both widths and colours, complete without script and in
print; valid HTML, no finding of axe, and all of it under 100 KB.
"""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from tests.browser.conftest import PICTURES
from tests.control.centre import promising
from tests.control.centre.promising import NAMES
from tests.control.trust.test_sentences import SHARED, missing
from tests.support import pages, postgres
from tests.support.firm import make_operator

from troth.control.trust.catalogue import claims

NODE = Path(__file__).parents[1] / "node"
PROFILES = tuple(NAMES)
OTHERS = {
    "trust-centres": "/trust",
    "trust-filtered": "/trust/property?state=fails",
    "trust-claim-fails": "/trust/property/claims/BNC-2",
    "trust-claim-holds": "/trust/property/claims/EML-2",
    "trust-claim-unchecked": "/trust/property/claims/INF-1",
    "trust-german": "/trust/retail?lang=de",
    "trust-spanish": "/trust/construction?lang=es",
}
BUDGET = 100_000  # bytes, uncompressed, of everything that a page needs


@pytest.fixture(scope="module")
def house(pg_server, pg_template, tmp_path_factory):
    """One site for all: nothing is changed in it."""
    with postgres.cloned(pg_server, pg_template) as database:
        operator = make_operator(database)
        promising.told(operator, promising.programmes(operator))
        running = pages.start(operator, tmp_path_factory.mktemp("centre"))
        try:
            yield running
        finally:
            pages.stop(running)


@pytest.fixture
def site(house):
    return house


def validator() -> str:
    """html-validate, installed beside Node's other programs (no lock file: it would name download addresses)."""
    if shutil.which("npm") is None and "CI" not in os.environ:
        pytest.skip("not run: needs node and npm")
    if not (NODE / "node_modules" / "html-validate").is_dir():
        command = [shutil.which("npm"), "install", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(command, cwd=NODE, check=True, capture_output=True)
    return str(NODE / "node_modules" / ".bin" / "html-validate")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profiles_page_in_both_widths_and_colours(look, profile):
    look().look_at(f"/trust/{profile}", f"trust-{profile}")


@pytest.mark.parametrize("name", OTHERS)
def test_the_other_pages(look, name):
    look().look_at(OTHERS[name], name)


def test_the_html_is_valid(site, tmp_path):
    paths = {**{f"trust-{profile}": f"/trust/{profile}" for profile in PROFILES}, **OTHERS, "missing": "/trust/nowhere"}
    for name, path in paths.items():
        (tmp_path / f"{name}.html").write_text(pages.Visitor(site.url).get(path).text, encoding="utf-8")
    command = [validator(), "--preset", "standard", *map(str, sorted(tmp_path.glob("*.html")))]
    ran = subprocess.run(command, cwd=NODE, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (tmp_path / "wrong.html").write_text('<!DOCTYPE html><html lang="en"><p style="x">', encoding="utf-8")
    assert subprocess.run([*command[:3], str(tmp_path / "wrong.html")], cwd=NODE, capture_output=True).returncode == 1


@pytest.mark.parametrize("language", ["en", "es", "de"])
@pytest.mark.parametrize("profile", PROFILES)
def test_everything_that_a_page_needs_is_under_the_budget(look, site, profile, language):
    looker, taken = look(), {}
    looker.page.on("response", lambda got: taken.update({got.url: len(got.body())}))
    looker.go(f"/trust/{profile}?lang={language}")
    looker.page.wait_for_load_state("networkidle")
    icon = looker.page.locator("link[rel=icon]").get_attribute("href")
    taken[f"{site.url}{icon}"] = len(pages.Visitor(site.url).get(icon).text)
    assert len(taken) == 3, taken
    assert sum(taken.values()) < BUDGET, taken
    assert not looker.console


@pytest.mark.parametrize("profile", PROFILES)
def test_it_is_complete_without_script_and_has_none(look, profile):
    looker = look(scripts=False)
    looker.go(f"/trust/{profile}")
    assert looker.page.locator("script, [style], [onclick], iframe, form").count() == 0
    shown = {each.get_attribute("id"): each.inner_text() for each in looker.page.locator("article").all()}
    wanted = [claim.id for claim in claims() if claim.promised_by(profile)]
    assert sorted(shown) == sorted(wanted)
    for text in shown.values():
        assert any(
            word in text for word in ("Holds.", "Does not hold since", "No data yet.", "No check yet.", "too old")
        )
    looker.page.get_by_role("link", name="Does not hold", exact=False).first.click()
    assert looker.page.locator("article").count() == len(promising.FAILS)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared claims are not beside this repository")
@pytest.mark.parametrize("profile", PROFILES)
def test_every_number_of_the_trust_centre_it_follows_is_on_the_page(look, profile):
    looker = look(scripts=False)
    looker.go(f"/trust/{profile}")
    says = {
        each.get_attribute("id"): each.locator("p").first.inner_text() for each in looker.page.locator("article").all()
    }
    rows = tomllib.loads(SHARED.read_text(encoding="utf-8"))["claim"]
    assert sum(profile in row for row in rows) == len(says)
    for row in rows:
        if profile in row:
            assert not missing(row[profile], says[row["id"]]), (row["id"], says[row["id"]])


def test_the_policy_of_the_page_lets_nothing_in(site):
    for path in ("/trust", "/trust/property", "/trust/property/claims/ENC-4"):
        answer = pages.Visitor(site.url).get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.split("; ") == [
            "default-src 'none'", "style-src 'self'", "img-src 'self'", "form-action 'none'", "base-uri 'none'",
            "frame-ancestors 'none'",
        ]  # fmt: skip
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("profile", PROFILES)
def test_it_prints(look, profile):
    looker = look()
    looker.go(f"/trust/{profile}")
    PICTURES.mkdir(parents=True, exist_ok=True)
    made = looker.page.pdf(path=PICTURES / f"trust-{profile}.pdf", format="A4", print_background=True)
    assert made.startswith(b"%PDF-")
    looker.page.emulate_media(media="print", color_scheme="dark")
    assert not looker.page.locator("aside").is_visible()
    assert looker.page.locator("article").count() == sum(claim.promised_by(profile) for claim in claims())
