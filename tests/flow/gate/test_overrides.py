"""An override lets one client's mail through for a while: until it ends, is stopped, or something new is written of the
address. At the gate and at the mark alike.
"""

from datetime import timedelta

import psycopg
import pytest
from tests.flow.gate.test_accept import ask, email, gate
from tests.support.firm import make_firm, now
from tests.support.marking import asked_to_mark

from troth.rules.mark import MarkVerdict

__all__ = ["gate"]
SUPPRESSED, QUEUED = 11, 2
ANN = "ann@example.net"


def override(firm, address=ANN, hours=24):
    artefact = {
        "blind_index": firm.index(address).hex(),
        "expires_at": (now() + timedelta(hours=hours)).isoformat(),
    }
    return firm.operator.govern("override", firm.tenant, f"address-{firm.index(address).hex()[:16]}", artefact)


def suppress(firm, address, reason, source="test", by=None):
    firm.operator.database.run(
        "SELECT suppress_v1(%s, ARRAY[%s::smallint], %s, %s, '{NULL}')",
        [firm.index(address)],
        reason,
        [source],
        [by or firm.tenant],
    )


async def state(gate, firm):
    await gate.submit(ask(firm, email(ANN)))
    found = firm.operator.admin.execute("SELECT state FROM message ORDER BY id DESC LIMIT 1")
    return found.fetchone()[0]


async def mark(operator):
    (verdict,) = (await asked_to_mark(operator.database)).values()
    return verdict


def later(operator, firm, hours=25):
    operator.admin.execute("UPDATE installation SET clock_offset = make_interval(hours => %s)", (hours,))
    firm.domain_ready()
    operator.admin.execute("UPDATE spool SET lifetime_ends = now_v1() + interval '1 day'")


@pytest.fixture
def overridden(operator, firm):
    """Ann's address bounced, and an override was approved afterwards."""
    firm.person(ANN)
    suppress(firm, ANN, 1)
    return override(firm)


@pytest.mark.parametrize("ends", ["stopped", "complained", "over"])
async def test_an_override_holds_until(gate, operator, firm, overridden, ends):
    assert await state(gate, firm) == QUEUED
    assert await mark(operator) is MarkVerdict.OK
    if ends == "stopped":
        operator.revoke(overridden)
    elif ends == "complained":
        suppress(firm, ANN, 2)
    else:
        later(operator, firm)
    assert await mark(operator) is MarkVerdict.SUPPRESSED
    assert await state(gate, firm) == SUPPRESSED


@pytest.mark.parametrize("reason", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("whose", ["own", "another's"])
async def test_what_comes_after_it_stops_the_mail_again(gate, operator, firm, overridden, reason, whose):
    """Two people looked at what was there; of what came later they knew nothing."""
    assert await state(gate, firm) == QUEUED
    suppress(firm, ANN, reason, "later", None if whose == "own" else firm.programme)
    assert await mark(operator) is MarkVerdict.SUPPRESSED
    assert await state(gate, firm) == SUPPRESSED


@pytest.mark.parametrize("reason", [5, 6])
async def test_a_clock_that_was_set_back_makes_nothing_older(gate, operator, firm, reason):
    operator.admin.execute("UPDATE installation SET clock_offset = interval '5 minutes'")
    firm.domain_ready()
    firm.person(ANN)
    suppress(firm, ANN, 1)
    override(firm)
    operator.admin.execute("UPDATE installation SET clock_offset = interval '0'")
    suppress(firm, ANN, reason, "later")
    operator.admin.execute("UPDATE installation SET clock_offset = interval '5 minutes'")
    assert await state(gate, firm) == SUPPRESSED


@pytest.mark.parametrize("reason", [2, 3, 4])
def test_nobodys_own_word_is_overridden(operator, firm, reason):
    suppress(firm, ANN, 1)
    suppress(firm, ANN, reason, by=firm.programme)
    with pytest.raises(psycopg.Error, match="never overridden"):
        override(firm)
    assert operator.admin.execute("SELECT count(*) FROM suppression_override").fetchone() == (0,)


@pytest.mark.parametrize("reason", [1, 5, 6])
async def test_all_that_was_there_is_covered(gate, operator, firm, reason):
    firm.person(ANN)
    suppress(firm, ANN, reason)
    suppress(firm, ANN, 1, "another")
    override(firm)
    assert await state(gate, firm) == QUEUED
    assert await mark(operator) is MarkVerdict.OK
    suppress(firm, ANN, reason)  # the same report again is the same entry
    assert await mark(operator) is MarkVerdict.OK


async def test_it_is_one_clients_own(gate, operator, firm, overridden):
    other = make_firm(operator, "other")
    other.person(ANN)
    assert await state(gate, other) == SUPPRESSED


@pytest.mark.parametrize("level", ["operator", "tenant", "category", "api-key"])
async def test_a_policy_without_overrides_ends_them(gate, operator, firm, overridden, level):
    assert await state(gate, firm) == QUEUED
    no = {"recipients": {"overrides": False}}
    if level in ("operator", "tenant"):
        operator.govern("policy", firm.tenant if level == "tenant" else None, level, no)
    else:
        subject, code = (firm.category, "rent") if level == "category" else (firm.key, "key")
        found = operator.admin.execute("SELECT artefact::jsonb FROM snapshot WHERE subject = %s", (subject,))
        operator.govern(level, firm.tenant, code, {**found.fetchone()[0], "policy": no}, subject)
    assert await mark(operator) is MarkVerdict.SUPPRESSED
    assert await state(gate, firm) == SUPPRESSED


async def test_another_clients_reason_is_not_told_as_ones_own(gate, operator, firm):
    """Ours bounced; that its owner complained of another's mail is nobody's business here."""
    firm.person(ANN)
    suppress(firm, ANN, 1)
    suppress(firm, ANN, 2, by=firm.programme)
    assert await state(gate, firm) == SUPPRESSED
    from troth.store import gate as store

    async with await operator.database.connect("people") as connection:
        wanted = store.Wanted(now(), (), (), [firm.tenant], [(firm.tenant, firm.index(ANN))], ())
        (row,) = (await store.facts(connection, wanted)).people
    assert (row.reason, row.own, row.overridden) == (1, True, False)


async def test_the_newest_alone_is_in_force_and_stopping_it_stops_all(gate, operator, firm):
    firm.person(ANN)
    suppress(firm, ANN, 1)
    subject = override(firm, hours=100)
    artefact = {"blind_index": firm.index(ANN).hex(), "expires_at": (now() + timedelta(hours=1)).isoformat()}
    operator.govern("override", firm.tenant, f"address-{firm.index(ANN).hex()[:16]}", artefact, subject)
    assert await state(gate, firm) == QUEUED
    operator.revoke(subject)
    assert await mark(operator) is MarkVerdict.SUPPRESSED
    assert await state(gate, firm) == SUPPRESSED
