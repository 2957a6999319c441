"""The gate and the consent ledger: what is sent on consent takes nobody without it, and no longer than it holds."""

from datetime import timedelta

import pytest
from tests.flow.gate.test_accept import ask, email, gate
from tests.support.firm import TEMPLATE, now

from troth.flow.gate.asks import Refused, Taken
from troth.keys.ids import uuid7

__all__ = ["gate"]
SEALED = b"\x02" + b"x" * 40


@pytest.fixture
def news(operator, firm):
    """A category that is sent on consent, and Ann, who is verified."""
    firm.person("ann@example.net")
    category = operator.govern("category", firm.tenant, "news", {
        "name": "News", "purpose": "What is new", "legal_class": "relationship", "lawful_basis": "consent", "raw": True,
        "sender": {"name": "Firm", "address": f"rent@{firm.name}"}, "policy": {}})  # fmt: skip
    operator.govern("template", firm.tenant, "newsletter", TEMPLATE | {"category": "news"})
    text = {"name": "all", "prefix": "troth_a_test", "hash": firm.key_hash.hex()[::-1], "policy": {},
            "expires_at": (now() + timedelta(days=80)).replace(microsecond=0).isoformat()}  # fmt: skip
    operator.govern("api-key", firm.tenant, "all", text)
    return Newsroom(operator, firm, category, bytes.fromhex(text["hash"]))


class Newsroom:
    def __init__(self, operator, firm, category, key_hash):
        self.operator, self.firm, self.category, self.key_hash = operator, firm, category, key_hash

    def record(self, kind=1, basis="recipient", *, category="own", at=None, expires=None):
        person, where = self.firm.people["ann@example.net"], self.category if category == "own" else None
        self.operator.database.run(
            "SELECT consent_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s)", self.firm.tenant, [uuid7(now())], [person], [where],
            [kind], [basis], [at], [expires], [SEALED],
        )  # fmt: skip

    def ask(self, **more):
        self.key_hash, kept = self.key_hash, self.firm.key_hash
        self.firm.key_hash = self.key_hash
        made = ask(self.firm, email(template="newsletter", **more))
        self.firm.key_hash = kept
        return made


async def refused(gate, news, **more):
    answer = await gate.submit(news.ask(**more))
    assert isinstance(answer, Refused)
    return answer.refusal.code


async def test_nobody_is_sent_it_without_consent_on_record(gate, news):
    assert await refused(gate, news) == "consent-missing"
    news.record(category=None)
    assert isinstance(await gate.submit(news.ask()), Taken)


async def test_implied_consent_runs_out_and_takes_waiting_mail_along(gate, news):
    ends = now() + timedelta(hours=1)
    news.record(2, "inquiry", at=now() - timedelta(days=30), expires=ends)
    assert isinstance(await gate.submit(news.ask()), Taken)
    assert news.operator.database.run("SELECT lifetime_ends FROM spool") == [(ends,)]
    assert await refused(gate, news, scheduled_at=ends + timedelta(minutes=1)) == "consent-expired"
    news.operator.database.run("UPDATE installation SET clock_offset = interval '2 hours'")
    news.firm.domain_ready()
    assert await refused(gate, news) == "consent-expired"


async def test_what_was_taken_back_is_stored_as_suppressed(gate, news):
    news.record()
    news.record(3, "one-click")
    assert isinstance(await gate.submit(news.ask()), Taken)
    assert news.operator.database.run("SELECT state FROM message") == [(11,)]
    news.record()
    assert isinstance(await gate.submit(news.ask()), Taken)
    assert news.operator.database.run("SELECT state FROM message ORDER BY id DESC LIMIT 1") == [(2,)]


async def test_a_withdrawal_counts_though_the_clock_was_set_back(gate, news):
    news.operator.database.run("UPDATE installation SET clock_offset = interval '2 hours'")
    news.record()
    news.operator.database.run("UPDATE installation SET clock_offset = interval '0'")
    news.record(3, "one-click")
    assert isinstance(await gate.submit(news.ask()), Taken)
    assert news.operator.database.run("SELECT state FROM message") == [(11,)]


async def test_a_firm_without_a_postal_address_or_a_basis_sends_nothing(gate, operator, news):
    news.record()
    operator.admin.execute("UPDATE tenant SET postal_address = ' ' WHERE id = %s", (news.firm.tenant,))
    assert await refused(gate, news) == "sender-unidentified"
    operator.admin.execute("UPDATE tenant SET postal_address = 'x' WHERE id = %s", (news.firm.tenant,))
    operator.govern("category", news.firm.tenant, "news", {
        "name": "News", "purpose": "What is new", "legal_class": "relationship",
        "sender": {"name": "Firm", "address": f"rent@{news.firm.name}"}, "policy": {}}, news.category)  # fmt: skip
    assert await refused(gate, news) == "lawful-basis-missing"
