"""What happens to a recipient is told as what happens to a message: signed, once, and without what an erasure took."""

import hashlib
import os

from standardwebhooks import Webhook

from troth.keys.errors import KmsUnavailable


def ask(hooks, address, days=90):
    """A person who is asked, as the door asks: gives (person, secret)."""
    secret, person = os.urandom(32), hooks.river.person(address, status=1).id
    hooks.river.database.fill(
        "INSERT INTO confirmation (secret_hash, tenant_id, person_id, pathway, code_hash, valid_days, created_at, expires_at)"
        " VALUES (%s, %s, %s, 'confirmation-link', %s, %s, now_v1(), now_v1() + interval '1 day')",
        hashlib.sha256(secret).digest(), hooks.river.tenant, person, hashlib.sha256(b"c").digest(), days,
    )  # fmt: skip
    return person, secret


async def test_verified_expired_and_erased_arrive_in_order(hooks):
    receiver = await hooks.receiver()
    added = hooks.endpoint(receiver.url, "recipient.verified", "recipient.expired", "recipient.erased")
    person, secret = ask(hooks, "new@example.net")
    hooks.control.execute("SELECT verify_person_v1(%s)", (secret,))
    hooks.control.execute("SELECT verify_person_v1(%s)", (secret,))  # a second press tells nothing
    hooks.sender()
    await hooks.until(lambda: len(receiver.taken) == 1)
    hooks.river.database.fill("UPDATE person SET expires_at = now_v1() - interval '1 minute' WHERE id = %s", person)
    for _ in range(2):
        hooks.river.database.run("SELECT person_expiry_duty_v1()")
    await hooks.until(lambda: len(receiver.taken) == 2)
    hooks.river.erase("new@example.net")
    await hooks.until(lambda: len(receiver.taken) == 3)
    found = [Webhook(added.secret).verify(got.body, got.headers) for got in receiver.taken]
    assert [one["type"] for one in found] == ["recipient.verified", "recipient.expired", "recipient.erased"]
    first, second, last = (one["data"] for one in found)
    expected = {"recipient_id": f"rcp_a_{person.hex}", "pathway": "confirmation-link", "email": "new@example.net"}
    assert first.pop("expires_at").endswith("Z")
    assert first == {**expected, "status": "verified"}
    assert second == {**expected, "status": "expired"}
    assert last == {"recipient_id": f"rcp_a_{person.hex}", "pathway": "confirmation-link", "status": "erased"}


async def test_an_address_that_cannot_be_opened_is_left_out(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url, "recipient.verified")
    person, secret = ask(hooks, "new@example.net")
    hooks.river.database.fill("UPDATE person SET address_ct = '\\x02' || sha256('x') WHERE id = %s", person)
    hooks.control.execute("SELECT verify_person_v1(%s)", (secret,))
    sender = hooks.sender()
    await hooks.until(lambda: receiver.taken)
    assert "email" not in receiver.taken[0].json["data"]
    assert sender.counters.unread == 1


async def test_who_does_not_listen_to_recipients_hears_nothing(hooks):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url, "email.sent")
    _, secret = ask(hooks, "new@example.net")
    hooks.control.execute("SELECT verify_person_v1(%s)", (secret,))
    assert hooks.river.database.run("SELECT count(*) FROM webhook_outbox") == [(0,)]


async def test_while_the_keys_are_away_it_waits(hooks, monkeypatch):
    receiver = await hooks.receiver()
    hooks.endpoint(receiver.url, "recipient.verified")
    _, secret = ask(hooks, "new@example.net")
    hooks.control.execute("SELECT verify_person_v1(%s)", (secret,))
    from troth.flow.webhooks import recipient_payload

    def away(*_args):
        raise KmsUnavailable("away")

    monkeypatch.setattr(recipient_payload, "address", away)
    hooks.sender()
    await hooks.until(lambda: hooks.outbox("state, token, attempts") == [(1, 1, 0)])  # taken up, and no attempt
    assert not receiver.taken
