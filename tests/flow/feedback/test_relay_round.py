"""From the message that went out to the webhook that comes back: the lines that the relay read name our message to us, and
the signature over the message holds with them and without.
"""

import base64
import json

import dkim
import pytest
from tests.flow.feedback.relaying import sns, told
from tests.flow.feedback.telling import ANN
from tests.support.river import DOMAIN, SELECTOR, dkim_pair

from troth.rules.states import State

__all__ = ["sns", "told"]


def header(octets, name):
    head = octets.partition(b"\r\n\r\n")[0].decode()
    return next((line.partition(": ")[2] for line in head.split("\r\n") if line.startswith(f"{name}:")), None)


def signed(octets):
    record = f"v=DKIM1; k=rsa; p={base64.b64encode(dkim_pair()[1]).decode()}".encode()
    names = f"{SELECTOR}._domainkey.{DOMAIN}."
    return dkim.DKIM(octets).verify(dnsfunc=lambda name, timeout=5: record if name.decode() == names else None)


async def sent(told, **settings):
    (message,) = told.river.queue(ANN)
    told.stage.worker(**settings)
    await told.stage.until(lambda: told.river.state(message) is State.SENT)
    await told.stage.stop()
    (octets,) = told.stage.got(ANN)
    return message, octets


async def test_mailgun_gives_back_what_it_was_given(told):
    message, octets = await sent(told, relay_kind="mailgun")
    assert header(octets, "X-Mailgun-Track") == "no"
    variables = json.loads(header(octets, "X-Mailgun-Variables"))
    assert (await told.mailgun({"event": "delivered", "id": "1", "user-variables": variables})).status_code == 200
    assert told.river.state(message) is State.DELIVERED
    lines = [each for each in octets.split(b"\r\n") if not each.startswith(b"X-Mailgun-")]
    assert signed(octets)
    assert signed(b"\r\n".join(lines))


async def test_ses_gives_back_what_it_was_given(told):
    message, octets = await sent(told, relay_kind="ses", ses_configuration_set="main")
    assert header(octets, "X-SES-CONFIGURATION-SET") == "main"
    name, _, token = header(octets, "X-SES-MESSAGE-TAGS").partition("=")
    event = {"eventType": "Delivery", "mail": {"tags": {name: [token]}}, "delivery": {"recipients": [ANN]}}
    assert (await told.ses(event)).status_code == 200
    assert told.river.state(message) is State.DELIVERED
    assert signed(octets)


@pytest.mark.parametrize("kind", ["smtp"])
async def test_any_other_relay_is_given_nothing(told, kind):
    _, octets = await sent(told, relay_kind=kind)
    assert octets.startswith(b"DKIM-Signature:") or b"X-Mailgun" not in octets
    assert b"X-SES" not in octets
