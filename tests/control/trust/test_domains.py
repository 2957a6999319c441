"""The states of EML-1 and EML-5, each reached by what there is to see: the DNS, the looks kept, the settings, the clock."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest
from tests.control.trust.world import ADDRESS, LIST

from troth.control.audit import scope
from troth.control.trust import running


def state(world, claim, **outside):
    with scope.connect(world.database.conninfo("troth_control"), "claims test") as connection:
        look = world.look(connection)
        look.outside = replace(look.outside, **outside)
        [found] = running.check(look, (claim,), None)
    return str(found.state), "\n".join(why for part in found.parts for why in part.evidence["why"])


def name_of(world):
    return world.firms["property"].name


@pytest.mark.parametrize(
    ("at", "kind", "values", "says"),
    [
        ("{}", "TXT", ["v=spf1 mx -all"], 'Add "include:spf.troth.example"'),
        ("{}", "TXT", [], "Publish a TXT record"),
        ("{}", "TXT", ["v=spf1 include:spf.troth.example +all"], "almost anyone"),
        ("bounce.{}", "CNAME", ["elsewhere.test."], "Publish a CNAME record at bounce."),
        ("_dmarc.{}", "TXT", ["v=DMARC1; p=reject; aspf=s"], "aspf=s"),
    ],
)
def test_spf_that_is_not_published_or_does_not_align_is_seen_in_the_dns(world, at, kind, values, says):
    assert state(world, "EML-1")[0] == "holds"
    name = at.format(name_of(world))
    world.names.server.set("elsewhere.test", "TXT", ["x"])
    world.names.server.set(name, kind, values)
    try:
        found, why = state(world, "EML-1")
        assert found == "fails"
        assert says in why
    finally:
        world.names.publish(name_of(world))


def test_a_dns_that_is_silent_leaves_the_last_look_and_then_it_is_too_old(world):
    world.names.server.set(name_of(world), "RCODE", ["SERVFAIL"])
    try:
        world.sql(
            "UPDATE domain_state SET findings = '[{\"ok\": true}]', last_good_at = now_v1(), checked_at = now_v1()"
        )
        assert state(world, "EML-1")[0] == "holds"
        world.sql("UPDATE domain_state SET last_good_at = now_v1() - interval '3 hours'")
        assert state(world, "EML-1")[0] == "stale"
    finally:
        world.names.server.set(name_of(world), "RCODE", [])


@pytest.mark.parametrize(
    ("missing", "says"), [("spf_mechanism", "no SPF mechanism"), ("bounces", "no domain of return paths")]
)
def test_what_the_settings_lack_is_said(world, missing, says):
    found, why = state(world, "EML-1", **{missing: None})
    assert found == "fails"
    assert says in why


def test_before_a_domain_was_ready_there_is_nothing_to_say(world):
    world.sql("UPDATE domain_state SET last_good_at = NULL, ready_until = 'epoch'")
    assert state(world, "EML-1")[0] == "no data yet"


def test_an_address_whose_name_leads_elsewhere_is_seen_now(world):
    assert state(world, "EML-5")[0] == "holds"
    world.names.server.set("out.troth.example", "A", ["192.0.2.77"])
    try:
        found, why = state(world, "EML-5")
        assert found == "fails"
        assert "leads back to it" in why
    finally:
        world.names.server.set("out.troth.example", "A", [ADDRESS])


def test_a_name_that_cannot_be_asked_for_is_not_known_to_lead_back(world):
    name = ip_address(ADDRESS).reverse_pointer
    world.names.server.set(name, "RCODE", ["REFUSED"])
    try:
        found, why = state(world, "EML-5")
        assert found == "stale"
        assert "cannot be looked up now" in why
    finally:
        world.names.server.set(name, "RCODE", [])
    assert state(world, "EML-5")[0] == "holds"


def test_looks_that_stopped_are_stale_and_none_at_all_is_no_data(world):
    world.sql("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(hours=4))
    assert state(world, "EML-5")[0] == "stale"
    world.sql("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(days=40))
    assert state(world, "EML-5")[0] == "stale"
    world.quiet("DELETE FROM reputation_look")
    assert state(world, "EML-5")[0] == "no data yet"


def test_a_list_that_was_not_asked_or_cannot_be_believed_is_stale(world):
    found, why = state(world, "EML-5", address_lists=(LIST, "new.list.test"))
    assert found == "stale"
    assert "was not looked up: new.list.test" in why
    world.quiet("UPDATE reputation_look SET state = 'unusable' WHERE list = %s", LIST)
    found, why = state(world, "EML-5")
    assert found == "stale"
    assert "no list can be believed" in why


@pytest.mark.parametrize(("missing", "says"), [("addresses", "sending_addresses"), ("address_lists", "address_lists")])
def test_a_promise_that_nobody_set_up_fails(world, missing, says):
    found, why = state(world, "EML-5", **{missing: ()})
    assert found == "fails"
    assert says in why


@pytest.mark.parametrize(
    ("record", "state"),
    [
        ("v=spf1 ip4:192.0.2.128/25 -all", "fails"),
        ("v=spf1 ?ip4:192.0.2.1 -all", "fails"),
        ("nothing of ours", "fails"),
        ("v=spf1 mx -all", "holds"),  # only a receiver can say
    ],
)
def test_our_own_spf_names_the_addresses_that_mail_leaves_from(world, record, state):
    world.names.server.set("more.troth.example", "TXT", [record])
    assert world.state("EML-1") == state
    assert ("does not name the sending address" in world.why("EML-1")) == (state == "fails")
    world.names.server.set("more.troth.example", "RCODE", ["SERVFAIL"])
    assert "our own SPF cannot be looked up now" in world.why("EML-1")
    world.names.server.set("more.troth.example", "RCODE", [])
