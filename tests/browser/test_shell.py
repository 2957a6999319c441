"""The pages' shell in a real browser: the door, the frame of every page, the first page with nothing and with much."""

from tests.browser import seeding


def test_the_door_and_an_empty_house(look, site):
    outside = look()
    outside.look_at("/sign-in", "sign-in")
    outside.look_at("/password", "password")
    inside = look(site.staff)
    assert inside.page.url == f"{site.url}/"
    inside.look_at("/", "home-empty")
    inside.look_at("/clients", "clients")
    inside.look_at("/clients?q=nobody", "clients-none")


def test_a_busy_house(look, site):
    seeding.busy(site)
    look(site.staff).look_at("/", "home-staff")
    look(site.member).look_at("/", "home-member")
