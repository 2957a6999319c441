"""That a client's sending was slowed or stopped, and goes on, reaches its endpoints and the operator's own, signed."""

from uuid import uuid4

from standardwebhooks import Webhook

_RAISE = "SELECT anomaly_raise_v1(%s, 'volume', 'slow', 60, 801, 2800, 200, 200, '801 messages in 24 hours')"


async def test_unusual_and_resumed_arrive(hooks):
    receiver = await hooks.receiver()
    added = hooks.endpoint(receiver.url, "sending.unusual", "sending.resumed")
    river = hooks.river
    [[anomaly]] = river.database.run(_RAISE, river.tenant)
    hooks.sender()
    await hooks.until(lambda: len(receiver.taken) == 1)
    river.database.run("UPDATE pause SET released_at = now_v1(), release_change = %s", uuid4())
    await hooks.until(lambda: len(receiver.taken) == 2)
    found = [Webhook(added.secret).verify(got.body, got.headers) for got in receiver.taken]
    assert [one["type"] for one in found] == ["sending.unusual", "sending.resumed"]
    data = found[0]["data"]
    assert data.pop("review_due").endswith("Z")
    assert data == {"anomaly_id": str(anomaly), "client": "acme", "cause": "volume", "action": "slow", "count": 801,
                    "reason": "801 messages in 24 hours"}  # fmt: skip


async def test_the_operators_own_endpoints_hear_of_every_client(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url, "sending.unusual")
    river = hooks.river
    other = uuid4()
    river.database.fill("UPDATE tenant SET kind = 2")
    river.database.fill(
        "INSERT INTO tenant (id, programme_id, code, name, kind, timezone, postal_address, keyset, created_at)"
        " SELECT %s, programme_id, 'other', 'Other', 1, timezone, postal_address, keyset, created_at FROM tenant", other,
    )  # fmt: skip
    river.database.run(_RAISE, other)
    hooks.sender()
    await hooks.until(lambda: receiver.taken)
    assert receiver.taken[0].json["data"]["client"] == "other"


async def test_an_anomaly_that_is_not_kept_any_more_and_an_endpoint_that_cannot_be_opened(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url, "sending.unusual")
    river = hooks.river
    [[anomaly]] = river.database.run(_RAISE, river.tenant)
    river.database.fill("DELETE FROM anomaly")
    hooks.sender()
    await hooks.until(lambda: receiver.taken)
    assert receiver.taken[0].json["data"] == {"anomaly_id": str(anomaly)}


async def test_who_does_not_listen_hears_nothing(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url, "email.sent")
    hooks.river.database.run(_RAISE, hooks.river.tenant)
    assert hooks.river.database.run("SELECT count(*) FROM webhook_outbox") == [(0,)]
