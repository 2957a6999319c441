"""Messages in a real browser: a thousand of them with long names, one with all that is known of it, and every empty state."""

from tests.browser.seeding import long_names
from tests.support import seeding


def test_a_thousand_messages_and_one(look, site):
    addresses = seeding.people(site.firm, 120)
    seeding.messages(site.firm, 1000, weeks=1, real=60)
    member = look(site.member)
    member.look_at("/messages", "messages")
    member.go("/messages")
    member.page.evaluate("window.same = true")
    member.page.get_by_label("State", exact=True).select_option("bounced")
    member.page.wait_for_url("**/messages?state=bounced")
    member.page.get_by_role("status").get_by_text("on this page").wait_for()
    assert member.page.evaluate("window.same"), "the list alone was fetched"
    assert {"Bounced"} == set(member.page.locator("tbody .state").all_inner_texts())
    member.page.go_back()
    member.page.wait_for_url(f"{site.url}/messages")
    member.page.get_by_label("State", exact=True).select_option("bounced")
    member.page.get_by_role("button", name="Show").click()
    member.page.wait_for_url("**/messages?state=bounced")
    member.look_at(member.page.url.removeprefix(site.url), "messages-bounced")
    member.page.get_by_role("link", name="Remove filter: state bounced").click()
    assert member.page.url == f"{site.url}/messages"
    main = member.page.get_by_role("main")
    main.get_by_label("Whole address, or an id").fill(addresses[49])
    main.get_by_role("button", name="Find").click()
    assert "who=" in member.page.url
    assert addresses[49].partition("@")[0] not in member.page.url
    member.look_at(member.page.url.removeprefix(site.url), "messages-who")
    member.go("/messages?state=delivered")
    member.page.locator("tbody a").first.click()
    member.look_at(member.page.url.removeprefix(site.url), "message")
    long_names(site)


def test_the_empty_states_of_messages(look, site):
    member = look(site.member)
    member.look_at("/messages", "messages-none")
    member.look_at("/messages?state=bounced", "messages-nothing-found")
    member.page.get_by_role("main").get_by_label("Whole address, or an id").fill("sam@")
    member.page.get_by_role("main").get_by_role("button", name="Find").click()
    member.picture("messages-refused")
    assert "@" in member.page.get_by_role("main").get_by_label("Whole address, or an id").input_value()
    look(site.staff).look_at("/messages", "messages-choose")
