"""Reading costs: a large body is taken from live keys only, so that whoever can make up a key's checksum costs little."""

import pytest

from troth.keys.api_keys import make_key
from troth.rules.problems import PROBLEMS


async def _pieces():
    yield b'{"to":'
    yield b'"ann@example.net"}'


@pytest.mark.parametrize("path", ["/emails", "/emails/batch", "/recipients"])
@pytest.mark.parametrize("content", ["large", "of unknown size"])
async def test_a_key_that_nobody_has_is_told_before_its_body_is_read(door, path, content):
    body = b"[" + b"{}," * 30_000 if content == "large" else _pieces()
    headers = {"content-type": "application/json", "authorization": f"Bearer {make_key('a').text}"}
    answer = await door.client.post(path, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (PROBLEMS["invalid-api-key"].status, "invalid-api-key")
