"""The SMTP client's pure machine driven by hand: `Talk` hears what a server says and keeps what happens.

    talk = Talk()
    sent = talk.submit()
    assert talk.say() == GROUP % (sent.size, b"sam@y.test")
    talk.hear(b"...")
    assert talk.outcome(sent) == ("accepted", "eod", 250)

A `Talk` begins greeted and its EHLO answered, unless `ehlo` is None; `hear` and `say` give the octets it then sends.
"""

import uuid

from troth.flow.delivery.route import Route
from troth.flow.delivery.smtp_protocol import SmtpClient
from troth.flow.delivery.smtp_states import Closed
from troth.flow.delivery.smtp_types import Answer, Envelope

PLAIN = Route("r", "127.0.0.1", 25, "none", ehlo_name="me.test")
EHLO = b"250-mx.test greets\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
GROUP = b"MAIL FROM:<b@x.test> SIZE=%d\r\nRCPT TO:<%b>\r\nDATA\r\n"


def envelope(to=b"sam@y.test", data=b"Subject: a\r\n\r\nhello\r\n"):
    return Envelope(uuid.uuid4(), b"b@x.test", to, data, len(data))


class Talk:
    """A session driven by hand; collects what happens."""

    def __init__(self, route=PLAIN, ehlo=EHLO):
        self.client = SmtpClient(route)
        self.happened = []
        if ehlo is not None:
            assert self.hear(b"220 mx.test ESMTP\r\n") == b"EHLO me.test\r\n"
            self.hear(ehlo)

    def hear(self, octets):
        self.client.receive_data(octets)
        return self.say()

    def say(self):
        out = []
        while octets := self.client.data_to_send():
            out.append(octets)
        self.happened += self.client.events()
        return b"".join(out)

    def submit(self, *args, **kwargs):
        sent = envelope(*args, **kwargs)
        self.client.submit(sent)
        return sent

    @property
    def answers(self):
        return [event for event in self.happened if isinstance(event, Answer)]

    @property
    def closed(self):
        found = [event for event in self.happened if isinstance(event, Closed)]
        assert len(found) <= 1
        return found[0] if found else None

    def outcome(self, sent):
        (answer,) = [answer for answer in self.answers if answer.key == sent.key]
        return answer.outcome, answer.phase, answer.code
