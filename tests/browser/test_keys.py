"""API keys in a real browser: every page as people see it; a key made, rotated, and ended at once."""

import re

import pytest
from tests.support.firm import key_end
from tests.support.pages import join

from troth.keys.api_keys import make_key, parse_key

KEY = re.compile(r"troth_a_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}")


def artefact(name, **more):
    key = make_key("a")
    return {"name": name, "prefix": key.prefix, "hash": key.hash.hex(), "categories": ["rent"],
            "expires_at": key_end(), "policy": {}, **more}  # fmt: skip


@pytest.fixture
def keyed(site):
    """Keys in every state."""
    operator, firm = site.operator, site.firm
    operator.govern("api-key", firm.tenant, "office", artefact(
        "Office letters", networks=["192.0.2.0/24", "2001:db8::/48"], policy={"limits": {"key_hour": 500}}))  # fmt: skip
    operator.govern("api-key", firm.tenant, "trial", artefact("Trial of the new portal", mode="test", categories=None))
    operator.govern("api-key", firm.tenant, "soon", artefact("Night jobs", expires_at=key_end(5)))
    leaked = operator.govern("api-key", firm.tenant, "leaked", artefact("Old website"))
    operator.revoke(leaked)
    turned = operator.govern("api-key", firm.tenant, "turned", artefact("Billing"))
    operator.govern("api-key", firm.tenant, "turned", artefact("Billing"), turned)
    operator.admin.execute("UPDATE api_key_secret SET last_used_at = now_v1() WHERE key_id = %s", (turned,))
    site.turned = turned
    return site


def approve(look, site):
    """By the firm's own approver, on the page of the change."""
    who = join(site.operator, "Ines Falk <ines@firm.test>", "approver", site.firm.tenant)
    change = site.operator.admin.execute("SELECT id FROM change WHERE kind = 'api-key' AND state = 1").fetchone()[0]
    second = look(who)
    second.go(f"/changes/{change}")
    second.picture("key-change")
    second.page.locator("#approve-form summary").click()
    second.page.locator("dialog[open]").get_by_role("button", name="Approve", exact=True).click()
    second.page.get_by_text("is in force.").first.wait_for()


def test_keys_as_people_see_them(look, keyed):
    looker = look(keyed.member)
    looker.look_at("/keys", "keys")
    looker.look_at(f"/keys/{keyed.turned}", "key")
    looker.look_at("/keys/new", "key-new")
    looker.look_at(f"/keys/{keyed.turned}/rotate", "key-rotate")
    looker.look_at(f"/keys/{keyed.turned}/edit", "key-edit")


def test_no_key_yet_says_what_one_is_for(look, site):
    looker = look(site.outsider)
    site.operator.admin.execute("ALTER TABLE api_key_secret DISABLE TRIGGER USER")
    site.operator.admin.execute("DELETE FROM api_key_secret WHERE tenant_id = %s", (site.other.tenant,))
    site.operator.admin.execute("DELETE FROM api_key WHERE tenant_id = %s", (site.other.tenant,))
    looker.look_at("/keys", "keys-empty")


def test_a_key_is_rotated_by_two_people(look, site):
    looker = look(site.member)
    page = looker.page
    looker.go("/keys")
    page.get_by_role("link", name="key", exact=True).click()
    page.get_by_role("link", name="Rotate", exact=True).click()
    page.get_by_label("The new secret ends after").fill("900")
    page.get_by_role("button", name="Make the secret and propose it").click()
    assert "Policy allows from 1 to 90 days here" in page.get_by_role("alert").inner_text()
    looker.picture("key-rotate-refused")
    page.get_by_label("The new secret ends after").fill("60")
    page.get_by_label("Reason").fill("It is due")
    page.get_by_role("button", name="Make the secret and propose it").click()
    key = parse_key(KEY.search(page.get_by_label("The key").inner_text())[0])
    looker.picture("key-shown")
    approve(look, site)
    looker.go(f"/keys/{site.firm.key}")
    assert page.get_by_text("Works beside it").is_visible()
    looker.picture("key-rotated")
    hashes = site.operator.admin.execute(
        "SELECT hash FROM api_key_secret WHERE key_id = %s", (site.firm.key,)
    ).fetchall()
    assert {bytes(each) for (each,) in hashes} == {key.hash, site.firm.key_hash}
    looker.go("/keys")
    assert not KEY.search(page.content())


def test_a_key_is_made_and_ended_at_once(look, site):
    looker = look(site.member)
    page = looker.page
    looker.go("/keys")
    page.get_by_role("link", name="Make a key").first.click()
    page.get_by_label("Program").fill("Billing")
    page.get_by_label("Rent", exact=True).check()
    page.get_by_label("Networks that it may be used from").fill("192.0.2.7")
    page.get_by_label("Reason").fill("Billing sends the rent notices")
    page.get_by_role("button", name="Make it and propose it").click()
    assert KEY.search(page.get_by_label("The key").inner_text())
    page.set_viewport_size({"width": 390, "height": 844})
    wider = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    assert page.evaluate(wider) <= 0, "a key is whole on a phone, too"
    page.set_viewport_size({"width": 1440, "height": 900})
    approve(look, site)
    looker.go("/keys")
    page.get_by_role("link", name="Billing").click()
    page.locator("#end > summary").click()
    page.get_by_label("Reason").last.fill("It was in a public repository")
    looker.picture("key-ending")
    page.get_by_role("button", name="End it now").last.click()
    assert page.get_by_text("The key is ended: the door refuses it from now on.").is_visible()
    ended = "SELECT revoked_at IS NOT NULL FROM api_key WHERE name = 'Billing'"
    assert site.operator.admin.execute(ended).fetchone() == (True,)


def test_webhooks_as_people_see_them(look, site):
    looker = look(site.member)
    looker.look_at("/webhooks", "webhooks-none")
    looker.look_at("/webhooks/new", "webhook-new")
    looker.page.locator("#f-url").fill("https://hooks.example.com/troth/events")
    looker.page.get_by_role("button", name="Add it").click()
    looker.picture("webhook-secret")
    looker.page.get_by_role("link", name="I have kept it").click()
    path = looker.page.url.removeprefix(site.url)
    looker.page.get_by_role("button", name="Send a test event").click()
    assert looker.page.get_by_text("A test event is queued").is_visible()
    looker.look_at("/webhooks", "webhooks")
    looker.look_at(path, "webhook")
