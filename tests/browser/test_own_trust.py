"""A client firm's own trust page in a real Chromium, and the page on which its people choose it."""

import subprocess

import pytest
from tests.browser.conftest import PICTURES
from tests.browser.test_trust_centre import BUDGET, NODE, validator
from tests.control.centre.test_own import HERE, opened
from tests.support import pages, postgres
from tests.support.firm import make_operator

PATHS = {"own-trust": HERE, "own-trust-fails": f"{HERE}?state=fails", "own-trust-german": f"{HERE}?lang=de",
         "own-trust-spanish": f"{HERE}?lang=es"}  # fmt: skip


@pytest.fixture(scope="module")
def house(pg_server, pg_template, tmp_path_factory):
    with postgres.cloned(pg_server, pg_template) as database:
        found = opened(make_operator(database), tmp_path_factory.mktemp("own"))
        yield found
        pages.stop(found[0])


@pytest.fixture
def site(house):
    return house[0]


@pytest.mark.parametrize("name", PATHS)
def test_it_in_both_widths_and_colours(look, name):
    look().look_at(PATHS[name], name)


def test_its_people_see_whether_it_is_shown(look, house):
    looker = look()
    looker.sign_in(house[2])
    looker.look_at("/trust-page", "own-trust-choosing")
    assert looker.page.get_by_role("link", name=HERE).is_visible()


def test_the_html_is_valid(site, tmp_path):
    for name, path in PATHS.items():
        (tmp_path / f"{name}.html").write_text(pages.Visitor(site.url).get(path).text, encoding="utf-8")
    command = [validator(), "--preset", "standard", *map(str, sorted(tmp_path.glob("*.html")))]
    ran = subprocess.run(command, cwd=NODE, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_it_is_small_complete_without_script_and_prints(look, site):
    looker, taken = look(scripts=False), {}
    looker.page.on("response", lambda got: taken.update({got.url: len(got.body())}))
    looker.go(HERE)
    assert looker.page.locator("script, [style], [onclick], iframe, form").count() == 0
    assert sum(taken.values()) < BUDGET, taken
    PICTURES.mkdir(parents=True, exist_ok=True)
    printing = look()
    printing.go(HERE)
    assert printing.page.pdf(path=PICTURES / "own-trust.pdf", format="A4", print_background=True).startswith(b"%PDF-")
    assert site.url in looker.page.url
