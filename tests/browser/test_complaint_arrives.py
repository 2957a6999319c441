"""A complaint from its arrival to its closed incident, looked at: the letter comes in, people look into it, the mark is cleared."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from tests.control.ledger.house import House
from tests.flow.feedback.complained import FBL, PROVIDER, arf
from tests.support import loops_made
from tests.support.firm import now
from tests.support.own_dns import OwnDns

from troth.flow.feedback.complaints import Complaints
from troth.flow.feedback.deps import Deps
from troth.flow.submission.connections import Connections
from troth.keys.installation import Purpose
from troth.keys.keyring import OPERATOR
from troth.mail.arrived import Arrived
from troth.mail.tokens import verp_make
from troth.outside.dkim_verify import Verifier
from troth.outside.dns import Resolver


def sent(site):
    """A message of the firm's template."""
    message = House(site.firm, site.folder).tell(copies=1)
    site.operator.database.fill(
        "INSERT INTO email (id, tenant_id, category_id, category_snapshot, template_snapshot, policy_digest, created_at,"
        " recipients) SELECT email_id, tenant_id, category_id, %s, %s, sha256('p'), created_at, 1 FROM message WHERE id = %s",
        site.operator.snapshot(site.firm.category), site.operator.snapshot(site.firm.template), message,
    )  # fmt: skip
    return message


def arrives(site, message):
    """Through the desk, as the server for incoming mail hands it over."""
    operator = site.operator
    keyset = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys = operator.keyring.tenant(OPERATOR, bytes(keyset))
    dns = OwnDns({PROVIDER.domain: {}})
    dns.set(PROVIDER.name, "TXT", [PROVIDER.record])
    verp = verp_make(operator.secrets.token_keys(Purpose.VERP)[0], message, now() + timedelta(days=9), "a")
    letter = PROVIDER.sign(arf(f"Return-Path: <{verp}@bounce.example>\r\nSubject: Rent\r\n\r\nHello.\r\n".encode()))

    async def take():
        connections = Connections(operator.database.connect)
        deps = Deps(connections.lend, operator.keyring, operator.secrets, operator=keys)
        verifier = Verifier(Resolver([(dns.server.host, dns.server.port)], 5.0))
        desk = Complaints(deps, keys, FBL.partition("@")[2], verifier)
        try:
            return await desk.take([FBL], Arrived("192.0.2.9", "fbl@provider.example", letter))
        finally:
            await connections.close()

    with ThreadPoolExecutor(1) as apart:  # the browser has a loop of its own here
        assert apart.submit(lambda: asyncio.run(take())).result() == "taken"
    dns.stop()


def test_a_complaint_from_arrival_to_closed_incident(look, site):
    loops_made.loop(site, "provider", "Provider", [PROVIDER.domain])
    arrives(site, sent(site))
    run = site.operator.admin.execute
    ((case, reference),) = run("SELECT id, reference FROM case_file").fetchall()
    assert run("SELECT reason FROM suppression").fetchall() == [(4,)]
    looker = look(site.staff)
    looker.look_at("/", "complaint-arrived")
    looker.look_at(f"/incidents/{case}", "complaint-incident")
    assert "How the recipient came to be one" in looker.page.content()
    staff = site.visitor(site.staff)
    for step, given in (
        ("acknowledge", {}),
        ("resolve", {"value": "justified", "words": "The wording was unclear; a new version is proposed."}),
        ("close", {}),
    ):
        staff.get(f"/incidents/{case}/{step}")
        staff.post(f"/incidents/{case}/{step}", **{"words": "", **given})
    looker.look_at(f"/incidents/{case}", "complaint-closed")
    assert run("SELECT state, outcome FROM case_file").fetchall() == [("closed", "justified")]
    assert reference in looker.page.content()
    staff.post("/scope", client=str(site.firm.tenant))
    ((flag,),) = run("SELECT id FROM template_flag").fetchall()
    staff.post(f"/templates/{site.firm.template}/flags/{flag}", why="A new version says who sends it.")
    looker = look(site.member)
    looker.look_at(f"/templates/{site.firm.template}", "complaint-reviewed")
    assert "A new version says who sends it." in looker.page.content()
