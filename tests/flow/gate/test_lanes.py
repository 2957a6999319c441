"""The gate's lanes: whatever goes wrong on the way to the store, a lane lives on and the next ask is asked."""

import pytest

from troth.flow.gate.accept import Gate
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Refused
from troth.store.connection import connect


async def test_a_lane_outlives_a_failure_that_nobody_foresaw(operator, database):
    tries = 0

    async def reach(name):
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise UnicodeEncodeError("idna", ".", 0, 1, "label empty")
        return await connect(database.conninfo("troth_flow"), name)

    gate = Gate(reach, operator.keyring, operator.secrets, lanes=1)
    email = EmailAsked(to=("ann@example.net",), sender="rent@mail.firm.example", subject="x", text="x")
    ask = Ask(Caller(key_hash=bytes(32)), (email,), "POST", "/emails")
    await gate.start()
    try:
        for _ in range(2):
            with pytest.raises(UnicodeEncodeError):
                await gate.submit(ask)
        answer = await gate.submit(ask)
    finally:
        await gate.stop()
    assert isinstance(answer, Refused)
    assert answer.refusal.code == "invalid-api-key"
