"""RCP-2 and RCP-3 see whom registration should have turned down, and that its own list is fresh."""

from datetime import timedelta

import pytest
from tests.support.firm import now

from troth.control.trust.controls import rcp_3
from troth.keys import places
from troth.keys.ids import uuid7
from troth.mail import address_lists
from troth.mail.address_lists import Disposable
from troth.outside.mail_hosts import MailHost


def add(world, firm, address):
    """A verified recipient, put in by an intruder."""
    person = uuid7(now())
    key, wrapped = firm.keys.new_person_key(person)
    world.quiet(
        "INSERT INTO person (id, tenant_id, blind_index, address_ct, data_key, salt, status, pathway, verified_at, created_at)"
        " VALUES (%s, %s, sha256('x'), %s, %s, sha256('s'), 2, 'multi-step', now_v1(), now_v1())",
        person, firm.tenant, key.seal(address.encode(), places.address(person)), wrapped,
    )  # fmt: skip
    return person


@pytest.mark.parametrize(
    ("claim", "address"),
    [
        ("RCP-2", "ann@mailinator.com"),
        ("RCP-3", "postmaster@shops.people.example"),
        ("RCP-3", '"a b"@shops.people.example'),
    ],
)
def test_somebody_who_should_have_been_turned_down_is_seen(world, claim, address):
    person = add(world, world.firms["retail"], address)
    try:
        assert world.state(claim) == "fails"
        assert str(person) in world.why(claim)
    finally:
        world.quiet("DELETE FROM person WHERE id = %s", person)
    assert world.state(claim) == "holds", world.why(claim)


@pytest.mark.parametrize(("days", "state"), [(59, "holds"), (75, "stale"), (100, "fails")])
def test_an_old_list_is_told(world, monkeypatch, days, state):
    shipped = address_lists.disposable()
    now = world.sql("SELECT now_v1()::date")[0][0]
    monkeypatch.setattr(address_lists, "disposable", lambda: Disposable(now - timedelta(days=days), shipped.names))
    assert world.state("RCP-2") == state


def test_a_short_list_is_no_list(world, monkeypatch):
    shipped = address_lists.disposable()
    monkeypatch.setattr(address_lists, "disposable", lambda: Disposable(shipped.as_of, frozenset({"mailinator.com"})))
    assert "1 names only" in world.why("RCP-2")
    assert "does not turn yopmail.com down" in world.why("RCP-2")


def test_a_look_at_the_exchanger_that_sees_nothing_is_seen(world, monkeypatch):
    async def blind(_resolver, _domain):
        return MailHost.EXCHANGER

    monkeypatch.setattr(rcp_3, "mail_host", blind)
    assert "must say null-mx" in world.why("RCP-3")
    assert "that it cannot say" in world.why("RCP-3")
