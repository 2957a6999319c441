"""What people are told of their own account by mail: each at its moment, once, in words that the approved template takes."""

import json
import time

import pytest
from tests.support.pages import PASSWORD, join
from tests.support.soft_key import SoftKey

from troth.cli.demo import packs
from troth.mail.variables import check


@pytest.fixture
def told(site, door):
    """What came to an address, oldest first: (template, variables). Each must be what its pack's schema takes."""
    site.system_tenant()

    def came(address, wanted):
        end = time.monotonic() + 15
        while True:
            mails = [mail for _, _, mail in door if mail["to"] == [address]]
            if len(mails) >= wanted or time.monotonic() > end:
                break
            time.sleep(0.05)
        found = [(mail["template"]["id"], mail["template"]["variables"]) for mail in mails]
        for template, variables in found:
            assert check(variables, packs.template(f"system/{template}")[1]["schema"]) == []
        return found

    return came


def test_a_new_device_is_told_of_and_a_known_one_is_not(site, told):
    visitor = site.visitor(site.member)
    ((template, said),) = told(site.member.address, 1)
    assert template == "new-device"
    assert said["name"] == site.member.name
    assert said["how"] == "password and passkey"
    assert said["address"] == "127.0.0.1"
    assert said["when"].endswith("(Europe/London)")
    assert said["link"] == f"{site.url}/account"
    visitor.get("/")
    visitor.post("/sign-out")
    assert visitor.sign_in(site.member).url == f"{site.url}/"  # the same browser, which kept its mark
    site.visitor(site.member)
    assert [one for one, _ in told(site.member.address, 2)] == ["new-device"] * 2


def test_a_lock_out_is_told_of_once_and_to_nobody_else(site, told, door):
    for _ in range(7):
        site.visitor().sign_in(site.member, "wrong")
        visitor = site.visitor()
        visitor.get("/sign-in")
        visitor.post("/sign-in", login="nobody@firm.test", password="wrong")
    ((template, said),) = told(site.member.address, 1)
    assert (template, said["what"], said["minutes"]) == ("locked-out", "password", "15 minutes")
    time.sleep(0.5)
    assert len(door) == 1


def test_every_change_of_how_one_signs_in_is_told_of(site, told):
    who = join(site.operator, "Vesper Lane <vesper@firm.test>", "viewer", site.firm.tenant, second=False)
    visitor, key = site.visitor(who), SoftKey(who.account)
    visitor.get("/account/factors/passkey")
    page = visitor.last
    asked = json.loads(visitor.post("/account/factors/passkey/options").text)
    visitor.last = page
    hostile = "L\u202eap\x07top <b>{{ name }}</b>"
    assert (
        "Keep your" in visitor.post("/account/factors/passkey", credential=key.made(asked, site.url), name=hostile).text
    )
    visitor.get("/account/factors/codes")
    visitor.post("/account/factors/codes")
    visitor.get("/account/password")
    new = "seven brown boxes of string"
    assert visitor.post("/account/password", current=PASSWORD, password=new, again=new).url == f"{site.url}/account"
    (mine,) = site.operator.admin.execute("SELECT id FROM mfa_authenticator WHERE type = 'webauthn' AND user_id = %s",
                                          (who.account,)).fetchone()  # fmt: skip
    visitor.get(f"/account/factors/{mine}/remove")
    visitor.post(f"/account/factors/{mine}/remove")
    found = told(who.address, 5)
    assert [(template, said.get("what")) for template, said in found] == [
        ("new-device", None),
        ("sign-in-changed", "A passkey was added"),
        ("sign-in-changed", "New recovery codes were made"),
        ("sign-in-changed", "Your password was changed"),
        ("sign-in-changed", "A passkey was removed"),
    ]
    assert found[1][1]["detail"] == "The passkey “Laptop <b>{{ name }}</b>” was added"


def test_a_door_that_is_away_for_a_moment_gets_it_once(site):
    """Nothing listens at first; the mail comes when somebody does."""
    from tests.control.people.conftest import Door, serving

    site.system_tenant()
    site.visitor(site.member)
    time.sleep(1)
    Door.took = []
    with serving(site.door):
        end = time.monotonic() + 20
        while not Door.took and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(0.5)
    assert [mail["template"]["id"] for _, _, mail in Door.took] == ["new-device"]
