"""An opt-out and a switch of the own page for one message at the same instant: both take the message first, so neither
waits for the other in a ring.
"""

import asyncio

from tests.flow.feedback.test_unsubscribe import page
from tests.support.firm import now

from troth.flow.feedback import Deps
from troth.flow.feedback.opt_out import carry_out, letter
from troth.keys.consents import Said

__all__ = ["page"]
_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def test_the_message_is_taken_before_its_persons_wishes(page):
    message, operator, firm = await page.send(), page.operator, page.firm
    deps = Deps(None, operator.keyring, operator.secrets)
    held, connection = operator.database.open("troth_flow"), await operator.database.connect("test")
    found = await letter(deps, connection, message, now())
    with held.transaction():
        held.execute("SELECT FROM message WHERE id = %s FOR UPDATE", (message,))
        other = asyncio.create_task(carry_out(deps, connection, found, "one-click", Said("", "a test", "")))
        for _ in range(200):
            if page.rows(_WAITS)[0][0]:
                break
            await asyncio.sleep(0.01)
        assert not other.done()
        held.execute("SET LOCAL lock_timeout = '3s'")
        held.execute(
            "SELECT opt_in_v1(%s, %s, %s, 'own-page')", (firm.tenant, firm.index("ann@example.net"), firm.category)
        )
    await other
    await connection.close()
    held.close()
    assert [each[0] for each in page.stopped()[0]] == [firm.category]
    assert page.events(message) == [1, 15]
