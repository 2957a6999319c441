"""Who is asked to look is told by mail, and who proposed hears what became of it; nobody hears of their own act."""

import time

import pytest
from tests.control.approvals.test_pages import template
from tests.control.people.conftest import Door, serving

from troth.cli.demo import packs
from troth.mail.variables import check


@pytest.fixture
def told(site):
    """What came to an address: (template, variables), each as its pack's schema takes it."""
    site.system_tenant()
    Door.took = []

    def came(address, wanted):
        end = time.monotonic() + 15
        mails = []
        while len(mails) < wanted and time.monotonic() < end:
            time.sleep(0.05)
            mails = [mail for _, _, mail in Door.took if mail["to"] == [address]]
            mails = [mail for mail in mails if mail["template"]["id"].startswith("change-")]
        found = [(mail["template"]["id"], mail["template"]["variables"]) for mail in mails]
        for code, variables in found:
            assert check(variables, packs.template(f"system/{code}")[1]["schema"]) == []
        return found

    with serving(site.door):
        yield came


def test_whoever_is_asked_is_told_once(site, people, proposed, told):
    change, _ = template(site, proposed)
    ada, ben = site.visitor(people["author"]), people["approver"]
    ada.get(f"/changes/{change}")
    ada.post(f"/changes/{change}/ask", who=str(ben.account))
    ada.post(f"/changes/{change}/ask", who=str(ben.account))
    ((code, said),) = told(ben.address, 1)
    assert (code, said["name"], said["who"]) == ("change-waits", "Ben Second", "Ada Author")
    assert said["what"] == "Template “reminder”, version 1 to 2"
    assert said["link"] == f"{site.url}/changes/{change}"
    assert said["ends"].endswith("(Europe/London)")


def test_the_author_hears_of_an_approval_and_of_a_rejection(site, people, proposed, told):
    ben = site.visitor(people["approver"])
    first, digest = template(site, proposed)
    ben.get(f"/changes/{first}")
    ben.post(f"/changes/{first}/approve", digest=digest.hex())
    second, _ = template(site, proposed, subject="Something long " * 40)
    ben.get(f"/changes/{second}")
    ben.post(f"/changes/{second}/close", why="Too long.\nBy far.")
    found = told(people["author"].address, 2)
    assert [(code, said["became"], said["words"]) for code, said in found] == [
        ("change-decided", "approved", "It is in force."),
        ("change-decided", "rejected", "Too long. By far."),
    ]
    assert told(people["approver"].address, 0) == []


def test_a_withdrawal_is_told_to_nobody(site, people, proposed, told):
    change, _ = template(site, proposed)
    ada = site.visitor(people["author"])
    ada.get(f"/changes/{change}")
    ada.post(f"/changes/{change}/close")
    time.sleep(1)
    assert told(people["author"].address, 0) == []
