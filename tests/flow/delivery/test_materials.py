"""A signing key is opened once and believed for a few seconds; a change of its row, or none any more, is seen then."""

from types import SimpleNamespace

from tests.flow.delivery.test_worker_domain import add_key, step
from tests.support.river import DOMAIN, SELECTOR

from troth.flow.delivery import materials
from troth.flow.delivery.materials import Materials


def works(river):
    return [SimpleNamespace(claimed=SimpleNamespace(template_snapshot=None, domain_id=river.domain))]


async def test_an_unchanged_key_is_not_opened_again_and_a_changed_one_is(river, monkeypatch):
    shelf = Materials(river.keyring)
    async with await river.database.connect("materials") as connection:
        await shelf.learn(connection, works(river), 0.0)
        first = shelf.signing(river.domain)
        await shelf.learn(connection, works(river), materials.FRESH + 1)
        assert shelf.signing(river.domain) is first
        add_key(river, river.tenant, "next")
        with river.database.open() as admin, admin.transaction():
            step(admin, "next")
        await shelf.learn(connection, works(river), 2 * materials.FRESH + 2)
        assert shelf.signing(river.domain).signer.selector == "next"
        river.database.fill("DELETE FROM dkim_key WHERE state = 'active'")
        await shelf.learn(connection, works(river), 3 * materials.FRESH + 3)
        assert shelf.signing(river.domain) is None
        monkeypatch.setattr(materials, "KEEP_SIGNERS", 0)
        river.database.fill("UPDATE dkim_key SET state = 'active' WHERE selector = %s", SELECTOR)
        await shelf.learn(connection, works(river), 4 * materials.FRESH + 4)
        assert shelf.signing(river.domain).signer.selector == SELECTOR


async def test_the_return_path_is_the_domains_own_while_it_holds(river):
    shelf = Materials(river.keyring)
    async with await river.database.connect("materials") as connection:
        for clock, until, path in ((0.0, "epoch", None), (10.0, "2100-01-01", f"bounce.{DOMAIN}")):
            river.database.fill("UPDATE domain_state SET path_until = %s", until)
            await shelf.learn(connection, works(river), clock)
            assert shelf.signing(river.domain).return_path == path


async def test_a_key_that_cannot_be_opened_signs_nothing(river):
    shelf = Materials(river.keyring)
    river.database.fill("UPDATE dkim_key SET private_ct = %s", b"\x01" + bytes(60))
    async with await river.database.connect("materials") as connection:
        await shelf.learn(connection, works(river), 0.0)
        assert shelf.signing(river.domain) is None
