"""Where a request comes from: the peer's own address, or what a trusted proxy says; a client's own claim counts nothing."""

from ipaddress import ip_network

import pytest
from starlette.requests import Request
from tests.flow.submission.doors import add_key, client_of, email

from troth.flow.submission.peer import peer_of

PROXIES = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]


def request(peer, *forwarded):
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return Request({"type": "http", "headers": headers, "client": (peer, 1) if peer else None})


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.5", (), "203.0.113.5"),
        ("203.0.113.5", ("192.0.2.1",), "203.0.113.5"),  # not a proxy of ours: not believed
        ("10.0.0.1", ("192.0.2.1",), "192.0.2.1"),
        ("10.0.0.1", ("192.0.2.66, 192.0.2.1",), "192.0.2.1"),  # what the client wrote before is ignored
        ("10.0.0.1", ("192.0.2.66", "192.0.2.1"), "192.0.2.1"),
        ("10.0.0.1", ("192.0.2.1, 10.9.9.9",), "192.0.2.1"),  # two proxies of ours
        ("::ffff:10.0.0.1", ("192.0.2.1",), "192.0.2.1"),
        ("2001:db8::7", ("2001:db9::1",), "2001:db9::1"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.2",), "10.0.0.2"),
        ("10.0.0.1", ("unknown",), "unknown"),
        (None, ("192.0.2.1",), None),
    ],
)
def test_only_trusted_proxies_are_believed(peer, forwarded, found):
    assert peer_of(request(peer, *forwarded), PROXIES) == found


def test_without_proxies_no_header_is_read():
    assert peer_of(request("10.0.0.1", "192.0.2.1"), ()) == "10.0.0.1"


async def test_the_door_refuses_a_key_from_elsewhere_for_reads_and_sends(operator, door):
    key, _ = add_key(operator, door.firm, "office", networks=["192.0.2.0/24"])
    near, _ = add_key(operator, door.firm, "near", networks=["127.0.0.0/8"])
    async with client_of(door.app, key.text) as client:
        for answer in (await client.get("/emails"), await client.post("/emails", json=email()),
                       await client.post("/emails/batch", json=[email()])):  # fmt: skip
            assert (answer.status_code, answer.json()["code"]) == (403, "key-elsewhere")
        lied = await client.post("/emails", json=email(), headers={"X-Forwarded-For": "192.0.2.1"})
        assert lied.status_code == 403
    async with client_of(door.app, near.text) as client:
        assert (await client.post("/emails", json=email())).status_code == 200
        assert (await client.get("/emails")).status_code == 200
    assert door.rows("SELECT count(*) FROM api_key_secret WHERE last_used_at IS NOT NULL") == [(1,)]
