"""Support: bounces as mail servers write them, to return paths of messages that were really sent."""

from datetime import timedelta

import pytest
from tests.flow.feedback.telling import ANN, After
from tests.support.firm import now

from troth.flow.feedback.bounces import Bounces
from troth.keys.installation import Purpose
from troth.mail.arrived import Arrived
from troth.mail.tokens import verp_make

DOMAIN = "bounces.example"
NULL = "<>"


def dsn(
    to=ANN, status="5.1.1", action="failed", said="550 5.1.1 No such user here", original=None, returned="", **more
):
    """A notification of RFC 3464; `more`: further recipients, their address by status."""
    blocks = [
        (to, status, action, said, original),
        *((a, s.replace("_", "."), action, said, None) for s, a in more.items()),
    ]
    told = "\r\n".join(
        "".join(
            [f"Original-Recipient: rfc822;{kept}\r\n" if kept else "",
             f"Final-Recipient: rfc822;{who}\r\nAction: {what}\r\nStatus: {code}\r\n",
             f"Remote-MTA: dns;mx.example.net\r\nDiagnostic-Code: smtp; {words}\r\n"]
        )
        for who, code, what, words, kept in blocks
    )  # fmt: skip
    return (
        "From: MAILER-DAEMON@mx.example.net\r\nSubject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        "Auto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"\r\n\r\n'
        f"--b1\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered to <{to}>: {said}\r\n"
        "--b1\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;mx.example.net\r\n\r\n"
        f"{told}\r\n--b1\r\nContent-Type: text/rfc822-headers\r\n\r\n{returned}Subject: Rent\r\n\r\n--b1--\r\n"
    ).encode()


VACATION = (
    b"From: Ann <ann@home.example>\r\nSubject: Out of office: Rent\r\nAuto-Submitted: auto-replied\r\n"
    b"Precedence: bulk\r\nX-Autoreply: yes\r\n\r\nI am on holiday until Monday and do not read my mail.\r\n"
)
CHALLENGE = (
    b"From: Ann <ann@home.example>\r\nSubject: Please confirm your message\r\nAuto-Submitted: auto-replied\r\n\r\n"
    b"Your message to ann@home.example is being held. I do not know you. Please click on this link to confirm that\r\n"
    b"you are a real person, and your message will be delivered: https://challenge.example/verify/123\r\n"
)
TALK = b"From: Ann <ann@home.example>\r\nSubject: Re: Rent\r\n\r\nI have paid it on Monday, see the receipt.\r\n"


class Desk(After):
    """The desk over a stage whose mail was sent."""

    def __init__(self, stage):
        super().__init__(stage)
        self.desk = Bounces(self.deps, self.operator, DOMAIN)

    def path(self, message, ends=None, key=None, cell="a", domain=DOMAIN):
        key = key or self.river.secrets.token_keys(Purpose.VERP)[0]
        return f"{verp_make(key, message, ends or now() + timedelta(days=20), cell)}@{domain}"

    async def take(self, to, octets, sender=NULL):
        addresses = [to] if isinstance(to, str) else to
        return await self.desk.take(addresses, Arrived("192.0.2.1", sender, octets))

    def kept(self):
        return self.river.database.run("SELECT desk, reason FROM inbound_letter ORDER BY at, id")

    def counted(self):
        return {(d, r): (n, x) for d, r, n, x in
                self.river.database.run("SELECT desk, reason, n, dropped FROM inbound_count")}  # fmt: skip

    def nothing_changed(self, *messages):
        told = {kind for message in messages for kind in self.river.told(message)}
        return not self.river.database.run("SELECT 1 FROM suppression") and len(told) <= 1


@pytest.fixture
async def bounces(stage):
    one = Desk(stage)
    yield one
    await one.connections.close()
