"""An opt-out by mail: the signed address is the right, and it is carried out as the link's POST is."""

from datetime import timedelta

import pytest
from tests.flow.feedback.test_unsubscribe import page
from tests.support.firm import now

from troth.flow.feedback import Deps
from troth.flow.feedback.mailed import Mailed, carry_out_mail
from troth.flow.submission import Connections
from troth.keys.ids import uuid7
from troth.mail.own_link import mail_address
from troth.store.connection import connect

__all__ = ["page"]


@pytest.fixture
async def by_mail(page):
    connections = Connections(lambda name: connect(page.operator.database.conninfo("troth_flow"), name))
    deps = Deps(connections.lend, page.operator.keyring, page.operator.secrets)

    async def bring(address):
        async with connections.lend() as connection:
            return await carry_out_mail(deps, connection, address, "192.0.2.7")

    yield bring
    await connections.close()


def address(page, message, expires=None):
    return mail_address(page.link(message, expires).removeprefix("/u/"), "bounce.example")


async def test_a_mail_to_the_signed_address_opts_out_at_once_and_once(page, by_mail):
    message = await page.send()
    for _ in range(2):
        assert await by_mail(address(page, message)) is Mailed.STOPPED
    assert page.stopped() == ([(page.firm.category, "unsubscribe")], [])
    assert page.rows("SELECT kind, basis FROM consent") == [(3, "mailto")]
    assert page.events(message) == [1, 15]


async def test_other_addresses_do_nothing(page, by_mail):
    message = await page.send()
    good = address(page, message)
    forged = good.replace("+" + good[5], "+" + ("b" if good[5] == "a" else "a"))
    for wrong, told in ((f"someone@{page.firm.name}", Mailed.NOT_OURS), (forged, Mailed.DEAD),
                        (address(page, message, now() - timedelta(days=1)), Mailed.DEAD),
                        (address(page, uuid7(now())), Mailed.DEAD)):  # fmt: skip
        assert await by_mail(wrong) is told
    assert page.stopped() == ([], [])
