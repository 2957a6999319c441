"""The pages' shell in a real browser: the door, the frame of every page, the first page with nothing and with much."""

from tests.browser import seeding
from tests.control.people.test_passwords import made


def test_the_door_and_an_empty_house(look, site):
    outside = look()
    outside.look_at("/sign-in", "sign-in")
    outside.look_at("/password", "password")
    outside.look_at(made(site, site.member), "password-set")
    inside = look(site.staff)
    assert inside.page.url == f"{site.url}/"
    inside.look_at("/", "home-empty")
    inside.look_at("/clients", "clients")
    inside.look_at("/clients?q=nobody", "clients-none")


def test_what_is_typed_wrong_is_said_beside_it(look, site):
    from tests.browser.conftest import axe_findings

    outside = look()
    outside.sign_in(site.member, "wrong")
    assert "4 tries left" in outside.page.content()
    assert not axe_findings(outside.page)
    outside.picture("sign-in-wrong")
    outside.go(made(site, site.member))
    outside.page.get_by_label("New password").fill("short")
    outside.page.get_by_label("The same once more").fill("short")
    outside.page.get_by_role("button", name="Set the password").click()
    assert not axe_findings(outside.page)
    outside.picture("password-set-wrong")


def test_a_busy_house(look, site):
    seeding.busy(site)
    look(site.staff).look_at("/", "home-staff")
    look(site.member).look_at("/", "home-member")


def test_nothing_there(look, site):
    member = look(site.member)
    member.go("/nowhere")
    member.console.clear()  # the browser's own line about the status
    member.picture("not-found")
    outside = look()
    outside.go("/nowhere")
    outside.picture("not-found-outside")
    assert "There is nothing here for you" in outside.page.content()


def test_the_first_stop_of_the_keyboard_skips_to_the_content(look, site):
    page = look(site.member).page
    page.goto(f"{site.url}/templates")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_every_choice_works_without_script(look, site):
    plain = look(scripts=False)
    plain.sign_in(site.staff)
    page = plain.page
    assert page.url == f"{site.url}/"
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Firm firm P").click()
    assert page.url == f"{site.url}/"
    assert "Firm firm" in page.content()
    page.get_by_role("button", name="Dark").click()
    assert 'data-theme="dark"' in page.content()
    page.set_viewport_size({"width": 390, "height": 844})
    assert not page.get_by_role("link", name="Templates").is_visible()
    page.get_by_role("button", name="Menu").click()
    assert page.get_by_role("link", name="Templates").is_visible()
    plain.picture("menu-390-dark")
    page.get_by_role("button", name="Sign out").click()
    assert page.url == f"{site.url}/sign-in"
