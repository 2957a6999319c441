"""The ledger in a real browser: nothing yet, the newest checkpoint, entries, one entry with its path to the root."""

import threading

from tests.browser import seeding
from tests.control.ledger.house import House


def sealed(site, tmp_path):
    """The sequencer's turn, in a thread: the browser has this one's event loop."""
    house = House(site.firm, tmp_path)
    house.tell(copies=3)
    turn = threading.Thread(target=house.seal)
    turn.start()
    turn.join()
    return house


def test_before_the_first_checkpoint(look, site):
    look(site.member).look_at("/ledger", "ledger-empty")


def test_the_checkpoint_and_an_entry(look, site, tmp_path):
    seeding.propose(site, f"a-{'long-' * 11}b", seeding.LONG)
    sealed(site, tmp_path)
    staff = look(site.staff)
    staff.look_at("/ledger", "ledger-staff")
    staff.look_at("/ledger?seals=with", "ledger-seals")
    member = look(site.member)
    member.look_at("/ledger", "ledger")
    member.page.get_by_role("main").locator("ol a").first.click()
    assert "In the tree" in member.page.content()
    member.page.get_by_text("The path to the root").click()
    member.look_at(member.page.url.removeprefix(site.url), "ledger-entry")
    with member.page.expect_download() as got:
        member.go("/ledger")
        member.page.get_by_role("link", name="Checkpoint").click()
    assert got.value.path().read_text().startswith("troth/")
