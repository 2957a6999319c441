"""The pages' shell in a real browser: the door, the frame of every page, what is shown when there is nothing."""


def test_the_door_and_the_frame(look, site):
    outside = look()
    outside.look_at("/sign-in", "sign-in")
    outside.look_at("/password", "password")
    inside = look(site.staff)
    assert inside.page.url == f"{site.url}/"
    inside.look_at("/", "home")
    inside.look_at("/clients", "clients")
