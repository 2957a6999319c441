"""Feedback loops and marked templates, looked at: empty, full, a form that is refused, an end that says its consequence."""

import pytest
from tests.support import loops_made, pages


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(
        operator, tmp_path, more={"TROTH_RETURN_PATH_DOMAIN": "bounces.troth.test", "TROTH_INBOUND_PORT": "2525"}
    )
    yield running
    pages.stop(running)


def test_the_loops_and_the_mark(look, site):
    looker = look(site.staff)
    looker.look_at("/feedback-loops", "feedback-loops-none")
    loop = loops_made.loops(site)
    looker.look_at("/feedback-loops", "feedback-loops")
    looker.look_at("/feedback-loops/new", "feedback-loop-new")
    looker.look_at(f"/feedback-loops/{loop}/end", "feedback-loop-end")
    looker.go("/feedback-loops/new")
    looker.page.get_by_label("Provider", exact=True).fill("Orange")
    looker.page.get_by_label("Signing domains").fill("orange")
    looker.page.get_by_role("button", name="Believe its reports").click()
    looker.picture("feedback-loop-refused")
    assert looker.page.get_by_label("Provider", exact=True).input_value() == "Orange"
    assert looker.page.get_by_label("Signing domains").get_attribute("aria-invalid") == "true"
    loops_made.marked(site)
    looker.console.clear()  # it told of the refusal
    looker.look_at("/", "marked-today")
    look(site.member).look_at(f"/templates/{site.firm.template}", "template-marked")
