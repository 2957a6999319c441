"""An override lets one client's mail through for a while: until it ends, is stopped, or its owner complains."""

from datetime import timedelta

import pytest
from tests.flow.gate.test_accept import ask, email, gate  # noqa: F401 - the fixture
from tests.support.firm import now

SUPPRESSED, QUEUED = 11, 2


def override(firm, address, hours=24):
    artefact = {
        "blind_index": firm.index(address).hex(),
        "expires_at": (now() + timedelta(hours=hours)).isoformat(),
    }
    return firm.operator.govern("override", firm.tenant, f"address-{firm.index(address).hex()[:16]}", artefact)


def suppress(firm, address, reason):
    firm.operator.database.run(
        "SELECT suppress_v1(%s, ARRAY[%s::smallint], '{test}', %s, '{NULL}')",
        [firm.index(address)],
        reason,
        [firm.tenant],
    )


@pytest.mark.parametrize("ends", ["stopped", "complained", "over"])
async def test_an_override_holds_until(gate, operator, firm, ends):  # noqa: F811 - the fixture
    firm.person("ann@example.net")
    suppress(firm, "ann@example.net", 1)
    subject = override(firm, "ann@example.net")

    async def state():
        await gate.submit(ask(firm, email("ann@example.net")))
        return operator.admin.execute("SELECT state FROM message ORDER BY id DESC LIMIT 1").fetchone()[0]

    assert await state() == QUEUED
    if ends == "stopped":
        operator.revoke(subject)
    elif ends == "complained":
        suppress(firm, "ann@example.net", 2)
    else:
        operator.admin.execute("UPDATE installation SET clock_offset = interval '25 hours'")
        firm.domain_ready()
    assert await state() == SUPPRESSED
