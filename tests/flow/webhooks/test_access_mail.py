"""The mail that a date decides on goes through the real gate, once, in words and times that its reader understands."""

import json

from tests.control.access.cast import duty, later, member, session
from tests.flow.webhooks.test_notice_mail import system_tenant
from tests.support.firm import now
from tests.support.hooks import NoGate

from troth.cli.demo import packs
from troth.flow.gate.accept import Gate, StoreAway
from troth.flow.gate.asks import Refusal, Refused
from troth.flow.webhooks.access_mail import tell_all
from troth.flow.webhooks.deps import Deps
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR

PACKS = (
    "account-unused",
    "account-closed",
    "review-due",
    "review-kept",
    "sending-unusual",
    "case-notice",
    "domain-stopped",
    "claim-notice",
    "duty-due",
)


def deps(operator, gate):
    keyset = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    return Deps(operator.database.connect, operator.keyring, operator.keyring.tenant(OPERATOR, keyset), operator.secrets,
                None, gate, "a", "https://troth.example")  # fmt: skip


def approve_packs(operator):
    tenant = operator.admin.execute("SELECT id FROM tenant WHERE kind = 2").fetchone()[0]
    for each in PACKS:
        code, artefact = packs.template(f"system/{each}")
        operator.govern("template", tenant, code, artefact)


def notices(operator):
    query = "SELECT template, done_at IS NOT NULL, why FROM access_notice ORDER BY at, template, account_id"
    return operator.admin.execute(query).fetchall()


async def test_each_is_taken_by_the_gate_once(firm):
    operator = firm.operator
    admin, viewer = (
        member(operator, name, role, firm.tenant) for name, role in (("Adele", "admin"), ("Vera", "viewer"))
    )
    system_tenant(firm)
    approve_packs(operator)
    secret = session(operator, admin.account)
    review = uuid7(now())
    operator.control.execute("SELECT review_open_v1(%s, %s, %s)", (secret, review, firm.tenant))
    for template, given in (
        ("account-unused", {"ends": "2027-02-01T10:00:00+00:00"}),
        ("account-closed", {"account": str(viewer.account), "why": "unused"}),
        ("review-kept", {"review": str(review)}),
    ):
        operator.database.fill("INSERT INTO access_notice (account_id, template, about, variables, at)"
                               " VALUES (%s, %s, 'x', %s, now_v1())", admin.account, template, json.dumps(given))  # fmt: skip
    gate = Gate(operator.database.connect, operator.keyring, operator.secrets)
    await gate.start()
    async with await operator.database.connect("test") as connection:
        # the client has one administrator alone, so the owners are told of its review, too: theirs cannot be opened here
        assert await tell_all(connection, deps(operator, gate), now()) == 4
        unopened = "DELETE FROM access_notice WHERE why = 'A name or an address of it cannot be opened.'"
        assert operator.admin.execute(unopened).rowcount == 2
        assert await tell_all(connection, deps(operator, gate), now()) == 0
        operator.database.fill(
            "UPDATE access_notice SET done_at = NULL, tried_at = NULL"
        )  # as if the record had been lost
        assert await tell_all(connection, deps(operator, gate), now()) == 4
    await gate.stop()
    assert operator.admin.execute("SELECT count(*) FROM spool").fetchone() == (4,)
    assert {(done, why) for _, done, why in notices(operator)} == {(True, None)}


async def test_its_words_and_its_link(firm):
    operator, gate = firm.operator, NoGate()
    admin, viewer = (
        member(operator, name, role, firm.tenant) for name, role in (("Adele", "admin"), ("Vera", "viewer"))
    )
    system_tenant(firm)
    operator.database.fill(
        "UPDATE account SET last_used_at = now_v1() + interval '1 year' WHERE id <> %s", viewer.account
    )
    later(operator, 80)
    duty(operator)
    later(operator, 11)
    duty(operator)
    async with await operator.database.connect("test") as connection:
        await tell_all(connection, deps(operator, gate), now())
    said = {ask.emails[0].template: ask.emails[0] for ask in gate.asked}
    closed = said["account-closed"].variables
    assert said["account-closed"].to == ("adele@firm.test",)
    assert closed == {"name": "Adele", "who": "Vera", "why": "nobody used it",
                      "link": f"https://troth.example/people/{viewer.account}"}  # fmt: skip
    assert "account-unused" not in said  # its reader's account is closed
    assert {why for template, _, why in notices(operator) if template == "account-unused"} == {
        "The account is closed, or its programme has no system tenant to write from."
    }
    assert admin.account


async def test_what_could_not_be_sent_is_tried_again_each_hour_for_a_week(firm):
    operator, gate = firm.operator, NoGate()
    viewer = member(operator, "Vera", "viewer", firm.tenant)
    operator.database.fill("INSERT INTO access_notice (account_id, template, about, variables, at)"
                           " VALUES (%s, 'account-unused', 'x', '{\"ends\": \"2027-02-01T10:00:00+00:00\"}', now_v1())",
                           viewer.account)  # fmt: skip
    async with await operator.database.connect("test") as connection:
        means = deps(operator, gate)
        assert await tell_all(connection, means, now()) == 0
        assert notices(operator) == [
            ("account-unused", False, "The account is closed, or its programme has no system tenant to write from.")
        ]
        system_tenant(firm)
        await tell_all(connection, means, now())
        assert gate.asked == []  # an hour has not passed
        later(operator, 0.05)
        real = Gate(operator.database.connect, operator.keyring, operator.secrets)
        await real.start()
        assert await tell_all(connection, deps(operator, real), now()) == 0  # its template is not approved
        await real.stop()
        assert "template" in notices(operator)[0][2]
        later(operator, 0.05)
        gate.answer = None
        gate.submit = _away
        await tell_all(connection, means, now())
        assert notices(operator)[0][1] is False
        later(operator, 8)
        await tell_all(connection, deps(operator, Refusing()), now())
    assert notices(operator)[0][1] is True


async def _away(_ask):
    raise StoreAway("gone")


class Refusing(NoGate):
    async def submit(self, ask):
        self.asked.append(ask)
        return Refused(Refusal("suppressed-recipient", "No."))


async def test_what_the_watch_found_is_told_by_mail_and_told_again_when_nobody_looks(firm):
    operator = firm.operator
    member(operator, "Adele", "admin", firm.tenant)
    system_tenant(firm)
    approve_packs(operator)
    operator.admin.execute(
        "SELECT anomaly_raise_v1(%s, 'volume', 'stop-delivery', 30, 2000, 7000, 200, 200, '2000 messages in 24 hours')",
        (firm.tenant,),
    )
    later(operator, 31 / 1440)
    assert operator.admin.execute("SELECT anomaly_overdue_v1(), anomaly_overdue_v1()").fetchone() == (1, 0)
    gate = Gate(operator.database.connect, operator.keyring, operator.secrets)
    await gate.start()
    async with await operator.database.connect("test") as connection:
        assert (
            await tell_all(connection, deps(operator, gate), now()) == 2
        )  # the owners' addresses cannot be opened here
    await gate.stop()
    assert {(t, why) for t, done, why in notices(operator) if done} == {("sending-unusual", None)}


async def test_cases_are_told_in_words_with_the_way_to_them(firm):
    operator = firm.operator
    system_tenant(firm)
    approve_packs(operator)
    sam = member(operator, "Sam", "security", None)
    one, case = NoGate(), str(uuid7(now()))
    for about, given in (
        ("1", {"cases": 1, "missed": 0, "case": case, "lines": "INC-2026-0001 was opened"}),
        ("2", {"cases": 1, "missed": 1, "case": case, "lines": "INC-2026-0001 is overdue"}),
        ("3", {"cases": 4, "missed": 2, "case": "", "lines": "INC-2026-0001 is overdue; VDP-2026-0002 is soon due"}),
    ):
        operator.database.fill("INSERT INTO access_notice (account_id, template, about, variables, at)"
                               " VALUES (%s, 'case-notice', %s, %s, now_v1())", sam.account, about, json.dumps(given))  # fmt: skip
    gate = Gate(operator.database.connect, operator.keyring, operator.secrets)
    await gate.start()
    async with await operator.database.connect("test") as connection:
        assert await tell_all(connection, deps(operator, gate), now()) == 3
        operator.database.fill("UPDATE access_notice SET done_at = NULL, tried_at = NULL")
        await tell_all(connection, deps(operator, one), now())
    await gate.stop()
    said = sorted((ask.emails[0].variables["what"], ask.emails[0].variables["link"]) for ask in one.asked)
    assert said == [
        ("1 case needs you", f"https://troth.example/incidents/{case}"),
        ("1 case needs you, and is overdue", f"https://troth.example/incidents/{case}"),
        ("4 cases need you, 2 of them overdue", "https://troth.example/incidents"),
    ]


async def test_promises_are_told_of_in_words_with_the_way_to_them(firm):
    operator = firm.operator
    system_tenant(firm)
    approve_packs(operator)
    sam = member(operator, "Sam", "deliverability", None)
    one = NoGate()
    for about, given in (
        ("1", {"claims": 1, "fails": 1, "claim": "EML-2", "lines": "EML-2 of homes fails"}),
        ("2", {"claims": 1, "fails": 0, "claim": "EML-2", "lines": "EML-2 of homes holds"}),
        (
            "3",
            {"claims": 3, "fails": 2, "claim": "", "lines": "EML-2 of homes fails; EML-3 of homes fails; SUP-3 holds"},
        ),
        ("4", {"claims": 3, "fails": 1, "claim": "", "lines": "EML-2 of homes fails; SUP-3 holds; SUP-2 holds"}),
    ):
        operator.database.fill("INSERT INTO access_notice (account_id, template, about, variables, at)"
                               " VALUES (%s, 'claim-notice', %s, %s, now_v1())", sam.account, about, json.dumps(given))  # fmt: skip
    gate = Gate(operator.database.connect, operator.keyring, operator.secrets)
    await gate.start()
    async with await operator.database.connect("test") as connection:
        assert await tell_all(connection, deps(operator, gate), now()) == 4
        operator.database.fill("UPDATE access_notice SET done_at = NULL, tried_at = NULL")
        await tell_all(connection, deps(operator, one), now())
    await gate.stop()
    said = sorted((ask.emails[0].variables["what"], ask.emails[0].variables["link"]) for ask in one.asked)
    assert said == [
        ("1 promise stands otherwise", "https://troth.example/claims/EML-2"),
        ("3 promises stand otherwise, 1 of them fails", "https://troth.example/claims"),
        ("3 promises stand otherwise, 2 of them fail", "https://troth.example/claims"),
        ("A promise does not hold", "https://troth.example/claims/EML-2"),
    ]


async def test_who_may_mend_a_domain_is_told_what_is_wrong_with_the_way_to_it(firm):
    operator = firm.operator
    system_tenant(firm)
    approve_packs(operator)
    member(operator, "Sam", "deliverability", None)
    member(operator, "Vi", "viewer", firm.tenant)
    case = uuid7(now())
    for _ in range(2):
        operator.database.run(
            "SELECT domain_tell_v1(%s, %s, 'Publish a TXT record at _dmarc.mail.firm.example.')", firm.domain, case
        )
    gate = Gate(operator.database.connect, operator.keyring, operator.secrets)
    await gate.start()
    async with await operator.database.connect("test") as connection:
        assert (
            await tell_all(connection, deps(operator, gate), now()) == 1
        )  # the owners' addresses cannot be opened here
    await gate.stop()
    assert {(t, why) for t, done, why in notices(operator) if done} == {("domain-stopped", None)}
