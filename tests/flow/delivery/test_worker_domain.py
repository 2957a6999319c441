"""Which domain and key a message goes out with is what two people approved, as it stands at the mark."""

from uuid import uuid4

import pytest
from tests.support.river import DOMAIN, SELECTOR, dkim_pair

from troth.keys import places
from troth.rules.states import State

ADDRESS = "zoe@home.example"


def retire(river):
    river.approve("domain", river.domain, DOMAIN, {"name": DOMAIN, "selector": SELECTOR, "retired": True})
    river.database.fill("UPDATE governed SET retired = true WHERE subject = %s", river.domain)


def revoke(river):
    river.database.fill(
        "INSERT INTO revocation VALUES (%s, %s, 'test', now(), %s)",
        river.snapshots[river.domain], river.tenant, river.humans[0],
    )  # fmt: skip


@pytest.mark.parametrize("stop", [retire, revoke])
async def test_a_domain_that_was_stopped_sends_nothing_more(stage, stop):
    [message] = stage.river.queue(ADDRESS)
    stop(stage.river)
    stage.worker()
    await stage.until_state(message, State.HELD)


def add_key(river, tenant, selector):
    pem, public = dkim_pair()
    river.database.fill(
        "INSERT INTO dkim_key (id, tenant_id, domain_id, selector, bits, private_ct, public_der, created_at)"
        " VALUES (%s, %s, %s, %s, 2048, %s, %s, now() + interval '1 minute')",
        uuid4(), tenant, river.domain, selector, river.keys.seal(pem, places.dkim(river.domain, selector)), public,
    )  # fmt: skip


def step(admin, selector):
    """As dkim_looked_v1 does when every resolver has shown the record for long enough; in one transaction."""
    admin.execute(
        "UPDATE dkim_key SET state = 'overlapping', overlap_ends = now() + interval '7 days' WHERE state = 'active'"
    )
    admin.execute(
        "UPDATE dkim_key SET state = 'active', active_at = now(), seen_at = now() WHERE selector = %s", (selector,)
    )


async def test_a_key_made_for_a_rotation_signs_once_its_record_was_seen(stage):
    river = stage.river
    add_key(river, river.tenant, "next")
    [before] = river.queue(ADDRESS)
    stage.worker()
    await stage.until_state(before, State.SENT)
    assert river.events(before)[-1][1]["selector"] == SELECTOR
    await stage.stop()
    with river.database.open() as admin, admin.transaction():
        step(admin, "next")
    [after] = river.queue(ADDRESS)
    stage.worker()
    await stage.until_state(after, State.SENT)
    assert river.events(after)[-1][1]["selector"] == "next"
