"""A sending domain from being added to all green, looked at step by step, before real DNS servers and the duties."""

import asyncio
import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from tests.support import pages
from tests.support.own_dns import OwnDns

from troth.flow.duties import Sending, check_domains
from troth.keys.keyring import OPERATOR
from troth.outside.dns import Resolver
from troth.outside.domain_views import Asked

NAME, SPF, BOUNCES = "post.firm.example", "include:_spf.relay.test", "bounces.troth.test"


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path, more={
        "TROTH_SPF_MECHANISM": SPF, "TROTH_RETURN_PATH_DOMAIN": BOUNCES, "TROTH_INBOUND_PORT": "2525",
    })  # fmt: skip
    yield running
    pages.stop(running)


@pytest.fixture
def world():
    """Two resolvers."""
    zones = {
        "_spf.relay.test": {"TXT": ["v=spf1 ip4:127.0.0.1 -all"]},
        BOUNCES: {"TXT": [f"v=spf1 {SPF} -all"], "MX": ["10 in.troth.test."]},
        NAME: {"TXT": ["v=spf1 mx -all"]},
    }
    servers = OwnDns(zones), OwnDns(zones)
    yield servers
    for server in servers:
        server.stop()


def checked(site, world):
    """As the duties do within seconds of a press on the button."""
    (keyset,) = site.operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()
    asked = tuple(
        Asked(f"192.0.2.{n}", Resolver([(each.server.host, each.server.port)], 2.0)) for n, each in enumerate(world, 53)
    )
    keyring = site.operator.keyring
    given = Sending(asked[0].resolver, SPF, BOUNCES, asked, operator=keyring.tenant(OPERATOR, bytes(keyset)))

    async def run():
        async with await site.operator.database.connect("duties") as connection:
            await check_domains(connection, given, timedelta(0))

    with ThreadPoolExecutor(1) as apart:  # the browser has a loop of its own here
        apart.submit(lambda: asyncio.run(run())).result()


def key_of(site):
    (public,) = site.operator.admin.execute(
        "SELECT public_der FROM dkim_key k JOIN change c ON c.subject = k.domain_id WHERE c.code = %s AND k.state = 'active'",
        (NAME,),
    ).fetchone()
    return base64.b64encode(public).decode()


def test_a_domain_from_being_added_to_all_green(look, site, world):
    member = look(site.member)
    member.look_at("/domains/new", "domain-new")
    member.page.get_by_label("Domain").fill(NAME)
    member.page.get_by_label("Reason").fill("Rent reminders come from a name of their own")
    member.page.get_by_role("button", name="Make its key and propose it").click()
    at = member.page.url.removeprefix(site.url)
    assert "A second person looks at" in member.page.content()
    member.look_at(at, "domain-proposed")
    (change, digest) = site.operator.admin.execute("SELECT id, digest FROM change WHERE code = %s", (NAME,)).fetchone()
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (change, digest, site.operator.sessions[1]))
    key = key_of(site)
    one, two = world
    one.set(f"troth1._domainkey.{NAME}", "TXT", [f"v=DKIM1; k=rsa; p={key[:230]}"])  # cut off by the form
    one.set(f"_dmarc.{NAME}", "TXT", ["v=DMARC1; p=none"])
    member.go(at)
    member.page.get_by_role("button", name="Check now").click()
    assert member.page.get_by_role("status").first.is_visible()
    member.picture("domain-asking")
    checked(site, world)
    member.page.get_by_text("only the first 230").first.wait_for()
    member.look_at(at, "domain-wrong")
    for server in world:
        server.set(NAME, "TXT", [f"v=spf1 mx {SPF} -all"])
        server.set(f"troth1._domainkey.{NAME}", "TXT", [f"v=DKIM1; k=rsa; p={key}"])
        server.set(f"bounce.{NAME}", "CNAME", [f"{BOUNCES}."])
    one.set(f"_dmarc.{NAME}", "TXT", ["v=DMARC1; p=reject"])
    two.set(f"_dmarc.{NAME}", "TXT", ["v=DMARC1; p=none"])
    checked(site, world)
    member.go(at)
    assert "still sees the old state" in member.page.content()
    member.look_at(at, "domain-one-behind")
    two.set(f"_dmarc.{NAME}", "TXT", ["v=DMARC1; p=reject"])
    checked(site, world)
    member.go(at)
    assert "Every record holds" in member.page.content()
    member.look_at(at, "domain-green")
    member.look_at("/domains", "domains-list")
    member.look_at(f"{at}/rotate", "domain-rotate")
    member.page.get_by_role("button", name="Make the new key").click()
    member.look_at(at, "domain-rotating")


def test_the_same_without_script(look, site):
    member = look(site.member, scripts=False)
    member.go(f"/domains/{site.firm.domain}")
    assert member.page.get_by_role("button", name="Check now").is_visible()
    assert member.page.locator("[data-copy]").first.is_hidden()
    text = member.page.locator("pre.wrap").first.inner_text()
    assert text


def test_reputation_is_looked_at(look, site):
    staff = look(site.staff)
    staff.look_at("/domains/reputation", "reputation-none")
    for subject, name, state, said in (
        ("192.0.2.10", "bl.example.test", "clean", ""), ("192.0.2.10", "reverse-name", "confirmed", "out1.relay.test"),
        ("192.0.2.11", "bl.example.test", "listed", "127.0.0.4 https://example.test/why/192.0.2.11"),
        ("192.0.2.11", "closed.example.test", "unusable", "closed.example.test lists everything, even what no list may: it is closed."),
    ):  # fmt: skip
        site.operator.admin.execute(
            "INSERT INTO reputation_look VALUES (gen_random_uuid(), NULL, %s, %s, now_v1(), %s, %s)",
            (subject, name, state, said),
        )
    staff.look_at("/domains/reputation", "reputation")


def test_the_domains_of_all_clients_and_the_next_key_are_looked_at(look, site):
    site.firm.domain_ready(False)
    site.operator.database.fill(
        "UPDATE domain_state SET broken_at = now_v1() - interval '2 days', last_good_at = now_v1() - interval '2 days',"
        " checked_at = now_v1(), findings = %s, views = %s WHERE domain_id = %s",
        json.dumps([{"ok": False, "code": "spf.required", "sentence": f'Add "{SPF}" to the SPF record, before its "all".',
                     "saw": ["v=spf1 mx -all"]}]),
        json.dumps([{"who": f"192.0.2.{n}", "own": False, "holds": False, "ttl": 0, "findings": [], "keys": {"t1": word}}
                    for n, word in ((53, "shown"), (54, "missing"))]), site.firm.domain,
    )  # fmt: skip
    site.operator.database.fill(
        "INSERT INTO dkim_key (id, tenant_id, domain_id, selector, bits, private_ct, public_der, created_at, begun_by, state, seen_at)"
        " SELECT gen_random_uuid(), tenant_id, domain_id, 't1', bits, private_ct, public_der, now_v1(), 'duty', 'pending', now_v1()"
        " FROM dkim_key WHERE domain_id = %s", site.firm.domain,
    )  # fmt: skip
    staff, member = look(site.staff), look(site.member)
    staff.look_at("/domains", "domains-house")
    staff.look_at("/", "domains-home")
    member.look_at(f"/domains/{site.firm.domain}", "domain-next-key")
